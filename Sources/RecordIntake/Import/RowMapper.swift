import ConfigurationFiles
import FederationModel

/// A mapping bound to the columns of one file.
struct RowMapper {
    /// Position of a column in the file; nil for an optional column that the file lacks.
    private typealias Position = Int?

    private struct Condition {
        let position: Position
        let test: Mapping.Test
    }

    // Classes, because a row goes through all of them: a loop over structs copies each, and its arrays are counted.
    private final class Field {
        let rule: Mapping.FieldRule
        let positions: [Position]
        let condition: Condition?
        let clock: ZoneClock?
        let translation: Mapping.Translation?

        init(
            rule: Mapping.FieldRule, positions: [Position], condition: Condition?, clock: ZoneClock?,
            translation: Mapping.Translation?
        ) {
            self.rule = rule
            self.translation = translation
            self.positions = positions
            self.condition = condition
            self.clock = clock
        }
    }

    private final class Record {
        let rule: Mapping.RecordRule
        let condition: Condition?
        let ordinal: Position
        let fields: [Field]
        let ext: [(name: String, position: Position)]
        /// The field that says to which ticket the record belongs, where that is not the row's own.
        let ticket: Field?
        /// Whose times must not run backwards, in this order.
        let timeline: [String]
        /// Whether it has both coordinates.
        let hasPlace: Bool
        /// Whether a row without it takes back what an earlier one with it said.
        let isTakenBack: Bool

        init(
            rule: Mapping.RecordRule, condition: Condition?, ordinal: Position, fields: [Field],
            ext: [(name: String, position: Position)], timeline: [String], isTakenBack: Bool
        ) {
            ticket = fields.first { $0.rule.field.name == "global_id" }
            hasPlace = ["lat", "long"].allSatisfy { name in fields.contains { $0.rule.field.name == name } }
            self.isTakenBack = isTakenBack
            self.rule = rule
            self.condition = condition
            self.ordinal = ordinal
            self.fields = fields
            self.ext = ext
            self.timeline = timeline
        }
    }

    private let origin: NodeID
    private let isGuarded: Bool
    private let lists: CodeLists
    private let key: [(name: String, position: Position)]
    private let records: [Record]
    /// Whether long numbers that end in zeros are keys like any other: so they are unless all of a file's do.
    var takesCutKeys = true

    init(mapping: Mapping, origin: NodeID, header: [String]) throws {
        var positions: [ExactText: Int] = [:]
        var twice: Set<ExactText> = []
        for (position, name) in header.enumerated()
        where positions.updateValue(position, forKey: ExactText(name)) != nil {
            twice.insert(ExactText(name))
        }
        for column in mapping.columns {
            let place = "\(mapping.path):\(column.line)"
            if twice.contains(ExactText(column.name)) {
                throw FederationError("E_MAPPING", "\(place): the file has column '\(column.name)' twice")
            }
            guard positions[ExactText(column.name)] != nil || mapping.optionalColumns.contains(column.name) else {
                throw FederationError(
                    "E_MAPPING", "\(place): the file has no column '\(column.name)'",
                    hint: Self.hint(for: column.name, header)
                        ?? "its header names \(header.count) columns; is it another row? Say so by header_row; else list it under optional_columns"
                )
            }
        }
        let bind = { (column: Mapping.Column) in (name: column.name, position: positions[ExactText(column.name)]) }
        let bindCondition = { (condition: Mapping.Condition?) in
            condition.map { Condition(position: positions[ExactText($0.column.name)], test: $0.test) }
        }
        var clocks: [String: ZoneClock] = [:]
        self.origin = origin
        isGuarded = mapping.isGuarded
        lists = mapping.lists
        key = mapping.key.map(bind)
        let tables = CodeTableReader(mapping: mapping)
        records = try mapping.records.map { rule in
            let fields = try rule.fields.map { field in
                if clocks[field.zone] == nil { clocks[field.zone] = ZoneClock(field.zone) }
                return Field(
                    rule: field, positions: field.source.columns.map { positions[ExactText($0.name)] },
                    condition: bindCondition(field.condition), clock: clocks[field.zone],
                    translation: try tables.translation(of: field))
            }
            return Record(
                rule: rule, condition: bindCondition(rule.condition),
                ordinal: rule.ordinal.flatMap { positions[ExactText($0.name)] }, fields: fields,
                ext: rule.ext.map(bind),
                timeline: EventTimes.fields(of: rule.definition),
                // Where a ticket has several rows, one of them says nothing about what the others are.
                isTakenBack: mapping.closure == .snapshot && rule.condition != nil
                    && (rule.ordinal != nil || !mapping.hasOrdinals))
        }
    }

    /// The column that a mapping means, where one looks nearly like it. No other is named: of a file without a header they are
    /// somebody's data.
    private static func hint(for name: String, _ header: [String]) -> String? {
        guard let near = nearestName(to: name, among: header) else { return nil }
        let common = Set(name.lowercased()).intersection(near.lowercased())
        return common.count * 2 > Set(name.lowercased()).count ? "did you mean `\(near)`?" : nil
    }

    /// What a row's key is made of, as far as it is there.
    func keyParts(_ text: (Int) -> String) -> [String] { key.compactMap { $0.position.map(text) } }

    /// Makes the records of one row.
    ///
    /// - Parameter text: the trimmed text of a column.
    func row(_ text: (Int) -> String) throws(RowRejection) -> (row: SourceRow, identity: RowIdentity) {
        var parts: [String] = []
        for column in key {
            let part = column.position.map(text) ?? ""
            if part.isEmpty {
                throw RowRejection(field: column.name, rule: .missing, reason: "the row has no key")
            }
            if KeyDamage.isScientific(part) { throw KeyDamage.scientific(column.name) }
            if !takesCutKeys, KeyDamage.isCut(part) {
                throw KeyDamage.rejection(
                    of: column.name,
                    "is a long number of which a spreadsheet has kept 15 digits and made the rest zeros")
            }
            parts.append(part)
        }
        let globalID = "\(origin.code)-\(parts.joined(separator: "-"))"
        var row = SourceRow([])
        var content = Hasher()
        for record in records {
            if holds(record.condition, text) {
                row.records.append(try self.record(record, globalID: globalID, text, &content))
                content.combine(row.records.count)
            } else if record.isTakenBack, let absent = absent(record, globalID: globalID, text) {
                row.absent.append(absent)
            }
        }
        try checkTimeOrder(row.records)
        TimeOrder.settle(&row.records)
        let ordinals = records.compactMap { $0.ordinal.map(text) }
        let identity = RowIdentity(
            ticket: fnv1a64(globalID.utf8), row: fnv1a64(([globalID] + ordinals).joined(separator: "\0").utf8),
            content: UInt32(truncatingIfNeeded: content.finalize()))
        return (row, identity)
    }

    /// The name of the record that the row would be if its condition held; nil where the row does not tell.
    private func absent(_ record: Record, globalID: String, _ text: (Int) -> String) -> SourceRow.RecordName? {
        let definition = record.rule.definition
        guard definition.isThreadRecord else { return .init(resource: definition.name, key: globalID) }
        var ticket = globalID
        if let field = record.ticket {
            guard let named = (try? value(field, text))?.text else { return nil }
            ticket = named
        }
        return (try? key(of: record, ticket: ticket, text)).map { .init(resource: definition.name, key: $0) }
    }

    private func key(
        of record: Record, ticket: String, _ text: (Int) -> String
    ) throws(RowRejection) -> String {
        let ordinal = record.rule.ordinal == nil ? String(record.rule.position) : record.ordinal.map(text) ?? ""
        if ordinal.isEmpty {
            throw RowRejection(
                field: record.rule.ordinal?.name ?? "", rule: .missing, reason: "the row has no ordinal")
        }
        return "\(ticket).\(record.rule.definition.name).\(ordinal)"
    }

    private func record(
        _ record: Record, globalID: String, _ text: (Int) -> String, _ content: inout Hasher
    ) throws(RowRejection) -> IntakeRecord {
        let definition = record.rule.definition
        var values = [String: FieldValue](minimumCapacity: record.fields.count + 4)
        for field in record.fields where holds(field.condition, text) {
            let value = try self.value(field, text)
            content.combine(value)
            if !value.isNull { values[field.rule.field.name] = value }
        }
        if let ext = ext(record, text) {
            values["ext"] = .text(ext)
            content.combine(values["ext"])
        }
        var key = globalID
        if definition.isThreadRecord {
            let ticket = values["global_id"]?.text ?? globalID
            key = try self.key(of: record, ticket: ticket, text)
            values["global_id"] = .text(ticket)
            if values["ticket_origin"] == nil { values["ticket_origin"] = .text(origin.code) }
            if values["round"] == nil { values["round"] = .integer(1) }
        } else if definition.name == BuiltInResources.serviceRequest.name {
            values["global_id"] = .text(globalID)
            if !isGuarded { values["migrated"] = .integer(1) }
        }
        var made = IntakeRecord(resource: definition.name, key: key, fields: values)
        if record.hasPlace, made.hasHalfPlace {
            (made.fields["lat"], made.fields["long"]) = (nil, nil)
        }
        if let violation = made.violation(in: definition, lists: lists) { throw violation }
        return made
    }

    // MARK: - Values

    private func holds(_ condition: Condition?, _ text: (Int) -> String) -> Bool {
        guard let condition else { return true }
        let value = condition.position.map(text) ?? ""
        return switch condition.test {
        case .filled: !value.isEmpty
        case .oneOf(let words): words.contains(value)
        case .noneOf(let words): !words.contains(value)
        }
    }

    private func value(_ field: Field, _ text: (Int) -> String) throws(RowRejection) -> FieldValue {
        var word = sourceText(field, text)
        if word.isEmpty {
            guard let fallback = field.rule.fallback else { return .null }
            word = fallback
        } else if let translation = field.translation {
            guard let code = translation.code(for: word) else {
                throw rejection(field, .notInCodeList, "the mapping has no code for this word")
            }
            // A word that is to stand for nothing.
            if code.isEmpty { return .null }
            word = code
        }
        switch field.rule.field.type {
        case .text, .json: return .text(word)
        case .integer:
            // Spreadsheets and data frames write whole numbers as 14.0; nothing is lost by reading them.
            let digits = word.hasSuffix(".0") ? word.dropLast(2) : word[...]
            guard let integer = Int64(digits) else { throw rejection(field, .type, "is not a whole number") }
            return .integer(integer)
        case .real:
            guard let real = Double(word), real.isFinite else { throw rejection(field, .type, "is not a number") }
            return .real(real)
        case .boolean:
            switch word.lowercased() {
            case "1", "true", "yes", "y", "是": return .integer(1)
            case "0", "false", "no", "n", "否": return .integer(0)
            default: throw rejection(field, .type, "is neither yes nor no")
            }
        case .timestamp:
            for format in field.rule.timeFormats {
                guard let reading = format.read(word) else { continue }
                let face = reading.faceMilliseconds + (field.rule.isDayEnd && !format.namesHour ? 86_399_000 : 0)
                if let offset = reading.offset { return .integer(face - offset) }
                if let clock = field.clock { return .integer(clock.utc(face: face)) }
            }
            throw rejection(field, .badTime, "is not a time in any of the mapping's formats")
        }
    }

    private func sourceText(_ field: Field, _ text: (Int) -> String) -> String {
        switch field.rule.source {
        case .constant(let value): return value
        case .firstOf:
            for case let position? in field.positions {
                let word = text(position)
                if !word.isEmpty { return word }
            }
            return ""
        case .joined(_, let separator):
            return field.positions.compactMap { $0.map(text) }.filter { !$0.isEmpty }.joined(separator: separator)
        }
    }

    private func rejection(_ field: Field, _ rule: RowRejection.Rule, _ reason: String) -> RowRejection {
        RowRejection(field: field.rule.field.name, rule: rule, reason: reason)
    }

    /// The kept columns as a JSON object; nil when all of them are empty.
    private func ext(_ record: Record, _ text: (Int) -> String) -> String? {
        var json = ""
        for column in record.ext {
            guard let value = column.position.map(text), !value.isEmpty else { continue }
            json += json.isEmpty ? "{" : ","
            appendJSONString(column.name, to: &json)
            json += ":"
            appendJSONString(value, to: &json)
        }
        return json.isEmpty ? nil : json + "}"
    }

    // MARK: - Time order

    /// Refuses a row whose events run backwards by more than the tolerance (domain model 2.4, `E_TIME_ORDER`): a ticket's
    /// records in the order of the mapping, and the times of a call.
    private func checkTimeOrder(_ made: [IntakeRecord]) throws(RowRejection) {
        var latestOfTicket = Int64.min
        for record in made {
            guard let rule = records.first(where: { $0.rule.definition.name == record.resource }) else { continue }
            let isOfTicket = record.resource != BuiltInResources.callRecord.name
            var latest = isOfTicket ? latestOfTicket : .min
            try TimeOrder.check(record, fields: rule.timeline, prefix: "\(record.resource).", latest: &latest)
            if isOfTicket { latestOfTicket = latest }
        }
    }
}
