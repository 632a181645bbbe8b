/// The built-in resources: the eight lifecycle records (domain model 2.3, clause 5.1) with their helper records, attachments, calls and
/// recording metadata. A pure declaration; everything else about them is derived.
package enum BuiltInResources {
    /// Raised with every change of `all`; two nodes compare it at hello.
    package static let schemaRevision = 8

    package static let all: [ResourceDefinition] =
        [
            serviceRequest, assignment, acknowledgement, returnRequest, returnDecision, extensionRequest,
            extensionDecision,
            handling, reply, supervision, closure, callback, evaluation, ticketAction, transfer, attachment, callRecord,
            recording,
            announcement,
        ] + CatalogResources.all + ReferenceResources.all + [ReferenceResources.indicatorFile]
        + ExternalResources.all + RemovalResources.all + CaseResources.all

    package static func named(_ name: ResourceName) -> ResourceDefinition? { byName[name] }

    /// The resources that together make up a ticket: the request and every record of its thread.
    package static let ticketResources: [ResourceDefinition] = all.filter(\.isTicketRecord)

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    // MARK: - 受理

    package static let serviceRequest = ResourceDefinition(
        "service_request", "诉求工单", stage: .acceptance,
        columns: [
            .init("global_id", "全局标识", level: .open, required: true, bytesMax: 80),
            .init("service_request_id", "工单编号", level: .inner, required: true, bytesMax: 64),
            .init("source_request_id", "来源工单编号", level: .inner, bytesMax: 64),
            .init("source_system", "来源系统", level: .inner, bytesMax: 100),
            .init("requested_datetime", "诉求时间", .timestamp, level: .inner, required: true),
            .init("accepted_datetime", "受理时间", .timestamp, level: .inner),
            .init("channel", "受理渠道", level: .open, codeList: "channel", required: true, bytesMax: 32),
            .init("request_type", "诉求类型", level: .open, codeList: "request_type", required: true, bytesMax: 32),
            .init("service_code", "问题分类", level: .open, bytesMax: 200),
            .init("service_name", "问题分类名称", level: .open, bytesMax: 400),
            .init("title", "标题", level: .personal, bytesMax: 2_000),
            .init("description", "诉求内容", level: .personal, bytesMax: 100_000),
            .init("request_demand", "希望", level: .personal, bytesMax: 10_000),
            .init("address_string", "事发地址", level: .personal, bytesMax: 1_000),
            .init("lat", "纬度", .real, level: .personal),
            .init("long", "经度", .real, level: .personal),
            .init("region_code", "事发地区划", level: .open, bytesMax: 12),
            .init("occurred_datetime", "事发时间", .timestamp, level: .inner),
            .init("urgency", "紧急程度", level: .open, codeList: "urgency", required: true, bytesMax: 32),
            .init("reporter_name", "诉求人", level: .personal, bytesMax: 200),
            .init("reporter_kind", "诉求人类型", level: .open, codeList: "reporter_kind", bytesMax: 32),
            .init("reporter_phone", "联系电话", level: .personal, bytesMax: 40),
            .init("reporter_phone_alt", "备用联系电话", level: .personal, bytesMax: 40),
            .init("reporter_id_type", "证件类型", level: .personal, bytesMax: 40),
            .init("reporter_id_number", "证件号码", level: .sensitive, bytesMax: 40),
            .init("organization_name", "企业名称", level: .inner, bytesMax: 400),
            .init("organization_uscc", "统一社会信用代码", level: .inner, bytesMax: 40),
            .init("respondent_name", "被反映主体", level: .personal, bytesMax: 400),
            .init("respondent_uscc", "被反映主体统一社会信用代码", level: .personal, bytesMax: 40),
            .init("confidential", "保密标记", level: .inner, codeList: "confidential", bytesMax: 32),
            .init("reply_required", "是否要求回复", .boolean, level: .inner),
            .init("callback_required", "是否要求回访", .boolean, level: .inner),
            .init("acceptance", "受理结论", level: .open, codeList: "acceptance", required: true, bytesMax: 32),
            .init("migrated", "迁移数据", .boolean, level: .open),
            .init("non_acceptance_reason", "不予受理原因", level: .open, bytesMax: 200),
            .init("seat_id", "受理员", level: .inner, bytesMax: 64),
            .init("call_id", "话务", level: .personal, bytesMax: 80),
            .init("ext", "地方扩展", .json, level: .sensitive, bytesMax: 100_000),
        ],
        // Citizens and other systems name a ticket by its number.
        indexes: [["global_id"], ["requested_datetime"], ["service_request_id"], ["source_request_id"]])

    // MARK: - 派单

    package static let assignment = threadRecord(
        "assignment", "派单", stage: .dispatch,
        columns: [
            .init("assignee_unit", "承办单位", level: .open, required: true, bytesMax: 400),
            .init("role", "承办角色", level: .open, codeList: "assignment_role", required: true, bytesMax: 32),
            .init("due_datetime", "办理时限", .timestamp, level: .inner),
            .init("limit_days", "时限数", .integer, level: .inner),
            .init("limit_kind", "时限单位", level: .inner, codeList: "limit_kind", bytesMax: 32),
            .init("basis", "派单依据", level: .inner, bytesMax: 400),
            .init("designated", "指定(不得退回)", .boolean, level: .inner),
            .init("accept_deadline", "签收时限", .timestamp, level: .inner),
        ])

    package static let acknowledgement = threadRecord(
        "acknowledgement", "签收",
        columns: [.init("unit", "签收单位", level: .open, required: true, bytesMax: 400)])

    package static let returnRequest = threadRecord(
        "return_request", "退单申请",
        columns: [
            .init("unit", "申请单位", level: .open, required: true, bytesMax: 400),
            .init("reason", "退单原因", level: .open, codeList: "return_reason", required: true, bytesMax: 32),
            .init("suggested_unit", "建议承办单位", level: .open, bytesMax: 400),
        ])

    package static let returnDecision = threadRecord(
        "return_decision", "退单审批",
        columns: [.init("decision", "审批结论", level: .open, codeList: "decision", required: true, bytesMax: 32)])

    package static let extensionRequest = threadRecord(
        "extension_request", "延期申请",
        columns: [
            .init("unit", "申请单位", level: .open, bytesMax: 400),
            .init("requested_until", "申请延至", .timestamp, level: .inner, required: true),
            .init("reason", "延期原因", level: .inner, bytesMax: 2_000),
            .init("ordinal", "第几次", .integer, level: .inner),
        ])

    package static let extensionDecision = threadRecord(
        "extension_decision", "延期审批",
        columns: [
            .init("decision", "审批结论", level: .open, codeList: "decision", required: true, bytesMax: 32),
            .init("due_datetime", "新的办理时限", .timestamp, level: .inner),
        ])

    // MARK: - 办理, 答复, 督办, 办结

    package static let handling = threadRecord(
        "handling", "办理", stage: .handling,
        columns: [
            .init("unit", "承办单位", level: .open, bytesMax: 400),
            .init("contacted", "是否联系", .boolean, level: .inner),
            .init("contact_datetime", "联系时间", .timestamp, level: .inner),
            .init("site_visit", "是否现场", .boolean, level: .inner),
            .init("fact_true", "诉求属实", .boolean, level: .inner),
            .init("beyond_duty", "超职责", .boolean, level: .inner),
            .init("measures", "办理情况", level: .personal, bytesMax: 100_000),
        ])

    package static let reply = threadRecord(
        "reply", "答复", stage: .reply,
        columns: [
            .init("reply_kind", "答复类型", level: .open, codeList: "reply_kind", required: true, bytesMax: 32),
            .init("reply_channel", "答复渠道", level: .inner, codeList: "channel", bytesMax: 32),
            .init("content_internal", "内部答复", level: .personal, bytesMax: 100_000),
            .init("content_public", "公开答复", level: .personal, bytesMax: 100_000),
            .init("resolved_claimed", "解决情况", level: .open, codeList: "resolution", bytesMax: 32),
            .init("unresolved_reason", "未解决原因", level: .inner, bytesMax: 2_000),
        ])

    package static let supervision = threadRecord(
        "supervision", "督办", stage: .supervision,
        columns: [
            .init("level", "督办级别", level: .open, codeList: "supervision_level", required: true, bytesMax: 32),
            .init("trigger", "督办事由", level: .open, codeList: "supervision_trigger", bytesMax: 32),
            .init("target_unit", "被督办单位", level: .open, bytesMax: 400),
            .init("due_datetime", "督办时限", .timestamp, level: .inner),
            .init("response", "督办反馈", level: .personal, bytesMax: 10_000),
            .init("closed_datetime", "督办办结时间", .timestamp, level: .inner),
            .init("outcome", "督办结果", level: .inner, bytesMax: 2_000),
        ])

    package static let closure = threadRecord(
        "closure", "办结", stage: .closure,
        columns: [
            .init("closure_kind", "办结方式", level: .open, codeList: "closure_kind", required: true, bytesMax: 32),
            .init("result", "办理结果", level: .personal, bytesMax: 100_000),
            .init("reviewer", "审核人", level: .inner, bytesMax: 64),
            .init("review", "审核结论", level: .open, codeList: "review", bytesMax: 32),
        ])

    // MARK: - 回访, 评价

    package static let callback = threadRecord(
        "callback", "回访", stage: .followUp,
        columns: [
            .init("method", "回访方式", level: .open, codeList: "callback_method", required: true, bytesMax: 32),
            .init("attempt", "次数", .integer, level: .open),
            .init("reached", "接通情况", level: .open, codeList: "reached", required: true, bytesMax: 32),
            .init("contacted_by_unit", "承办单位是否联系", .boolean, level: .open),
            .init("resolved", "解决情况", level: .open, codeList: "resolution", bytesMax: 32),
            .init("verdict_source", "评价来源", level: .open, codeList: "verdict_source", bytesMax: 32),
        ])

    package static let evaluation = threadRecord(
        "evaluation", "评价", stage: .evaluation,
        columns: [
            .init("object", "评价对象", level: .open, codeList: "evaluation_object", required: true, bytesMax: 32),
            .init("verdict_source", "评价来源", level: .open, codeList: "verdict_source", bytesMax: 32),
            .init("score5", "满意度", level: .open, codeList: "score", required: true, bytesMax: 32),
            .init("reason_codes", "原因", level: .open, bytesMax: 400),
            .init("comment", "评语", level: .personal, bytesMax: 10_000),
            .init("counted", "是否计入考核", .boolean, level: .open),
            .init("exclusion_reason", "不计入原因", level: .inner, bytesMax: 400),
        ])

    // MARK: - 工单操作, 跨节点流转

    /// The transitions that no stage record stands for. `target` is what the action points at: the ticket that this one is
    /// merged into, or the code of a category or confidentiality that it sets. `value` is a telephone number.
    package static let ticketAction = threadRecord(
        "ticket_action", "工单操作",
        columns: [
            .init("action", "操作", level: .open, codeList: "ticket_action", required: true, bytesMax: 32),
            .init("unit", "操作单位", level: .open, bytesMax: 400),
            .init("target", "目标", level: .open, bytesMax: 80),
            .init("value", "内容", level: .personal, bytesMax: 400),
            .init("reason", "事由", level: .inner, bytesMax: 2_000),
        ])

    /// One step of a ticket's way to another node (domain model 6.3). The steps of one transfer share `transfer_id`; each
    /// is written by the node that takes it.
    package static let transfer = threadRecord(
        "transfer", "跨节点流转",
        columns: [
            .init("transfer_id", "流转标识", level: .open, required: true, bytesMax: 80),
            .init("step", "流转步骤", level: .open, codeList: "transfer_step", required: true, bytesMax: 32),
            .init("to_node", "流转至节点", level: .open, required: true, bytesMax: 12),
            .init("kind", "流转类型", level: .open, codeList: "transfer_kind", bytesMax: 32),
            .init("ordinal", "第几次", .integer, level: .open),
            .init("due_datetime", "办理时限", .timestamp, level: .inner),
            .init("target_request_id", "接收方工单编号", level: .inner, bytesMax: 64),
            .init("basis", "流转依据", level: .inner, bytesMax: 400),
            .init("reason", "退回原因", level: .inner, bytesMax: 2_000),
        ])

    // MARK: - 附件

    /// A photograph, a document or a film that belongs to a ticket (5.1): where it lies and how it can be proved to be the same.
    /// The file itself stays where it is.
    package static let attachment = threadRecord(
        "attachment", "附件",
        columns: [
            .init("name", "文件名", level: .personal, bytesMax: 400),
            .init("uri", "存放位置", level: .sensitive, required: true, bytesMax: 1_000),
            .init("media_type", "媒体类型", level: .open, bytesMax: 100),
            .init("bytes", "字节数", .integer, level: .open),
            .init("sha256", "SHA-256", level: .inner, bytesMax: 64),
            .init("sm3", "SM3", level: .inner, bytesMax: 64),
            .init("retention_until", "保存至", .timestamp, level: .inner),
        ], since: 7)

    // MARK: - 话务, 录音

    package static let callRecord = ResourceDefinition(
        "call_record", "话务记录",
        columns: [
            .init("direction", "呼叫方向", level: .open, codeList: "call_direction", required: true, bytesMax: 32),
            .init("arrival", "呼入时间", .timestamp, level: .inner, required: true),
            .init("ivr_out", "转人工时间", .timestamp, level: .inner),
            .init("queue_start", "排队开始", .timestamp, level: .inner),
            .init("answered", "接通时间", .timestamp, level: .inner),
            .init("hangup", "挂机时间", .timestamp, level: .inner),
            .init("queue_seconds", "排队时长", .integer, level: .open),
            .init("talk_seconds", "通话时长", .integer, level: .open),
            .init("seat", "坐席", level: .inner, bytesMax: 64),
            .init("queue", "队列", level: .open, bytesMax: 200),
            .init("disposition", "话务结果", level: .open, codeList: "call_disposition", required: true, bytesMax: 32),
            .init("caller", "主叫号码", level: .personal, bytesMax: 40),
            .init("linked_request", "关联工单", level: .inner, bytesMax: 80),
            .init("ext", "地方扩展", .json, level: .sensitive, bytesMax: 100_000),
        ],
        indexes: [["arrival"], ["linked_request"]])

    package static let recording = ResourceDefinition(
        "recording", "录音",
        columns: [
            .init("call_id", "话务", level: .inner, bytesMax: 80),
            .init("uri", "录音地址", level: .sensitive, required: true, bytesMax: 1_000),
            .init("sha256", "SHA-256", level: .inner, bytesMax: 64),
            .init("sm3", "SM3", level: .inner, bytesMax: 64),
            .init("duration", "时长(秒)", .integer, level: .open),
            .init("retention_until", "保存至", .timestamp, level: .inner),
            .init("ext", "地方扩展", .json, level: .sensitive, bytesMax: 100_000),
        ],
        indexes: [["call_id"]])

    // MARK: - 公告

    /// What a node tells the public (7.1.2 c). It goes down whole, so that whoever answers a citizen knows it.
    package static let announcement = ResourceDefinition(
        "announcement", "公告",
        columns: [
            .init("title", "标题", level: .open, required: true, bytesMax: 400),
            .init("content", "内容", level: .open, required: true, bytesMax: 100_000),
            .init("published_at", "发布时间", .timestamp, level: .open, required: true),
            .init("valid_until", "有效期至", .timestamp, level: .open),
            .init("region_code", "适用区划", level: .open, bytesMax: 12),
            .init("service_code", "问题分类", level: .open, bytesMax: 200),
            .init("withdrawn_at", "撤回时间", .timestamp, level: .open),
        ], flow: .byModeAndDown)

    /// A record of a ticket's thread: who did what to which ticket, when, in which round. It names the ticket's origin at
    /// the time of writing (design rule 4).
    private static func threadRecord(
        _ name: ResourceName, _ title: String, stage: Stage? = nil, columns: [ColumnDefinition], since: Int = 1
    ) -> ResourceDefinition {
        ResourceDefinition(
            name, title, stage: stage,
            columns: [
                .init("global_id", "全局标识", level: .open, required: true, bytesMax: 80),
                .init("ticket_origin", "工单归属节点", level: .open, required: true, bytesMax: 12),
                .init("occurred_at", "发生时间", .timestamp, level: .inner, required: true),
                .init("recorded_at", "记录时间", .timestamp, level: .inner),
                .init("round", "办理轮次", .integer, level: .open),
                .init("actor", "经办人", level: .inner, bytesMax: 100),
            ] + columns + [
                .init("ext", "地方扩展", .json, level: .sensitive, bytesMax: 100_000)
            ],
            indexes: [["global_id"]], since: since)
    }
}
