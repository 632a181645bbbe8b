import FederationModel
import Yams

/// The table of time limits.
extension ReferenceReader {
    private static let ruleKeys = [
        "title", "request_type", "urgency", "category", "node", "region", "dispatch", "accept", "handling", "return",
        "extension", "extension_times", "yellow_days", "start_day_counts", "due_at", "after_hours",
        "suspension_stops_clock",
    ]

    mutating func limits(_ entry: Entry, lists: CodeLists) -> [LimitRule] {
        var rules: [LimitRule] = []
        for node in list(entry) ?? [] {
            guard let entries = entries(of: node, in: "a rule", keys: Self.ruleKeys, required: ["title"]) else {
                continue
            }
            rules.append(rule(entries, lists: lists))
        }
        return rules
    }

    private mutating func rule(_ entries: [String: Entry], lists: CodeLists) -> LimitRule {
        var rule = LimitRule()
        rule.title = entries["title"].flatMap { name($0) } ?? ""
        rule.requestType = entries["request_type"].flatMap { code($0, of: "request_type", lists) }
        rule.urgency = entries["urgency"].flatMap { code($0, of: "urgency", lists) }
        rule.category = entries["category"].flatMap { code($0, of: ReferenceData.serviceList, lists) }
        rule.node = entries["node"].flatMap { place($0) }
        rule.region = entries["region"].flatMap { place($0) }
        rule.dispatch = entries["dispatch"].flatMap { limit($0) }
        rule.accept = entries["accept"].flatMap { limit($0) }
        rule.handling = entries["handling"].flatMap { limit($0) }
        rule.returning = entries["return"].flatMap { limit($0) }
        rule.extensionTotal = entries["extension"].flatMap { limit($0) }
        rule.extensionTimes = entries["extension_times"].flatMap { integer($0, 0...100) }
        rule.yellowDays = entries["yellow_days"].flatMap { integer($0, 0...100) }
        rule.startDayCounts = entries["start_day_counts"].flatMap { flag($0) }
        rule.dueAt = entries["due_at"].flatMap { word($0, LimitCounting.DueAt.allCases.map(\.rawValue)) }
            .flatMap { LimitCounting.DueAt(rawValue: $0) }
        rule.afterHours = entries["after_hours"].flatMap { afterHours($0) }
        rule.suspensionStopsClock = entries["suspension_stops_clock"].flatMap { flag($0) }
        return rule
    }

    private mutating func limit(_ entry: Entry) -> TimeLimit? {
        guard let text = text(entry) else { return nil }
        guard let limit = TimeLimit(text) else {
            note(
                "BAD_LIMIT", line: entry.line, "`\(entry.key)` is not a time limit",
                "write a number and its unit, such as `5 working_days`, `7 calendar_days` or `24 hours`")
            return nil
        }
        return limit
    }

    private mutating func code(_ entry: Entry, of list: String, _ lists: CodeLists) -> String? {
        guard let text = text(entry) else { return nil }
        guard let known = lists.named(list), known.contains(text) else {
            let codes = lists.named(list)?.entries.map(\.code) ?? []
            note(
                "UNKNOWN_CODE", line: entry.line, "`\(entry.key)` has a code that list \(list) does not have",
                codes.count <= 20 || nearestName(to: text, among: codes) != nil
                    ? suggestion(for: text, among: codes) : "see `federation-node reference show \(list)`")
            return nil
        }
        return text
    }

    private mutating func place(_ entry: Entry) -> String? {
        guard let text = text(entry) else { return nil }
        guard let node = NodeID(text) else {
            note(
                "BAD_CODE", line: entry.line, "`\(entry.key)` is not a code of 6 to 12 digits",
                "write it in quotes, such as \"370100\"")
            return nil
        }
        return node.code
    }

    private mutating func afterHours(_ entry: Entry) -> LimitCounting.AfterHours? {
        guard let text = text(entry) else { return nil }
        guard let rule = LimitCounting.AfterHours(text) else {
            note(
                "BAD_HOURS", line: entry.line, "`after_hours` is neither `at_once` nor office hours",
                "write `at_once`, or \"08:30-17:30\" to start at the next opening")
            return nil
        }
        return rule
    }

    private mutating func flag(_ entry: Entry) -> Bool? {
        word(entry, ["true", "false"]).map { $0 == "true" }
    }

    private mutating func word(_ entry: Entry, _ words: [String]) -> String? {
        guard let text = text(entry) else { return nil }
        guard words.contains(text) else {
            note(
                "UNKNOWN_WORD", line: entry.line, "unknown word in `\(entry.key)`", suggestion(for: text, among: words))
            return nil
        }
        return text
    }
}
