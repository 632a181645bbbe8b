import FederationModel

/// Decides which column is what.
///
/// Each field of the catalog scores each column by its name; a column whose values have the wrong shape is out. The best
/// pairs win, each column once. What is left becomes a category, or stays in `ext`.
struct MappingSuggester {
    /// Columns that can be named in a mapping: those with a name of their own.
    let columns: [ColumnProfile]
    let names: [Int: ColumnName]
    let times: [Int: ColumnProfile.Times]
    let file: String
    let rows: Int
    /// What the reference data call their codes, by list.
    let namesByList: [String: [ExactText: String]]
    private let ambiguous: [String]
    /// By `RESOURCE.FIELD`.
    private(set) var chosen: [String: ColumnProfile] = [:]
    /// Fields whose column is a guess about a person.
    private var doubted: [String: String] = [:]
    private(set) var taken: Set<Int> = []

    init(
        profiles: [ColumnProfile], file: String, rows: Int, namesByList: [String: [ExactText: String]]
    ) {
        self.namesByList = namesByList
        let counts = Dictionary(grouping: profiles, by: \.name).mapValues(\.count)
        columns = profiles.filter { !$0.name.isEmpty && counts[$0.name] == 1 }
        ambiguous = Set(profiles.map(\.name)).filter { $0.isEmpty || counts[$0] != 1 }.sorted()
        names = Dictionary(uniqueKeysWithValues: columns.map { ($0.position, ColumnName($0.name)) })
        let names = names
        times = columns.reduce(into: [:]) { times, column in
            times[column.position] = column.times(isNamedTime: names[column.position].map(Self.namesTime) ?? false)
        }
        self.file = file
        self.rows = rows
    }

    // MARK: - From names to fields

    /// One pair of a field and a column that could hold it.
    private struct Match {
        let field: String
        let order: Int
        let column: ColumnProfile
        let score: Double
    }

    private mutating func choose(among resources: [ResourceDefinition]) {
        var matches: [Match] = []
        for (resourceOrder, resource) in resources.enumerated() {
            for (fieldOrder, field) in resource.columns.enumerated() where !unmapped.contains(field.name) {
                let id = "\(resource.name).\(field.name)"
                for column in columns where fits(column, field, id) {
                    guard let name = names[column.position], let score = score(name, of: field, in: resource) else {
                        continue
                    }
                    matches.append(
                        Match(field: id, order: resourceOrder * 1_000 + fieldOrder, column: column, score: score))
                }
            }
        }
        matches.sort { ($1.score, $0.order, $0.column.position) < ($0.score, $1.order, $1.column.position) }
        for match in matches where chosen[match.field] == nil && !taken.contains(match.column.position) {
            let name = names[match.column.position]
            // The end of a name says what it is, not whose: a phone may be a school's.
            let isGuess = match.score < 95 && match.field.hasPrefix("service_request.reporter_")
            if isGuess, let name, SuggestWords.nameOthers(name) { continue }
            let isKnown = name.map(SuggestWords.nameReporter) ?? false
            take(
                match.column, for: match.field,
                doubt: isGuess && !isKnown ? "is this about the person who reported, and about nobody else?" : nil)
        }
    }

    private mutating func take(_ column: ColumnProfile, for field: String, doubt: String? = nil) {
        chosen[field] = column
        taken.insert(column.position)
        doubted[field] = doubt
    }

    /// Whether a name is that of a time.
    private static func namesTime(_ name: ColumnName) -> Bool {
        SuggestWords.fields.contains { field, words in
            (field.hasSuffix("_datetime") || field.hasSuffix("occurred_at")) && words.contains { name.score($0) != nil }
        } || ["time", "date", "时间", "日期"].contains { name.text.hasSuffix($0) }
    }

    /// Words of the catalog count like those of the table. English names of a thread's fields ("reason", "level") say
    /// too little without their resource.
    func score(_ name: ColumnName, of field: ColumnDefinition, in resource: ResourceDefinition) -> Double? {
        let english = field.name.replacing("_", with: " ")
        var words = [resource.isThreadRecord ? "\(resource.name.text.replacing("_", with: " ")) \(english)" : english]
        if field.name != "occurred_at" { words.append(ColumnName(field.title).text) }
        words += SuggestWords.fields["\(resource.name).\(field.name)"] ?? []
        return words.enumerated().compactMap { index, word in name.score(word).map { $0 - Double(index) * 0.2 } }.max()
    }

    /// Whether a column's values can be those of a field.
    private func fits(_ column: ColumnProfile, _ field: ColumnDefinition, _ id: String) -> Bool {
        if let list = Self.openList(of: field) { return holdsNames(of: list, column) }
        // A column that is empty in the sample goes by its name; its times can't be known.
        if column.isEmpty { return field.type == .text && field.codeList == nil && id != keyField }
        if field.type == .text, field.codeList == nil, column.bytesMax > field.bytesMax { return false }
        let isTime = times[column.position] != nil
        switch field.type {
        case .timestamp: return isTime
        case .real: return column.isAlways(field.name == "lat" ? .latitude : .longitude)
        case .integer: return column.isAlways(.whole) && !isTime
        case .boolean: return column.words.map { $0.keys.allSatisfy { yesAndNo.contains($0.lowercased()) } } ?? false
        case .json: return false
        case .text: break
        }
        if id == requestType, !(names[column.position]?.isChinese ?? false) {
            // "Request type" is mostly a category; only its words tell.
            return share(of: column, in: "request_type") >= 0.5
        }
        if field.codeList != nil { return column.words != nil && !isTime && !column.looks(.timeOfDay) }
        if id == keyField { return column.distinct * 100 >= column.filled * 98 && isCode(column) }
        if field.name.contains("phone") || field.name.hasSuffix("_id") || field.name.contains("number")
            || field.name.contains("code")
        {
            return true
        }
        return !isTime && !column.looks(.number) && !column.looks(.coordinatePair) && !column.looks(.timeOfDay)
    }

    // MARK: - The whole mapping

    mutating func mapping(of resource: ResourceDefinition) throws -> SuggestedMapping {
        let isTicket = resource.name == BuiltInResources.serviceRequest.name
        let resources =
            isTicket
            ? BuiltInResources.all.filter { $0.name == resource.name || suggestedStages.contains($0.name.text) }
            : [resource]
        choose(among: resources)
        chooseByShape(in: resource)
        var mapping = SuggestedMapping()
        mapping.comments = [
            "Proposed from \(rows) rows of \(file). Look at each DECIDE, then try it: import --dry-run.",
            "docs/importing.md describes the format.",
        ]
        if !ambiguous.isEmpty {
            let named = ambiguous.filter { !$0.isEmpty }.map { "'\($0)'" }.joined(separator: ", ")
            mapping.comments.append(
                "Not taken, because their names are empty or stand there twice: \(named.isEmpty ? "unnamed columns" : named)."
            )
        }
        try addKey(to: &mapping)
        addZone(to: &mapping)
        if isTicket {
            try addTicket(to: &mapping)
            addStages(to: &mapping)
        } else {
            try addOther(resource, to: &mapping)
        }
        let used = Set(mapping.key + mapping.records.flatMap { $0.fields.flatMap { $0.source.columns } })
        let lost = standInTexts
        mapping.records[0].ext = columns.map(\.name).filter { !used.contains($0) || lost.contains($0) }
        return mapping
    }

    /// What a column's values say although its name does not.
    private mutating func chooseByShape(in resource: ResourceDefinition) {
        func free(_ field: String) -> Bool { chosen[field] == nil && resource.name == "service_request" }
        if free(requested),
            let column = columns.first(where: { !taken.contains($0.position) && times[$0.position] != nil })
        {
            take(column, for: requested)
        }
        for (field, shape) in [
            ("reporter_phone", ColumnProfile.Shape.phone), ("reporter_id_number", .identityNumber),
            ("organization_uscc", .creditCode),
        ] where free("service_request.\(field)") {
            let column = columns.first {
                !taken.contains($0.position) && $0.looks(shape) && times[$0.position] == nil && !$0.isUnique
                    && !(names[$0.position].map(SuggestWords.nameOthers) ?? false)
            }
            if let column {
                take(
                    column, for: "service_request.\(field)",
                    doubt: "its values look like this, its name does not say it; is it the reporter's?")
            }
        }
        if free(requestType) {
            let column = columns.first {
                !taken.contains($0.position) && share(of: $0, in: "request_type", exactly: true) >= 0.5
            }
            if let column { take(column, for: requestType) }
        }
    }

    /// The share of a column's rows whose words have a code.
    private func share(of column: ColumnProfile, in list: String, exactly: Bool = false) -> Double {
        guard let words = column.words, column.filled > 0 else { return 0 }
        let titles = exactly ? Set(CodeList.named(list)?.entries.map(\.title) ?? []) : []
        let known = words.filter { exactly ? titles.contains($0.key) : code(for: $0.key, in: list) != nil }
        return Double(known.values.reduce(0, +)) / Double(column.filled)
    }

    private func addZone(to mapping: inout SuggestedMapping) {
        let used = chosen.values.compactMap { times[$0.position] }
        if !used.isEmpty, used.allSatisfy(\.hasOffset) { return }
        let pair = columns.lazy.compactMap(\.firstPair).first
        let long = chosen["service_request.long"]?.mean ?? pair?.long
        let lat = chosen["service_request.lat"]?.mean ?? pair?.lat
        guard let long, let lat else { return }
        if (73...135).contains(long), (18...54).contains(lat) { return }
        mapping.zone = americanZones.first { long >= $0.west }?.zone ?? "Asia/Shanghai"
        guard (-125 ... -66).contains(long), (24...50).contains(lat) else {
            mapping.zone = "Asia/Shanghai"
            mapping.zoneDecide = "the places lie outside of China; which zone do the times count in?"
            return
        }
        mapping.zoneDecide = "guessed from the coordinates"
    }

    /// Columns of a stage that has no time of its own: where the time that stands in is missing, they would be lost.
    private var standInTexts: Set<String> {
        Set(
            stageRules.filter { chosen["\($0.key).occurred_at"] == nil && $0.key != "assignment" }.flatMap {
                stage, rule in
                rule.tells.compactMap { chosen["\(stage).\($0)"]?.name }
            })
    }

    // MARK: - The ticket

    private func addTicket(to mapping: inout SuggestedMapping) throws {
        guard let time = timeField(requested, named: "requested_datetime", isEnd: false) else {
            throw FederationError(
                "E_MAPPING_SUGGEST", "no column of \(file) holds times, which a ticket needs",
                hint: "is it a file of tickets? Otherwise name another --resource, or write the mapping by hand")
        }
        mapping.timeFormats = time.formats
        if time.isUnsure { mapping.timeDecide = "year, day and month could be in another order" }
        var record = SuggestedMapping.Record(resource: "service_request")
        let number: SuggestedMapping.Source =
            mapping.key.count == 1 ? .column(mapping.key[0]) : .joined(mapping.key, separator: "-")
        record.fields = [
            .init(name: "service_request_id", source: number),
            chosen["service_request.source_request_id"].map {
                .init(name: "source_request_id", source: .column($0.name))
            } ?? .init(name: "source_request_id", source: number),
            .init(
                name: "source_system", source: .constant(String(file.prefix { $0 != "." })),
                decide: "the name of the system that the file comes from"),
            time.field,
        ]
        for field in BuiltInResources.serviceRequest.columns
        where !unmapped.contains(field.name) && !record.fields.contains(where: { $0.name == field.name }) {
            if let made = suggestedField(field, in: "service_request", formats: time.formats) {
                record.fields.append(made)
            }
        }
        mapping.records.append(record)
    }

    func suggestedField(
        _ field: ColumnDefinition, in resource: String, formats: [String]
    ) -> SuggestedMapping.Field? {
        let id = "\(resource).\(field.name)"
        if id == "service_request.service_name" { return categories() }
        guard let column = chosen[id] else {
            if id == "service_request.title", let category = categoryColumns.last {
                return .init(
                    name: "title", source: .column(category.name),
                    decide: "no column is a title; the category stands in")
            }
            guard field.isRequired, let constant = SuggestWords.constants[id] else { return nil }
            let title = field.codeList.flatMap { CodeList.named($0)?.title(of: constant) } ?? constant
            return .init(
                name: field.name, source: .constant(constant),
                decide: "no column tells the \(field.title); every row gets \(constant) \(title)")
        }
        switch field.type {
        case .timestamp:
            guard let time = timeField(id, named: field.name, isEnd: false) else { return nil }
            return time.field(besides: formats)
        case .real: return coordinate(field, column)
        default:
            if let list = Self.openList(of: field) { return named(field, column, list: list) }
            guard let listName = field.codeList else {
                return .init(
                    name: field.name, source: .column(column.name),
                    decide: doubted[id] ?? repetition(in: column, of: field))
            }
            return coded(field, column, list: listName, id: id)
        }
    }

    // MARK: - Categories

    private var categoryColumns: [ColumnProfile] {
        columns.filter { column in
            guard !taken.contains(column.position), !column.isEmpty, let name = names[column.position] else {
                return false
            }
            let isNamed =
                SuggestWords.categories.contains(name.text) || name.text == "service name"
                || SuggestWords.categoryEndings.contains { name.text.hasSuffix($0) }
            return isNamed && times[column.position] == nil && !column.looks(.long) && !column.looks(.number)
        }
    }

    private func categories() -> SuggestedMapping.Field? {
        let found = [chosen["service_request.service_name"]].compactMap { $0 } + categoryColumns
        let bytesMax = BuiltInResources.serviceRequest.column(named: "service_name")?.bytesMax ?? 0
        // From the general on, as far as the field holds them.
        var bytes = -1
        let columns = found.prefix { column in
            bytes += column.bytesMax + 1
            return bytes <= bytesMax
        }
        .map(\.name)
        switch columns.count {
        case 0: return nil
        case 1: return .init(name: "service_name", source: .column(columns[0]))
        default:
            return .init(
                name: "service_name", source: .joined(columns, separator: "/"),
                decide: "the category, from general to particular; is this the order?")
        }
    }

    /// One of the other resources, by the names of the catalog alone.
    private func addOther(_ resource: ResourceDefinition, to mapping: inout SuggestedMapping) throws {
        var record = SuggestedMapping.Record(resource: resource.name.text)
        for field in resource.columns where field.type == .timestamp {
            guard let time = timeField("\(resource.name).\(field.name)", named: field.name, isEnd: false) else {
                continue
            }
            if mapping.timeFormats.isEmpty {
                mapping.timeFormats = time.formats
                if time.isUnsure { mapping.timeDecide = "year, day and month could be in another order" }
            }
        }
        for field in resource.columns where !unmapped.contains(field.name) {
            if let made = suggestedField(field, in: resource.name.text, formats: mapping.timeFormats) {
                record.fields.append(made)
            }
        }
        let filled = Set(record.fields.map(\.name)).union(["global_id", "ticket_origin"])
        if let missing = resource.columns.first(where: { $0.isRequired && !filled.contains($0.name) }) {
            throw FederationError(
                "E_MAPPING_SUGGEST",
                "no column of \(file) looks like the \(missing.title) (\(missing.name)) of \(resource.name)",
                hint: "rename the column in a copy, or write the mapping by hand; see docs/importing.md")
        }
        mapping.records.append(record)
    }
}

extension SuggestedMapping.Source {
    var columns: [String] {
        switch self {
        case .column(let column): [column]
        case .firstOf(let columns), .joined(let columns, _): columns
        case .constant: []
        }
    }
}

let keyField = "service_request.service_request_id"
private let requestType = "service_request.request_type"
/// The one field without which there is no ticket.
let requested = "service_request.requested_datetime"

/// Fields that a suggestion leaves to the importer, or to `ext`.
let unmapped: Set<String> = ["global_id", "ticket_origin", "recorded_at", "round", "ext"]

private let yesAndNo: Set<String> = ["1", "0", "true", "false", "yes", "no", "y", "n", "是", "否"]

/// Where the zones of the contiguous United States begin, roughly, from the east.
private let americanZones: [(west: Double, zone: String)] = [
    (-85.5, "America/New_York"), (-101.5, "America/Chicago"), (-114, "America/Denver"), (-125, "America/Los_Angeles"),
]
