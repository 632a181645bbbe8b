/// Something in a ticket's thread that the state machine does not allow, or that two nodes did at the same time. Attributed
/// to the record that is wrong at its place.
///
/// The same finding has two uses. A record that this node is about to write itself is refused with its code (domain model
/// 2.4); one that came from elsewhere is stored all the same, and the finding becomes a conflict record (冲突, 6.4).
package struct TicketFinding: Hashable, Sendable {
    package let code: Code
    package let event: TicketEvent.ID

    package init(code: Code, event: TicketEvent.ID) {
        self.code = code
        self.event = event
    }

    package enum Code: String, Sendable, CaseIterable {
        case noDue = "E_STATE_NO_DUE"
        case twoMain = "E_STATE_TWO_MAIN"
        case notDispatched = "E_STATE_NOT_DISPATCHED"
        case ackForeign = "E_STATE_ACK_FOREIGN"
        case returnDesignated = "E_STATE_RETURN_DESIGNATED"
        case returnLate = "E_STATE_RETURN_LATE"
        case noRequest = "E_STATE_NO_REQUEST"
        case extendAfterDue = "E_STATE_EXTEND_AFTER_DUE"
        case extendLimit = "E_STATE_EXTEND_LIMIT"
        case noContact = "E_STATE_NO_CONTACT"
        case closeWithoutReply = "E_STATE_CLOSE_WITHOUT_REPLY"
        case terminateUnapproved = "E_STATE_TERMINATE_UNAPPROVED"
        case notOpen = "E_STATE_NOT_OPEN"
        case callbackBeforeClose = "E_STATE_CALLBACK_BEFORE_CLOSE"
        case callbackExcluded = "E_STATE_CALLBACK_EXCLUDED"
        case evaluationBeforeCallback = "E_STATE_EVAL_BEFORE_CALLBACK"
        case reworkOpen = "E_STATE_REWORK_OPEN"
        case notOwner = "E_STATE_NOT_OWNER"
        case notInvolved = "E_STATE_NOT_INVOLVED"
        case notAbove = "E_STATE_NOT_ABOVE"
        case noOffer = "E_STATE_NO_OFFER"
        case offerOpen = "E_STATE_OFFER_OPEN"
        case merged = "E_STATE_MERGED"
        case archived = "E_STATE_ARCHIVED"
        case supervisionOpen = "E_STATE_SUPERVISION_OPEN"
        case confidentialityDowngrade = "E_CONF_DOWNGRADE"
        case foreignRequest = "FOREIGN_REQUEST"
        case beforeRequest = "BEFORE_REQUEST"
        // What nodes did at the same time: nobody was wrong to write it.
        case closedUnderSupervision = "CLOSED_UNDER_SUPERVISION"
        case reworkWins = "REWORK_WINS"
        case ownerSplit = "OWNER_SPLIT"
        case categoryProposal = "CATEGORY_PROPOSAL"
        case phoneDiffers = "K04"
        case cardVoided = "CARD_VOIDED"
        case evaluatedTwice = "EVALUATED_TWICE"
        case mergeCycle = "MERGE_CYCLE"

        /// Whether a node refuses to write such a record itself.
        package var isRefused: Bool { rawValue.hasPrefix("E_") }

        /// Whether the finding only says that an earlier step is not on record. A ticket that was taken over from another
        /// system's history (`migrated`) may lack steps that the system never kept.
        var isMissingStep: Bool {
            switch self {
            case .noDue, .notDispatched, .noRequest, .noContact, .closeWithoutReply, .terminateUnapproved,
                .callbackBeforeClose, .evaluationBeforeCallback:
                true
            default: false
            }
        }

        /// What is wrong, for the person who wrote the record.
        package var title: String {
            switch self {
            case .noDue: "派单没有办理时限"
            case .twoMain: "同一轮次有两个主办单位"
            case .notDispatched: "尚未派单"
            case .ackForeign: "签收单位不是承办单位"
            case .returnDesignated: "指定承办的工单不得退回"
            case .returnLate: "超过退单期限"
            case .noRequest: "没有待审批的申请"
            case .extendAfterDue: "时限已过才申请延期"
            case .extendLimit: "超过延期次数上限"
            case .noContact: "答复前没有联系诉求人的记录"
            case .closeWithoutReply: "没有答复就办结"
            case .terminateUnapproved: "终止办理未经审核同意"
            case .notOpen: "工单已经结束"
            case .callbackBeforeClose: "尚未办结就回访"
            case .callbackExcluded: "该工单不回访"
            case .evaluationBeforeCallback: "尚未回访就评价"
            case .reworkOpen: "上一轮办理尚未结束"
            case .notOwner: "不是承办归属节点"
            case .notInvolved: "与该工单无关的节点"
            case .notAbove: "只有双方的共同上级可以指定"
            case .foreignRequest: "工单编号属于其他节点的诉求"
            case .beforeRequest: "发生时间早于诉求时间"
            case .noOffer: "没有对应的移交"
            case .offerOpen: "上一次移交尚未答复"
            case .merged: "工单已并入其他工单"
            case .archived: "工单已归档"
            case .supervisionOpen: "督办尚未办结，不能归档"
            case .confidentialityDowngrade: "只有归属节点可以降低保密标记"
            case .closedUnderSupervision: "办结时督办未结"
            case .reworkWins: "办结与重办同时发生"
            case .ownerSplit: "两个节点同时接收了移交"
            case .categoryProposal: "非归属节点更正了问题分类"
            case .phoneDiffers: "两个节点更正的联系电话不同"
            case .cardVoided: "延期同意后，超期督办失效"
            case .evaluatedTwice: "同一轮次有多次评价"
            case .mergeCycle: "并单互相指向"
            }
        }

        /// What the fold made of it (处理规则, domain model 6.4).
        package var resolution: String {
            switch self {
            case .notOwner, .notInvolved, .notAbove, .foreignRequest: "记录保留，不改变工单状态"
            case .merged, .archived, .confidentialityDowngrade: "记录保留，不生效"
            case .closedUnderSupervision: "两者都保留，督办继续，办结的工单不能归档"
            case .reworkWins: "重办有效，进入新一轮"
            case .ownerSplit: "流转次数较小的接收有效"
            case .categoryProposal: "以承办归属节点为准，其他作为建议"
            case .phoneDiffers: "两个号码都保留，由提供节点核实"
            case .cardVoided: "督办卡作废，记录保留"
            case .evaluatedTwice: "以本人最后一次评价为准，都保留"
            case .mergeCycle: "全局标识最小的工单为主单"
            default: "记录保留，按发生时间计入状态"
            }
        }

        /// What a person who wanted to write it does instead.
        package var hint: String {
            switch self {
            case .noDue: "give due_datetime with the main assignment"
            case .twoMain: "dispatch it again only after a return was approved, or in a new round"
            case .notDispatched: "dispatch the ticket first"
            case .ackForeign: "the assigned unit signs, or the ticket is dispatched to this unit"
            case .returnDesignated: "ask the node that designated"
            case .returnLate: "handle it, or ask the hotline or the node above to designate another"
            case .noRequest: "a request comes before its decision"
            case .extendAfterDue: "an extension is asked for before the time limit"
            case .extendLimit: "close the ticket, or explain to the citizen why it takes longer"
            case .noContact: "record the contact with the citizen in a handling record first"
            case .closeWithoutReply: "reply to the citizen first"
            case .terminateUnapproved: "give review: passed, with the reviewer"
            case .notOpen: "open a new round if the citizen is not satisfied"
            case .callbackBeforeClose: "call back after the closure"
            case .callbackExcluded: "the citizen asked for no callback, or is protected"
            case .evaluationBeforeCallback: "record the callback first, or mark the evaluation as self_service"
            case .reworkOpen: "close the round before"
            case .notOwner: "only the node that owns the handling writes this; take the ticket over by a transfer"
            case .notInvolved: "only the ticket's origin, whoever it was handed to, and the nodes above them write this"
            case .notAbove: "offer it, or ask the node above both to designate"
            case .noOffer: "the owner offers the ticket first"
            case .offerOpen: "wait for the answer, or ask the common parent to designate"
            case .merged: "act on the ticket into which it was merged, or undo the merge"
            case .archived: "an archived ticket takes no more records; open a new one that refers to it"
            case .supervisionOpen: "close the supervision first"
            case .confidentialityDowngrade: "ask the ticket's origin"
            default: ""
            }
        }
    }
}
