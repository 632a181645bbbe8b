/// Reference data as rows of the top node, and back.
extension ReferenceData {
    /// One record for each code, day and rule, and one for the release itself. Keys hold the version, so a new release
    /// leaves the rows of the earlier one as they were.
    package var records: [IntakeRecord] {
        var rows: [IntakeRecord] = []
        for list in additions { rows += list.entries.map { record(of: $0, list) } }
        for notice in notices {
            for (day, title) in notice.holidays { rows.append(record(of: day, notice, kind: "holiday", title)) }
            for day in notice.workingDays { rows.append(record(of: day, notice, kind: "working", nil)) }
            for (day, title) in notice.specialDays { rows.append(record(of: day, notice, kind: "special", title)) }
        }
        for (index, rule) in limits.rules.enumerated() { rows.append(record(of: rule, ordinal: index + 1)) }
        rows.append(
            IntakeRecord(
                resource: ReferenceResources.release.name, key: "\(version)",
                fields: [
                    "release": .integer(version), "title": .text(title), "row_count": .integer(Int64(rows.count)),
                ]))
        return rows
    }

    private func record(of entry: CodeList.Entry, _ list: CodeList) -> IntakeRecord {
        var fields: [String: FieldValue] = [
            "release": .integer(version), "list": .text(list.name), "list_title": .text(list.title),
            "code": .text(entry.code), "title": .text(entry.title),
        ]
        fields["english"] = entry.english.isEmpty ? nil : .text(entry.english)
        fields["parent"] = entry.parent.map { .text($0) }
        fields["valid_from"] = entry.validFrom.map { .text(CivilDate.text(dayNumber: $0)) }
        fields["valid_to"] = entry.validTo.map { .text(CivilDate.text(dayNumber: $0)) }
        fields["successor"] = entry.successor.map { .text($0) }
        fields["node"] = entry.node.map { .text($0) }
        let start = entry.validFrom.map { ".\(CivilDate.text(dayNumber: $0))" } ?? ""
        return IntakeRecord(
            resource: ReferenceResources.code.name, key: "\(version).\(list.name).\(entry.code)\(start)",
            fields: fields)
    }

    private func record(of day: Int64, _ notice: HolidayNotice, kind: String, _ title: String?) -> IntakeRecord {
        let date = CivilDate.text(dayNumber: day)
        var fields: [String: FieldValue] = [
            "release": .integer(version), "year": .integer(Int64(notice.year)), "day": .text(date), "kind": .text(kind),
        ]
        fields["title"] = title.map { .text($0) }
        // A special day may be a holiday as well.
        let end = kind == "special" ? ".special" : ""
        return IntakeRecord(
            resource: ReferenceResources.calendarDay.name, key: "\(version).\(notice.year).\(date)\(end)",
            fields: fields)
    }

    private func record(of rule: LimitRule, ordinal: Int) -> IntakeRecord {
        var fields: [String: FieldValue] = [
            "release": .integer(version), "ordinal": .integer(Int64(ordinal)), "title": .text(rule.title),
        ]
        let texts = [
            "request_type": rule.requestType, "urgency": rule.urgency, "category": rule.category, "node": rule.node,
            "region": rule.region, "dispatch": rule.dispatch?.text, "accept": rule.accept?.text,
            "handling": rule.handling?.text, "return": rule.returning?.text, "extension": rule.extensionTotal?.text,
            "due_at": rule.dueAt?.rawValue, "after_hours": rule.afterHours?.text,
        ]
        for (name, text) in texts { fields[name] = text.map { .text($0) } }
        fields["extension_times"] = rule.extensionTimes.map { .integer(Int64($0)) }
        fields["yellow_days"] = rule.yellowDays.map { .integer(Int64($0)) }
        fields["start_day_counts"] = rule.startDayCounts.map { .integer($0 ? 1 : 0) }
        fields["suspension_stops_clock"] = rule.suspensionStopsClock.map { .integer($0 ? 1 : 0) }
        return IntakeRecord(
            resource: ReferenceResources.limitRule.name, key: "\(version).\(ordinal)", fields: fields)
    }

    /// The newest release that is here whole; nil when there is none.
    ///
    /// - Parameter rows: the top node's live rows of the resources of ``ReferenceResources``.
    package init?(rows: [IntakeRecord]) {
        var releases: [Int64: (title: String, rowCount: Int64)] = [:]
        for row in rows where row.resource == ReferenceResources.release.name {
            guard let version = row.fields["release"]?.integer else { continue }
            releases[version] = (row.fields["title"]?.text ?? "", row.fields["row_count"]?.integer ?? -1)
        }
        for (version, release) in releases.sorted(by: { $0.key > $1.key }) {
            let parts = rows.filter {
                $0.resource != ReferenceResources.release.name && $0.fields["release"]?.integer == version
            }
            if Int64(parts.count) == release.rowCount {
                self.init(version: version, title: release.title, parts: parts)
                return
            }
        }
        return nil
    }

    private init(version: Int64, title: String, parts: [IntakeRecord]) {
        var lists: [String: (title: String, entries: [CodeList.Entry])] = [:]
        var days: [Int: [(day: Int64, kind: String, title: String)]] = [:]
        var rules: [(ordinal: Int64, rule: LimitRule)] = []
        for part in parts {
            func text(_ name: String) -> String? { part.fields[name]?.text }
            switch part.resource {
            case ReferenceResources.code.name:
                guard let list = text("list"), let entry = CodeList.Entry(fields: part.fields) else { continue }
                lists[list, default: (text("list_title") ?? list, [])].entries.append(entry)
            case ReferenceResources.calendarDay.name:
                guard let year = part.fields["year"]?.integer, let day = text("day").flatMap(CivilDate.dayNumber) else {
                    continue
                }
                days[Int(year), default: []].append((day, text("kind") ?? "", text("title") ?? ""))
            case ReferenceResources.limitRule.name:
                rules.append((part.fields["ordinal"]?.integer ?? .max, LimitRule(fields: part.fields)))
            default: continue
            }
        }
        self.init(
            version: version, title: title,
            additions: lists.sorted { $0.key < $1.key }.map { name, list in
                CodeList(
                    name: name, title: list.title,
                    entries: list.entries.sorted { ($0.code, $0.validFrom ?? .min) < ($1.code, $1.validFrom ?? .min) })
            },
            notices: days.sorted { $0.key < $1.key }.map { year, days in
                func titles(_ kind: String) -> [Int64: String] {
                    Dictionary(
                        days.filter { $0.kind == kind }.map { ($0.day, $0.title) },
                        uniquingKeysWith: { first, _ in first })
                }
                return HolidayNotice(
                    year: year, holidays: titles("holiday"),
                    workingDays: Set(days.filter { $0.kind == "working" }.map(\.day)), specialDays: titles("special"))
            },
            limits: LimitRules(rules.sorted { $0.ordinal < $1.ordinal }.map(\.rule)))
    }
}

extension CodeList.Entry {
    fileprivate init?(fields: [String: FieldValue]) {
        guard let code = fields["code"]?.text, let title = fields["title"]?.text else { return nil }
        self.init(
            code: code, title: title, english: fields["english"]?.text ?? "", parent: fields["parent"]?.text,
            validFrom: fields["valid_from"]?.text.flatMap(CivilDate.dayNumber),
            validTo: fields["valid_to"]?.text.flatMap(CivilDate.dayNumber), successor: fields["successor"]?.text,
            node: fields["node"]?.text)
    }
}

extension LimitRule {
    fileprivate init(fields: [String: FieldValue]) {
        self.init()
        func limit(_ name: String) -> TimeLimit? { fields[name]?.text.flatMap { TimeLimit($0) } }
        func integer(_ name: String) -> Int? { fields[name]?.integer.flatMap { Int(exactly: $0) } }
        title = fields["title"]?.text ?? ""
        requestType = fields["request_type"]?.text
        urgency = fields["urgency"]?.text
        category = fields["category"]?.text
        node = fields["node"]?.text
        region = fields["region"]?.text
        dispatch = limit("dispatch")
        accept = limit("accept")
        handling = limit("handling")
        returning = limit("return")
        extensionTotal = limit("extension")
        extensionTimes = integer("extension_times")
        yellowDays = integer("yellow_days")
        startDayCounts = fields["start_day_counts"]?.integer.map { $0 != 0 }
        dueAt = fields["due_at"]?.text.flatMap { LimitCounting.DueAt(rawValue: $0) }
        afterHours = fields["after_hours"]?.text.flatMap { LimitCounting.AfterHours($0) }
        suspensionStopsClock = fields["suspension_stops_clock"]?.integer.map { $0 != 0 }
    }
}
