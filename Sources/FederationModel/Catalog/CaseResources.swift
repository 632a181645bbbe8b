/// What nodes do together about what numbers and texts show (design 9; clauses 7.1.1 b and c, 7.1.2, 7.2.1.2, 7.2.4): each is a thread of
/// records that go to whom the matter concerns, whatever the modes.
package enum CaseResources {
    package static let all: [ResourceDefinition] =
        [
            alert, alertAction, situation, situationStep, finding, measure, evaluationResult, evaluationObjection,
            report, reportSubscription, knowledgeArticle, detectionRule, evaluationScheme,
        ]

    // MARK: - 预警

    /// 预警: what a rule found at the node that wrote it. Several nodes may find the same: then it has the same `alert_id`.
    package static let alert = caseRecord(
        "alert", "预警", of: AlertKind.title,
        columns: [
            .init("rule", "规则", level: .open, required: true, bytesMax: 40),
            .init("rule_version", "规则版本", .integer, level: .open, required: true),
            .init("level", "级别", level: .open, codeList: "alert_level", required: true, bytesMax: 32),
            .init("kind", "情形", level: .open, codeList: "situation_kind", required: true, bytesMax: 32),
            .init("place", "地点区划", level: .open, bytesMax: 12),
            .init("category", "问题分类", level: .open, bytesMax: 200),
            .init("period", "时段", level: .open, required: true, bytesMax: 32),
            .init("decided_at", "触发时间", .timestamp, level: .inner, required: true),
            .init("tickets", "工单数", .integer, level: .inner, required: true),
            .init("persons", "人数", .integer, level: .inner, required: true),
            // JSON: global ids, figures, causes, receivers; never a text of a ticket.
            .init("evidence", "依据", level: .inner, required: true, bytesMax: 200_000),
            .init("nodes", "相关节点", level: .open, bytesMax: 10_000),
            .init("withdrawn_at", "撤销时间", .timestamp, level: .open),
        ])

    package static let alertAction = caseRecord(
        "alert_action", "预警处置", of: AlertKind.title,
        columns: [
            .init("action", "处置", level: .open, codeList: "alert_action", required: true, bytesMax: 32),
            .init("actor", "经办人", level: .inner, bytesMax: 100),
            .init("situation", "应急情形", level: .open, bytesMax: 80),
            .init("reason", "事由", level: .inner, bytesMax: 2_000),
        ])

    // MARK: - 应急情形

    /// 应急情形 (7.1.2): opened by one node, which leads it.
    package static let situation = caseRecord(
        "situation", "应急情形", of: SituationKind.title,
        columns: [
            .init("title", "标题", level: .inner, required: true, bytesMax: 400),
            .init("kind", "情形", level: .open, codeList: "situation_kind", required: true, bytesMax: 32),
            .init("level", "级别", level: .open, codeList: "alert_level", required: true, bytesMax: 32),
            .init("alert", "来源预警", level: .open, bytesMax: 80),
            .init("region_code", "区划", level: .open, bytesMax: 12),
            .init("category", "问题分类", level: .open, bytesMax: 200),
            .init("nodes", "相关节点", level: .open, bytesMax: 10_000),
        ])

    /// One line of its timeline.
    package static let situationStep = caseRecord(
        "situation_step", "情形进展", of: SituationKind.title,
        columns: [
            .init("step", "步骤", level: .open, codeList: "situation_step", required: true, bytesMax: 32),
            .init("actor", "经办人", level: .inner, bytesMax: 100),
            .init("ticket", "工单", level: .open, bytesMax: 80),
            .init("form", "反馈方式", level: .open, codeList: "delivery_form", bytesMax: 32),
            .init("unit", "单位", level: .open, bytesMax: 400),
            .init("node", "节点", level: .open, bytesMax: 12),
            // The notification that a step answers; the announcement or article that it names.
            .init("reference", "关联", level: .open, bytesMax: 120),
            .init("level", "级别", level: .open, codeList: "alert_level", bytesMax: 32),
            .init("note", "说明", level: .inner, bytesMax: 4_000),
        ])

    // MARK: - 问题发现, 改进措施

    package static let finding = caseRecord(
        "finding", "问题发现", of: FindingKind.title,
        columns: [
            .init("code", "问题", level: .open, required: true, bytesMax: 40),
            .init("subject", "对象", level: .open, required: true, bytesMax: 400),
            .init("unit", "单位", level: .open, bytesMax: 400),
            .init("extent", "程度", level: .open, required: true, bytesMax: 400),
            .init("tickets", "工单数", .integer, level: .inner, required: true),
            .init("nodes", "相关节点", level: .open, bytesMax: 10_000),
        ])

    package static let measure = caseRecord(
        "measure", "改进措施", of: FindingKind.title,
        columns: [
            .init("kind", "类型", level: .open, codeList: "measure_kind", required: true, bytesMax: 32),
            .init("step", "步骤", level: .open, codeList: "measure_step", required: true, bytesMax: 32),
            .init("owner", "责任单位", level: .open, bytesMax: 400),
            .init("due_datetime", "完成时限", .timestamp, level: .open),
            // The article of the knowledge base that it is, or that came of it.
            .init("reference", "关联词条", level: .open, bytesMax: 120),
            .init("note", "说明", level: .inner, bytesMax: 4_000),
        ])

    // MARK: - 评价

    /// 评价结果 (7.2.4): of one hotline or unit in one period, for itself alone.
    package static let evaluationResult = caseRecord(
        "evaluation_result", "评价结果", of: EvaluationKind.title,
        columns: [
            .init("scheme", "评价方案", level: .open, required: true, bytesMax: 80),
            .init("scheme_version", "方案版本", .integer, level: .open, required: true),
            .init("period", "周期", level: .open, required: true, bytesMax: 32),
            .init("evaluatee", "评价对象", level: .open, required: true, bytesMax: 400),
            .init("node", "对象所属节点", level: .open, required: true, bytesMax: 12),
            .init("score", "得分", .real, level: .inner),
            .init("lower", "区间下限", .real, level: .inner),
            .init("upper", "区间上限", .real, level: .inner),
            .init("grade", "档次", level: .inner, bytesMax: 40),
            // JSON: the parts, what was missing and excluded, quartiles of the others.
            .init("detail", "明细", level: .inner, bytesMax: 100_000),
        ])

    package static let evaluationObjection = caseRecord(
        "evaluation_objection", "评价异议", of: EvaluationKind.title,
        columns: [
            .init("ticket", "工单", level: .open, required: true, bytesMax: 80),
            .init("step", "步骤", level: .open, codeList: "objection_step", required: true, bytesMax: 32),
            .init("reason", "理由", level: .inner, bytesMax: 4_000),
            .init("score_before", "复核前得分", .real, level: .inner),
            .init("score_after", "复核后得分", .real, level: .inner),
        ])

    /// 评价方案: goes down before the period that it is for, so that whoever is evaluated knows it.
    package static let evaluationScheme = ResourceDefinition(
        "evaluation_scheme", "评价方案",
        columns: [
            .init("scheme", "评价方案", level: .open, required: true, bytesMax: 80),
            .init("scheme_version", "版本", .integer, level: .open, required: true),
            .init("title", "标题", level: .open, required: true, bytesMax: 400),
            .init("published_at", "发布时间", .timestamp, level: .open, required: true),
            // YAML, as it was written.
            .init("content", "内容", level: .open, required: true, bytesMax: 200_000),
        ], flow: .byModeAndDown, since: 8)

    // MARK: - 知识, 规则

    /// 知识库条目: what whoever answers citizens may say. It goes down whole.
    package static let knowledgeArticle = ResourceDefinition(
        "knowledge_article", "知识库条目",
        columns: [
            .init("question", "问题", level: .open, required: true, bytesMax: 2_000),
            .init("answer", "答案", level: .open, required: true, bytesMax: 100_000),
            .init("source", "来源依据", level: .open, bytesMax: 1_000),
            .init("published_at", "发布时间", .timestamp, level: .open, required: true),
            .init("valid_until", "有效期至", .timestamp, level: .open),
            .init("region_code", "适用区划", level: .open, bytesMax: 12),
            .init("service_code", "问题分类", level: .open, bytesMax: 200),
            .init("withdrawn_at", "撤回时间", .timestamp, level: .open),
        ], flow: .byModeAndDown, since: 8)

    /// 预警规则: those of the nodes above hold below, as code lists do; a node adds its own.
    package static let detectionRule = ResourceDefinition(
        "detection_rule", "预警规则",
        columns: [
            .init("rule", "规则", level: .open, required: true, bytesMax: 40),
            .init("rule_version", "版本", .integer, level: .open, required: true),
            .init("published_at", "发布时间", .timestamp, level: .open, required: true),
            // JSON: `DetectionRule`.
            .init("content", "内容", level: .inner, required: true, bytesMax: 500_000),
        ], flow: .byModeAndDown, since: 8)

    // MARK: - 分析报告

    /// 分析报告 (7.2.1.1): one revision of a report, which stays when another follows. All reports of a kind by one node are a thread.
    package static let report = caseRecord(
        "report", "分析报告", of: ReportSeriesKind.title,
        columns: [
            .init("number", "编号", level: .open, required: true, bytesMax: 120),
            .init("revision", "修订", .integer, level: .open, required: true),
            .init("kind", "类型", level: .open, codeList: "report_kind", required: true, bytesMax: 32),
            .init("period", "期间", level: .open, required: true, bytesMax: 32),
            .init("title", "标题", level: .open, required: true, bytesMax: 400),
            .init("edition", "版本", level: .open, codeList: "report_edition", required: true, bytesMax: 32),
            // JSON: what differs from the revision before.
            .init("changes", "变化", level: .inner, bytesMax: 300_000),
            // JSON: `ReportDocument`.
            .init("document", "正文", level: .inner, required: true, bytesMax: 700_000),
        ])

    /// 报告订阅: a node that gets all reports of a series, as the node that makes them says.
    package static let reportSubscription = caseRecord(
        "report_subscription", "报告订阅", of: ReportSeriesKind.title,
        columns: [
            .init("node", "订阅节点", level: .open, required: true, bytesMax: 12),
            .init("ended_at", "终止时间", .timestamp, level: .open),
        ])

    /// A record of a case: it names its thread, and when it happened.
    private static func caseRecord(
        _ name: ResourceName, _ title: String, of kind: String, columns: [ColumnDefinition]
    ) -> ResourceDefinition {
        let key = CaseRecord.key(of: kind)
        return ResourceDefinition(
            name, title,
            columns: [
                .init(key, "标识", level: .open, required: true, bytesMax: 80),
                .init("occurred_at", "发生时间", .timestamp, level: .inner, required: true),
            ] + columns, indexes: [[key]], flow: .byAudience, since: 8, thread: ThreadLink(kind: kind, column: key))
    }
}
