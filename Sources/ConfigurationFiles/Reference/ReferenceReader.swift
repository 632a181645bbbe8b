import FederationModel
import Yams

/// What this kind of file adds to reading YAML key by key.
typealias ReferenceReader = YAMLReader

extension ReferenceReader {
    /// - Returns: nil when the file is not even a mapping; what else is wrong is noted.
    mutating func data(from root: Node) -> ReferenceData? {
        guard
            let entries = entries(
                of: root, in: "the file",
                keys: ["version", "title", "calendar", "limits", "regions", "service_codes", "population", "lists"],
                required: ["version", "title"])
        else { return nil }
        let version = entries["version"].flatMap { integer($0, 1...1_000_000) } ?? 0
        let title = entries["title"].flatMap { name($0) } ?? ""
        let notices = entries["calendar"].map { calendar($0) } ?? []
        var lists = entries["lists"].map { codeLists($0) } ?? []
        if let entry = entries["regions"] {
            lists.append(
                CodeList(
                    name: ReferenceData.regionList, title: "行政区划",
                    entries: codes(entry, parent: regionParent, isCode: { NodeID($0) != nil })))
        }
        if let entry = entries["service_codes"] {
            lists.append(
                CodeList(
                    name: ReferenceData.serviceList, title: "问题分类",
                    entries: codes(entry, parent: serviceParent, isCode: isCode)))
        }
        if let entry = entries["population"] { lists.append(Population.list(population(entry, lists))) }
        let additions = lists.sorted { $0.name < $1.name }
        let known = CodeLists.builtIn.adding(additions)
        let rules = entries["limits"].map { limits($0, lists: known) } ?? []
        return ReferenceData(
            version: Int64(version), title: title, additions: additions, notices: notices, limits: LimitRules(rules))
    }

    // MARK: - Calendar

    private mutating func calendar(_ entry: Entry) -> [HolidayNotice] {
        var notices: [HolidayNotice] = []
        for node in list(entry) ?? [] {
            guard let notice = notice(node) else { continue }
            if notices.contains(where: { $0.year == notice.year }) {
                note(
                    "DUPLICATE_YEAR", line: node.mark?.line ?? 1, "the year \(notice.year) is listed twice",
                    "keep one of the two")
            } else {
                notices.append(notice)
            }
        }
        return notices.sorted { $0.year < $1.year }
    }

    private mutating func notice(_ node: Node) -> HolidayNotice? {
        guard
            let entries = entries(
                of: node, in: "a year", keys: ["year", "holidays", "working", "special"],
                required: ["year", "holidays", "working"]),
            let year = entries["year"].flatMap({ integer($0, 1_970...2_999) })
        else { return nil }
        var holidays: [Int64: String] = [:]
        for item in entries["holidays"].flatMap({ list($0) }) ?? [] {
            for (day, title) in days(item, of: year, in: "a holiday", longest: 31) { holidays[day] = title }
        }
        var workingDays: Set<Int64> = []
        for item in entries["working"].flatMap({ list($0) }) ?? [] {
            let entry = Entry(key: "working", value: item)
            guard let day = day(entry, around: year) else { continue }
            if !WorkCalendar.isWeekend(day) || holidays[day] != nil {
                note(
                    "NOT_WEEKEND", line: entry.line, "a day in `working` is no Saturday or Sunday, or a holiday",
                    "list only weekend days that are worked (调休)")
            }
            workingDays.insert(day)
        }
        var special: [Int64: String] = [:]
        for item in entries["special"].flatMap({ list($0) }) ?? [] {
            for (day, title) in days(item, of: year, in: "a special date", longest: 366) {
                special[day] = special[day].map { "\($0)、\(title)" } ?? title
            }
        }
        return HolidayNotice(year: year, holidays: holidays, workingDays: workingDays, specialDays: special)
    }

    /// Some days that have one title.
    private mutating func days(
        _ item: Node, of year: Int, in what: String, longest: Int64
    ) -> [(day: Int64, title: String)] {
        guard
            let entries = entries(
                of: item, in: what, keys: ["title", "from", "to"], required: ["title", "from", "to"]),
            let title = entries["title"].flatMap({ name($0) }),
            let first = entries["from"].flatMap({ day($0, around: year) }),
            let last = entries["to"].flatMap({ day($0, around: year) })
        else { return [] }
        guard first <= last, last - first < longest else {
            note(
                "BAD_DAY", line: item.mark?.line ?? 1,
                "\(what) ends before it begins, or lasts over \(longest) days", "correct `from` or `to`")
            return []
        }
        return (first...last).map { ($0, title) }
    }

    /// A notice may reach into the last days of the year before and the first of the year after.
    private mutating func day(_ entry: Entry, around year: Int) -> Int64? {
        guard let day = day(entry) else { return nil }
        guard abs(CivilDate.date(dayNumber: day).year - year) <= 1 else {
            note("BAD_DAY", line: entry.line, "a day of another year than \(year)", "put it under its own year")
            return nil
        }
        return day
    }

    // MARK: - Population

    private mutating func population(_ entry: Entry, _ lists: [CodeList]) -> [Population.Entry] {
        let regions = lists.first { $0.name == ReferenceData.regionList }
        var found: [Population.Entry] = []
        for node in list(entry) ?? [] {
            let keys = ["region", "year", "persons"]
            guard let entries = entries(of: node, in: "a population", keys: keys, required: keys),
                let regionEntry = entries["region"], let region = text(regionEntry),
                let year = entries["year"].flatMap({ integer($0, 1_949...2_999) }),
                let persons = entries["persons"].flatMap({ integer($0, 1...2_000_000_000) })
            else { continue }
            guard regions?.contains(region) == true else {
                note(
                    "UNKNOWN_CODE", line: regionEntry.line, "`region` has a code that list region does not have",
                    "add it to `regions`, or correct it")
                continue
            }
            if found.contains(where: { $0.region == region && $0.year == year }) {
                note(
                    "DUPLICATE_CODE", line: regionEntry.line, "the population of a region stands twice for one year",
                    "keep one of the two")
                continue
            }
            found.append(Population.Entry(region: region, year: year, persons: Int64(persons)))
        }
        return found
    }

    // MARK: - Code lists

    private mutating func codeLists(_ entry: Entry) -> [CodeList] {
        var lists: [CodeList] = []
        for node in list(entry) ?? [] {
            let keys = ["name", "title", "codes"]
            guard let entries = entries(of: node, in: "a code list", keys: keys, required: keys),
                let nameEntry = entries["name"], let name = text(nameEntry),
                let title = entries["title"].flatMap({ self.name($0) }), let codesEntry = entries["codes"]
            else { continue }
            let ownKeys = [ReferenceData.regionList, ReferenceData.serviceList, ReferenceData.populationList]
            guard isName(name), !ownKeys.contains(name),
                !lists.contains(where: { $0.name == name })
            else {
                note(
                    "BAD_LIST_NAME", line: nameEntry.line, "the list name \(quoted(name)) can't be used",
                    "lower-case letters, digits and _, each list once; regions and service codes have keys of their own"
                )
                continue
            }
            let list = CodeList(
                name: name, title: title,
                entries: codes(
                    codesEntry, parent: { _, _ in nil }, isCode: isCode,
                    moreKeys: name == ReferenceData.unitList ? ["node"] : []))
            if name == ReferenceData.officeHoursList { checkHours(list, line: codesEntry.line) }
            lists.append(list)
        }
        return lists
    }

    /// Office hours that are hours, and of which no two overlap while both are in force.
    private mutating func checkHours(_ list: CodeList, line: Int) {
        let spans = list.entries.map { WorkHours.Span(code: $0.code, validFrom: $0.validFrom, validTo: $0.validTo) }
        let known = spans.compactMap(\.self)
        let overlap = known.enumerated().contains { index, span in
            known[..<index].contains { other in
                span.opens < other.closes && other.opens < span.closes
                    && (span.validFrom ?? .min) <= (other.validTo ?? .max)
                    && (other.validFrom ?? .min) <= (span.validTo ?? .max)
            }
        }
        guard known.count < spans.count || overlap else { return }
        note(
            "BAD_HOURS", line: line, "a code of `office_hours` is no span of a day, or two of them overlap",
            "write opening and closing time, such as \"0830-1200\" and \"1330-1730\"")
    }

    /// - Parameters:
    ///   - parent: the parent of a code that names none, among the codes of the list.
    ///   - isCode: whether a text has the shape of a code of this list.
    ///   - moreKeys: what a code of this list may have beside what all have.
    private mutating func codes(
        _ entry: Entry, parent: (String, Set<String>) -> String?, isCode: (String) -> Bool, moreKeys: [String] = []
    ) -> [CodeList.Entry] {
        var found: [Located<CodeList.Entry>] = []
        for node in list(entry) ?? [] {
            if let code = code(node, isCode: isCode, moreKeys: moreKeys) { found.append(code) }
        }
        let codes = Set(found.map(\.value.code))
        check(found, codes)
        return found.map(\.value).map { entry in
            CodeList.Entry(
                code: entry.code, title: entry.title, english: entry.english,
                parent: entry.parent ?? parent(entry.code, codes), validFrom: entry.validFrom, validTo: entry.validTo,
                successor: entry.successor, node: entry.node)
        }.sorted { ($0.code, $0.validFrom ?? .min) < ($1.code, $1.validFrom ?? .min) }
    }

    private mutating func code(
        _ node: Node, isCode: (String) -> Bool, moreKeys: [String]
    ) -> Located<CodeList.Entry>? {
        guard
            let entries = entries(
                of: node, in: "a code",
                keys: ["code", "title", "english", "parent", "valid_from", "valid_to", "successor"] + moreKeys,
                required: ["code", "title"]),
            let codeEntry = entries["code"], let code = text(codeEntry),
            let title = entries["title"].flatMap({ name($0) })
        else { return nil }
        guard isCode(code) else {
            note(
                "BAD_CODE", line: codeEntry.line, "\(quoted(code)) is not a code of this list",
                "regions have 6 to 12 digits, other codes letters, digits, `.`, `_` and `-`; put quotes around digits")
            return nil
        }
        let english = entries["english"].flatMap { name($0) } ?? ""
        let validFrom = entries["valid_from"].flatMap { day($0) }
        let validTo = entries["valid_to"].flatMap { day($0) }
        let unitNode = entries["node"].flatMap { text($0) }
        if let entry = entries["node"], let unitNode, NodeID(unitNode) == nil {
            note(
                "BAD_CODE", line: entry.line, "`node` is no code of a node", "nodes have 6 to 12 digits, in quotes")
        }
        return Located(
            value: CodeList.Entry(
                code: code, title: title, english: english, parent: entries["parent"].flatMap { text($0) },
                validFrom: validFrom, validTo: validTo, successor: entries["successor"].flatMap { text($0) },
                node: unitNode),
            line: codeEntry.line)
    }

    /// Validity that makes sense, no code twice at one time, parents and successors that exist, and no circle of them.
    private mutating func check(_ found: [Located<CodeList.Entry>], _ codes: Set<String>) {
        let byCode = Dictionary(grouping: found, by: \.value.code)
        for (entry, line) in found.map({ ($0.value, $0.line) }) {
            if (entry.validFrom ?? .min) > (entry.validTo ?? .max) {
                note("BAD_VALIDITY", line: line, "the code ends before it begins", "correct `valid_from` or `valid_to`")
            }
            if let other = byCode[entry.code]?.first(where: { $0.line < line && overlap($0.value, entry) }) {
                note(
                    "DUPLICATE_CODE", line: line, "the code stands in line \(other.line) for the same time already",
                    "give each meaning its own `valid_from` and `valid_to`")
            }
            for (key, target) in [("parent", entry.parent), ("successor", entry.successor)] {
                guard let target, !codes.contains(target) || target == entry.code else { continue }
                note(
                    "UNKNOWN_CODE", line: line, "its \(key) \(quoted(target)) is not another code of this list",
                    nearestName(to: target, among: codes.sorted()).map { "did you mean \"\($0)\"?" } ?? "add it")
            }
            if entry.successor != nil, entry.validTo == nil {
                note("BAD_VALIDITY", line: line, "a code with a successor has no `valid_to`", "add its last day")
            }
        }
        let list = CodeList(name: "", title: "", entries: found.map(\.value))
        for (entry, line) in found.map({ ($0.value, $0.line) }) where isCircle(entry.code, list) {
            note("CYCLE", line: line, "its successors or parents go round in a circle", "break it")
        }
    }

    private func overlap(_ a: CodeList.Entry, _ b: CodeList.Entry) -> Bool {
        (a.validFrom ?? .min) <= (b.validTo ?? .max) && (b.validFrom ?? .min) <= (a.validTo ?? .max)
    }

    private func isCircle(_ start: String, _ list: CodeList) -> Bool {
        for next in [\CodeList.Entry.successor, \CodeList.Entry.parent] {
            var code = start
            for _ in 0...CodeList.stepsMax {
                guard let entry = list.entry(code), let target = entry[keyPath: next] else { break }
                if target == start { return true }
                code = target
            }
        }
        return false
    }

    /// The nearest listed region that a region lies in: 370102 in 370100 in 370000.
    private func regionParent(_ code: String, _ codes: Set<String>) -> String? {
        let six = code.prefix(6)
        let above = [String(code.prefix(9)), String(six), six.prefix(4) + "00", six.prefix(2) + "0000"]
        return above.first { $0 != code && codes.contains($0) && RegionRange($0).contains(code) }
    }

    /// The code without its last part.
    private func serviceParent(_ code: String, _ codes: Set<String>) -> String? {
        code.lastIndex(of: ".").map { String(code[..<$0]) }.flatMap { codes.contains($0) ? $0 : nil }
    }

    // MARK: - Values

    mutating func integer(_ entry: Entry, _ range: ClosedRange<Int>) -> Int? {
        guard let text = text(entry) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            note(
                "BAD_NUMBER", line: entry.line,
                "`\(entry.key)` is not a whole number from \(range.lowerBound) to \(range.upperBound)",
                "correct it")
            return nil
        }
        return value
    }
}

/// The shape of a code: that of a code in a change-set.
private func isCode(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count) && text.utf8.allSatisfy(ColumnRule.isCodeByte)
}
