import FederationModel

/// What may happen to a ticket, as a row of a table: the record that says so, and which of its fields are given how.
package struct TicketEventKind: Sendable {
    /// As the command line has it.
    package let word: String
    package let title: String
    package let resource: ResourceDefinition
    let fills: [String: Fill]
    /// Fields that must be given, beside those that the catalog requires.
    let required: [String]
    /// Further fields that a guided entry asks for.
    let optional: [String]
    /// Fields that name another ticket, by its global id or a number.
    let tickets: [String]
    /// Whether it begins another round of handling (重办).
    let beginsRound: Bool
    /// Whether it completes the latest record of its resource that this node wrote and left open, in place of writing another;
    /// then the field that says when it ended. A record is open while that field is empty.
    let ends: String?
    /// What is wrong when the ticket has no record of its resource yet; nil when that is legal.
    let withoutEarlier: TicketFinding.Code?

    /// Where a field comes from that nobody has to type.
    enum Fill: Sendable {
        /// Part of what the kind means; can't be given.
        case fixed(FieldValue)
        /// Unless it is given.
        case preset(FieldValue)
        /// A new identity.
        case identity
        /// As the rules of time limits have it for a dispatch, unless it is given.
        case limit
        /// The due date that an extension makes, counted from the one in force; of a granted one that the latest request
        /// asked for, unless it is given.
        case extended
        /// As in the latest record of the same resource, unless it is given.
        case latest
        /// One more than the greatest of the same resource so far.
        case ordinal
        /// The next own ticket number of this node, unless one is given.
        case number
    }

    /// Where the time of the event stands.
    package var timeField: String { ends ?? "occurred_at" }

    /// Where the unit stands that acts, or is named.
    package var unitField: String {
        ["assignee_unit", "unit", "target_unit"].first { resource.column(named: $0) != nil } ?? "unit"
    }

    /// Where an extension of the due date stands; nil for a kind that extends none.
    package var extensionField: String? {
        fills.first { if case .extended = $0.value { true } else { false } }?.key
    }

    /// Fields that nobody gives: the ticket says them, or the kind does.
    var closed: Set<String> {
        let fixed = fills.filter { if case .fixed = $0.value { true } else { false } }.keys
        return Self.envelope.subtracting(["occurred_at"]).union(fixed)
    }

    /// All fields that have to be there in the end and that a person may give.
    var mandatory: [String] {
        let own = resource.columns.filter(\.isRequired).map(\.name).filter { !Self.envelope.contains($0) }
        return own.filter { fills[$0] == nil && !required.contains($0) } + required
    }

    package static func named(_ word: String) -> TicketEventKind? { all.first { $0.word == word } }

    package static let all: [TicketEventKind] =
        [
            action("queue", "转入派单"),
            .init(
                "dispatch", "派单", BuiltInResources.assignment, limits.merging(["role": .preset(.text("main"))]) { $1 },
                required: ["due_datetime"], optional: ["basis", "designated"]),
            .init("acknowledge", "签收", BuiltInResources.acknowledgement),
            .init("return", "退单申请", BuiltInResources.returnRequest, optional: ["suggested_unit"]),
            .init("decide-return", "退单审批", BuiltInResources.returnDecision),
            .init(
                "extend", "延期申请", BuiltInResources.extensionRequest,
                ["ordinal": .ordinal, "requested_until": .extended], required: ["requested_until"],
                optional: ["unit", "reason"]),
            .init(
                "decide-extension", "延期审批", BuiltInResources.extensionDecision, ["due_datetime": .extended],
                optional: ["due_datetime"]),
            .init(
                "handle", "办理", BuiltInResources.handling, required: ["unit"],
                optional: ["contacted", "contact_datetime", "site_visit", "fact_true", "measures"]),
            .init(
                "reply", "答复", BuiltInResources.reply, ["reply_kind": .preset(.text("final"))],
                optional: [
                    "content_public", "content_internal", "reply_channel", "resolved_claimed", "unresolved_reason",
                ]),
            .init(
                "supervise", "督办", BuiltInResources.supervision, optional: ["trigger", "target_unit", "due_datetime"]),
            .init(
                "end-supervision", "督办办结", BuiltInResources.supervision,
                optional: ["response", "outcome"], ends: "closed_datetime"),
            action("apply-closure", "申请办结"),
            .init(
                "close", "办结", BuiltInResources.closure,
                ["closure_kind": .preset(.text("closed")), "review": .preset(.text("passed"))],
                optional: ["result", "reviewer"]),
            closure("send-back", "办结退回", kind: "closed", review: "sent_back"),
            closure("withdraw", "撤诉", kind: "withdrawn"),
            closure("terminate", "终止办理", kind: "terminated", required: ["review"]),
            closure("hold", "挂账", kind: "held"),
            action("enter-callback", "进入回访"),
            .init(
                "call-back", "回访", BuiltInResources.callback, ["method": .preset(.text("telephone"))],
                optional: ["attempt", "contacted_by_unit", "resolved", "verdict_source"]),
            .init(
                "evaluate", "评价", BuiltInResources.evaluation,
                [
                    "object": .preset(.text("handling")), "verdict_source": .preset(.text("person")),
                    "counted": .preset(.integer(1)),
                ], optional: ["reason_codes", "comment"]),
            .init(
                "rework", "重办", BuiltInResources.assignment, limits.merging(["role": .fixed(.text("main"))]) { $1 },
                required: ["due_datetime"], optional: ["basis", "designated"], beginsRound: true),
            action("archive", "归档"),
            action("suspend", "暂停计时"),
            action("resume", "恢复计时"),
            action("merge", "并单", target: "主单", tickets: ["target"]),
            action("unmerge", "撤销并单"),
            action("mark-repeat", "标记重复诉求", target: "先前的诉求", tickets: ["target"]),
            action("unmark-repeat", "撤销重复标记"),
            action("set-confidential", "设置保密", target: "保密标记", codeList: "confidential"),
            action("set-category", "更正问题分类", target: "问题分类"),
            action("set-phone", "更正联系电话", required: ["value"]),
        ] + TransferStep.allCases.map(transfer)

    /// A step of a ticket's way between nodes.
    static func transfer(_ step: TransferStep) -> TicketEventKind {
        switch step {
        case .offer:
            .init(
                "transfer-offer", "移交", BuiltInResources.transfer,
                ["step": .fixed(.text("offer")), "transfer_id": .identity, "ordinal": .ordinal],
                optional: ["kind", "due_datetime", "basis"])
        case .accept: answer("accept", "接收移交", ["target_request_id": .number], withoutEarlier: .noOffer)
        case .return: answer("return", "退回移交", required: ["reason"], withoutEarlier: .noOffer)
        case .designate: answer("designate", "指定移交")
        }
    }

    /// - Throws: the code of `withoutEarlier`, as the guard has it for a record that is complete.
    func requireEarlier(in thread: TicketThread) throws(FederationError) {
        guard let withoutEarlier, !thread.records.contains(where: { $0.resource.name == resource.name }) else { return }
        throw FederationError(
            withoutEarlier.rawValue, "\(resource.name): \(withoutEarlier.title)", hint: withoutEarlier.hint)
    }

    private static let limits: [String: Fill] = [
        "due_datetime": .limit, "limit_days": .limit, "limit_kind": .limit, "accept_deadline": .limit,
    ]

    /// Fields that each record of a thread has; the command fills them in.
    private static let envelope: Set<String> = ["global_id", "ticket_origin", "occurred_at"]

    private init(
        _ word: String, _ title: String, _ resource: ResourceDefinition, _ fills: [String: Fill] = [:],
        required: [String] = [], optional: [String] = [], tickets: [String] = [], beginsRound: Bool = false,
        ends: String? = nil, withoutEarlier: TicketFinding.Code? = nil
    ) {
        self.word = word
        self.title = title
        self.resource = resource
        self.fills = fills
        self.required = required
        self.optional = optional
        self.tickets = tickets
        self.beginsRound = beginsRound
        self.ends = ends
        self.withoutEarlier = withoutEarlier
    }

    /// - Parameters:
    ///   - target: what the target is called in this action; nil when it has none.
    ///   - codeList: the list that the target is a code of.
    private static func action(
        _ word: String, _ title: String, required: [String] = [], target: String? = nil, codeList: String? = nil,
        tickets: [String] = []
    ) -> Self {
        let general = BuiltInResources.ticketAction
        let columns = general.columns.map { column in
            guard column.name == "target", let target else { return column }
            return ColumnDefinition(
                column.name, target, level: column.level, codeList: codeList, bytesMax: column.bytesMax)
        }
        return .init(
            word, title, ResourceDefinition(general.name, general.title, columns: columns),
            ["action": .fixed(.text(word.replacing("-", with: "_")))],
            required: required + (target == nil ? [] : ["target"]), optional: ["unit", "reason"], tickets: tickets)
    }

    private static func closure(
        _ word: String, _ title: String, kind: String, review: String? = nil, required: [String] = []
    ) -> Self {
        var fills: [String: Fill] = ["closure_kind": .fixed(.text(kind))]
        if let review { fills["review"] = .fixed(.text(review)) }
        return .init(
            word, title, BuiltInResources.closure, fills, required: required, optional: ["result", "reviewer"])
    }

    /// A step of a transfer that is under way.
    private static func answer(
        _ step: String, _ title: String, _ fills: [String: Fill] = [:], required: [String] = [],
        withoutEarlier: TicketFinding.Code? = nil
    ) -> Self {
        .init(
            "transfer-\(step)", title, BuiltInResources.transfer,
            [
                "step": .fixed(.text(step)), "transfer_id": .latest, "to_node": .latest, "kind": .latest,
                "ordinal": .latest,
            ].merging(fills) { $1 }, required: required, optional: ["basis"], withoutEarlier: withoutEarlier)
    }
}
