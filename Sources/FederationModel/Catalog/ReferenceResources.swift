/// Reference data as resources: code lists with regions and service codes, the calendar, the limit rules. The top node
/// owns them (clause 4.3, domain model 6.2). Every release is a set of rows of its own, so an earlier one can be read again.
package enum ReferenceResources {
    package static let all: [ResourceDefinition] = [release, code, calendarDay, limitRule]

    /// One line for each release, written with its rows: a node that does not have all `row_count` of them waits.
    package static let release = ResourceDefinition(
        "reference_release", "基础数据版本",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("row_count", "条目数", .integer, level: .open, required: true),
        ], flow: .down)

    /// A file of indicators, as the top node published it. It has releases of its own, so it is no part of `all`.
    package static let indicatorFile = ResourceDefinition(
        "indicator_file", "指标定义",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("text", "内容", level: .open, required: true, bytesMax: 200_000),
        ], flow: .down, since: 8)

    package static let code = ResourceDefinition(
        "code_list_entry", "代码表条目",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("list", "代码表", level: .open, required: true, bytesMax: 64),
            .init("list_title", "代码表名称", level: .open, required: true, bytesMax: 400),
            .init("code", "代码", level: .open, required: true, bytesMax: 200),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("english", "英文名称", level: .open, bytesMax: 400),
            .init("parent", "上级代码", level: .open, bytesMax: 200),
            .init("valid_from", "启用日期", level: .open, bytesMax: 10),
            .init("valid_to", "停用日期", level: .open, bytesMax: 10),
            .init("successor", "替代代码", level: .open, bytesMax: 200),
            .init("node", "所属节点", level: .open, bytesMax: 12),
        ], flow: .down)

    package static let calendarDay = ResourceDefinition(
        "work_calendar", "工作日历",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("year", "年份", .integer, level: .open, required: true),
            .init("day", "日期", level: .open, required: true, bytesMax: 10),
            .init("kind", "日期类型", level: .open, codeList: "day_kind", required: true, bytesMax: 32),
            .init("title", "节日", level: .open, bytesMax: 400),
        ], flow: .down)

    package static let limitRule = ResourceDefinition(
        "limit_rule", "时限规则",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("ordinal", "序号", .integer, level: .open, required: true),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("request_type", "诉求类型", level: .open, bytesMax: 32),
            .init("urgency", "紧急程度", level: .open, bytesMax: 32),
            .init("category", "问题分类", level: .open, bytesMax: 200),
            .init("node", "节点", level: .open, bytesMax: 12),
            .init("region", "区划", level: .open, bytesMax: 12),
            .init("dispatch", "派单时限", level: .open, bytesMax: 40),
            .init("accept", "签收时限", level: .open, bytesMax: 40),
            .init("handling", "办理时限", level: .open, bytesMax: 40),
            .init("return", "退单时限", level: .open, bytesMax: 40),
            .init("extension", "延期上限", level: .open, bytesMax: 40),
            .init("extension_times", "延期次数", .integer, level: .open),
            .init("yellow_days", "黄牌提前工作日", .integer, level: .open),
            .init("start_day_counts", "当日起算", .boolean, level: .open),
            .init("due_at", "到期时刻", level: .open, codeList: "due_at", bytesMax: 32),
            .init("after_hours", "非工作时间派单", level: .open, bytesMax: 32),
            .init("suspension_stops_clock", "暂停计时", .boolean, level: .open),
        ], flow: .down)
}
