import FederationModel

/// A part of the reference data, as `reference show` prints it.
protocol ReferenceReport: Encodable {
    var text: String { get }
}

struct ReferenceSummary: ReferenceReport {
    struct List: Encodable {
        let name: String
        let title: String
        let codes: Int
    }

    let version: Int64
    let title: String
    let calendarYears: [Int]
    let limitRules: Int
    let lists: [List]

    init(_ data: ReferenceData) {
        version = data.version
        title = data.title
        calendarYears = data.calendar.years.sorted()
        limitRules = data.limits.rules.count
        lists = data.lists.all.map { List(name: $0.name, title: $0.title, codes: $0.entries.count) }
    }

    var text: String {
        var table = TextTable(header: ["代码表", "名称", "代码数"])
        for list in lists { table.append([list.name, list.title, "\(list.codes)"]) }
        let years = calendarYears.isEmpty ? "无(仅周末)" : calendarYears.map(String.init).joined(separator: "、")
        return "\(title)  版本 \(version)\n工作日历 \(years)  时限规则 \(limitRules) 条\n\(table.text)"
    }
}

struct CodeListReport: ReferenceReport {
    struct Entry: Encodable {
        let code: String
        let title: String
        let english: String
        let level: Int
        let parent: String?
        let validFrom: String?
        let validTo: String?
        let successor: String?
        /// Of a unit, the node that it belongs to.
        let node: String?
    }

    let name: String
    let title: String
    let codes: [Entry]

    /// - Parameter day: only what was valid then; nil for everything.
    init(_ list: CodeList, on day: Int64?) {
        name = list.name
        title = list.title
        codes = list.entries.filter { entry in day.map { entry.isValid(on: $0) } ?? true }.map { entry in
            Entry(
                code: entry.code, title: entry.title, english: entry.english, level: list.path(to: entry.code).count,
                parent: entry.parent, validFrom: entry.validFrom.map { CivilDate.text(dayNumber: $0) },
                validTo: entry.validTo.map { CivilDate.text(dayNumber: $0) }, successor: entry.successor,
                node: entry.node)
        }
    }

    var text: String {
        // Units alone have a node.
        let hasNodes = codes.contains { $0.node != nil }
        var table = TextTable(
            header: ["代码", "名称", "级别", "上级", "启用", "停用", "替代"] + (hasNodes ? ["所属节点"] : []))
        for entry in codes {
            table.append(
                [
                    entry.code, entry.title, "\(entry.level)", entry.parent ?? "–", entry.validFrom ?? "–",
                    entry.validTo ?? "–", entry.successor ?? "–",
                ] + (hasNodes ? [entry.node ?? "–"] : []))
        }
        return "\(name) \(title)\n\(table.text)"
    }
}

struct CalendarReport: ReferenceReport {
    struct Day: Encodable {
        let day: String
        let isWorkingDay: Bool
        let title: String
    }

    let years: [Int]
    let days: [Day]
    /// Whether the day that was asked for is a working day.
    var isWorkingDay: Bool?

    /// - Parameter day: the day to ask for; nil for all days that differ from weekends.
    init(_ data: ReferenceData, on day: Int64?) {
        years = data.calendar.years.sorted()
        let all = data.notices.flatMap { notice in
            notice.holidays.map { ($0.key, false, $0.value) } + notice.workingDays.map { ($0, true, "调休上班") }
                + notice.specialDays.map { ($0.key, data.calendar.isWorkingDay($0.key), $0.value) }
        }.sorted { $0.0 < $1.0 }
        days = all.filter { entry in day.map { $0 == entry.0 } ?? true }.map {
            Day(day: CivilDate.text(dayNumber: $0.0), isWorkingDay: $0.1, title: $0.2)
        }
        isWorkingDay = day.map { data.calendar.isWorkingDay($0) }
    }

    var text: String {
        var table = TextTable(header: ["日期", "类型", "说明"])
        for day in days { table.append([day.day, day.isWorkingDay ? "上班" : "放假", day.title]) }
        let asked = isWorkingDay.map { $0 ? "\n工作日" : "\n非工作日" } ?? ""
        return "工作日历 \(years.map(String.init).joined(separator: "、"))\n\(table.text)\(asked)"
    }
}

struct LimitsReport: ReferenceReport {
    struct Rule: Encodable {
        let title: String
        let conditions: [String: String]
        let dispatch: String?
        let accept: String?
        let handling: String?
        let returning: String?
        let extensionTotal: String?
        let extensionTimes: Int?
    }

    let rules: [Rule]

    init(_ data: ReferenceData) {
        rules = data.limits.rules.map { rule in
            var conditions: [String: String] = [:]
            conditions["request_type"] = rule.requestType
            conditions["urgency"] = rule.urgency
            conditions["category"] = rule.category
            conditions["node"] = rule.node
            conditions["region"] = rule.region
            return Rule(
                title: rule.title, conditions: conditions, dispatch: rule.dispatch?.text, accept: rule.accept?.text,
                handling: rule.handling?.text, returning: rule.returning?.text,
                extensionTotal: rule.extensionTotal?.text, extensionTimes: rule.extensionTimes)
        }
    }

    var text: String {
        var table = TextTable(header: ["规则", "条件", "派单", "签收", "办理", "退单", "延期", "次数"])
        for rule in rules {
            let conditions = rule.conditions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            table.append([
                rule.title, conditions.isEmpty ? "–" : conditions.joined(separator: " "), rule.dispatch ?? "–",
                rule.accept ?? "–", rule.handling ?? "–", rule.returning ?? "–", rule.extensionTotal ?? "–",
                rule.extensionTimes.map(String.init) ?? "–",
            ])
        }
        return table.text
    }
}
