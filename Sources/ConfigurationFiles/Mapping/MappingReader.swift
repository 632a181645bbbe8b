import FederationModel
import Foundation
import Yams

extension Mapping {
    /// Reads a mapping file.
    ///
    /// - Parameters:
    ///   - lists: the code lists that its codes, and later those of the records, are held against.
    ///   - region: that of the node whose records they become: a name that several regions have means the one within it.
    ///   - datasets: the external data sets, as resources, that it may make records of beside those of the program.
    /// - Throws: `E_MAPPING_READ` when there is no such file, or one that is far too large; `E_MAPPING` with path, line and a
    ///   suggestion for the first thing in it that is not known to the catalog or to the format.
    package static func read(
        path: String, lists: CodeLists = .builtIn, region: String? = nil, datasets: [ResourceDefinition] = []
    ) throws -> Mapping {
        let text = try MappingReader.checked("E_MAPPING_READ") { () throws(FileProblems) in
            try MappingReader.kind.text(path: path)
        }
        return try MappingReader(path: path, lists: lists, region: region, datasets: datasets).mapping(text)
    }

    /// Reads a mapping that is at hand as text; `path` is for messages.
    package static func parse(
        _ text: String, path: String, lists: CodeLists = .builtIn, region: String? = nil,
        datasets: [ResourceDefinition] = []
    ) throws -> Mapping {
        try MappingReader(path: path, lists: lists, region: region, datasets: datasets).mapping(text)
    }
}

/// Turns the YAML tree into a checked `Mapping`. It walks nodes, not `Codable` types, because only nodes know their line.
struct MappingReader {
    let path: String
    let lists: CodeLists
    let region: String?
    let datasets: [ResourceDefinition]

    /// Longest file in bytes; the longest of `mappings` takes a hundredth of it.
    static let kind = FileKind(name: "MAPPING", examples: "mappings", bytesMax: 1_000_000)

    /// Runs what reads a file of YAML; its first problem, under the one code that mappings have.
    static func checked<Value>(
        _ code: String, _ read: () throws(FileProblems) -> Value
    ) throws(FederationError) -> Value {
        do throws(FileProblems) {
            return try read()
        } catch {
            let problem = error.problems[0]
            throw FederationError(code, "\(problem.file):\(problem.line): \(problem.message)", hint: problem.hint)
        }
    }

    func mapping(_ text: String) throws -> Mapping {
        let root = try Self.checked("E_MAPPING") { () throws(FileProblems) in
            try Self.kind.yaml(text, file: path)
        }
        let top = try entries(
            root, "a mapping",
            known: ["source", "closure", "key", "zone", "time_formats", "optional_columns", "guarded", "records"]
                + formatKeys)
        let defaults = TimeRules(
            formats: try top["time_formats"].map(timeFormats) ?? [], zone: try top["zone"].map(zone) ?? "Asia/Shanghai")
        guard let key = try top["key"].map(columns), !key.isEmpty else {
            throw fault(line(root), "'key' is missing", "name the column or columns that identify a row")
        }
        guard let recordNodes = top["records"]?.sequence, !recordNodes.isEmpty else {
            throw fault(line(top["records"] ?? root), "'records' must list what a row becomes")
        }
        var records: [Mapping.RecordRule] = []
        for node in recordNodes {
            records.append(try record(node, after: records, defaults: defaults))
        }
        let isGuarded = try top["guarded"].map(flag) ?? false
        return Mapping(
            path: path,
            source: try top["source"].map(source) ?? URL(filePath: path).deletingPathExtension().lastPathComponent,
            closure: try top["closure"].map(closure) ?? (isGuarded ? .append : .snapshot), format: try format(top),
            key: key,
            optionalColumns: Set(try top["optional_columns"].map(columns)?.map(\.name) ?? []),
            isGuarded: isGuarded, records: records, lists: lists)
    }

    private struct TimeRules {
        let formats: [TimeFormat]
        let zone: String
    }

    // MARK: - Records and fields

    private func record(_ node: Node, after earlier: [Mapping.RecordRule], defaults: TimeRules) throws
        -> Mapping.RecordRule
    {
        let parts = try entries(node, "a record", known: ["resource", "when", "ordinal", "fields", "ext"])
        guard let nameNode = parts["resource"] else { throw fault(line(node), "a record must name its 'resource'") }
        let name = try scalar(nameNode)
        guard let definition = (datasets + BuiltInResources.all).first(where: { $0.name.text == name }) else {
            throw fault(
                line(nameNode), "unknown resource '\(name)'",
                suggestion(for: name, among: (datasets + BuiltInResources.all).map(\.name.text)))
        }
        let position = earlier.filter { $0.definition.name == definition.name }.count + 1
        if position > 1, !definition.isThreadRecord {
            throw fault(line(nameNode), "\(name) is listed twice; a row makes one of them")
        }
        if let ordinal = parts["ordinal"], !definition.isThreadRecord {
            throw fault(line(ordinal), "'ordinal' is only for records of a ticket's thread")
        }
        guard let fieldsNode = parts["fields"], let fields = fieldsNode.mapping else {
            throw fault(line(parts["fields"] ?? node), "\(name) needs 'fields', each with its source")
        }
        let rules = try fields.map { try field($0.key, $0.value, of: definition, defaults: defaults) }
        let filled = Set(rules.map(\.field.name)).union(fieldsFilledByImporter)
        if let missing = definition.columns.first(where: { $0.isRequired && !filled.contains($0.name) }) {
            throw fault(
                line(fieldsNode), "\(name) lacks the required field '\(missing.name)'",
                "map it to a column or give it a constant: \(missing.name): {value: …}")
        }
        return Mapping.RecordRule(
            definition: definition, condition: try parts["when"].map(condition), fields: rules,
            ext: try parts["ext"].map(columns) ?? [], ordinal: try parts["ordinal"].map(column), position: position)
    }

    private func field(_ keyNode: Node, _ node: Node, of resource: ResourceDefinition, defaults: TimeRules) throws
        -> Mapping.FieldRule
    {
        let name = try scalar(keyNode)
        guard let field = resource.column(named: name) else {
            throw fault(
                line(keyNode), "unknown field '\(name)' of \(resource.name)",
                suggestion(for: name, among: resource.columns.map(\.name)))
        }
        guard field.type != .json, !(name == "global_id" && !resource.isThreadRecord) else {
            throw fault(
                line(keyNode), "'\(name)' is not mapped field by field",
                name == "ext" ? "list its columns under 'ext' of the record" : "it is made of the origin and the key")
        }
        if node.scalar != nil {
            return Mapping.FieldRule(
                field: field, source: .firstOf([try column(node)]), condition: nil, translation: nil,
                timeFormats: try formats(defaults.formats, for: field, at: node), zone: defaults.zone, isDayEnd: false,
                fallback: nil)
        }
        let parts = try entries(
            node, "a field",
            known: [
                "column", "first_of", "join", "separator", "value", "when", "codes", "titles_of", "otherwise",
                "default",
                "time_formats", "zone", "day_counts_from",
            ])
        let own = try parts["time_formats"].map(timeFormats) ?? defaults.formats
        return Mapping.FieldRule(
            field: field, source: try source(parts, for: field, at: node), condition: try parts["when"].map(condition),
            translation: try translation(parts, for: field),
            timeFormats: try formats(own, for: field, at: node), zone: try parts["zone"].map(zone) ?? defaults.zone,
            isDayEnd: try parts["day_counts_from"].map { try isDayEnd($0, of: field) } ?? false,
            fallback: try parts["default"].map { try fallback($0, for: field) })
    }

    private func source(_ parts: [String: Node], for field: ColumnDefinition, at node: Node) throws -> Mapping.Source {
        let given = ["column", "first_of", "join", "value"].filter { parts[$0] != nil }
        guard given.count == 1 else {
            throw fault(line(node), "a field has exactly one of column, first_of, join and value")
        }
        if let separator = parts["separator"], parts["join"] == nil {
            throw fault(line(separator), "'separator' goes with 'join'")
        }
        if let column = parts["column"] { return .firstOf([try self.column(column)]) }
        if let columns = parts["first_of"] { return .firstOf(try self.columns(columns)) }
        if let columns = parts["join"] {
            return .joined(try self.columns(columns), separator: try parts["separator"].map(scalar) ?? " ")
        }
        return .constant(try parts["value"].map { try code($0, for: field) } ?? "")
    }

    // MARK: - Times

    func timeFormats(_ node: Node) throws -> [TimeFormat] {
        try list(node).map { node in
            let pattern = try scalar(node)
            do throws(TimeFormat.Fault) {
                return try TimeFormat(checking: pattern)
            } catch {
                throw fault(
                    line(node), "'\(pattern)' is not a time format: \(error.reason)",
                    "such as yyyy-MM-dd HH:mm:ss; see docs/importing.md")
            }
        }
    }

    private func flag(_ node: Node) throws -> Bool {
        switch try scalar(node) {
        case "true": return true
        case "false": return false
        default: throw fault(line(node), "'guarded' is true or false")
        }
    }

    private func closure(_ node: Node) throws -> Mapping.Closure {
        guard let closure = Mapping.Closure(rawValue: try scalar(node)) else {
            throw fault(
                line(node), "'closure' is snapshot or append",
                "snapshot: a row that comes again takes back what it no longer says; append: it only adds")
        }
        return closure
    }

    private func source(_ node: Node) throws -> String {
        let name = try scalar(node)
        guard (1...64).contains(name.utf8.count) else { throw fault(line(node), "'source' has 1 to 64 bytes") }
        return name
    }

    private func isDayEnd(_ node: Node, of field: ColumnDefinition) throws -> Bool {
        let word = try scalar(node)
        guard field.type == .timestamp, word == "begin" || word == "end" else {
            throw fault(line(node), "'day_counts_from' is begin or end, and for a time only")
        }
        return word == "end"
    }

    private func zone(_ node: Node) throws -> String {
        let name = try scalar(node)
        guard ZoneClock(name) != nil else {
            throw fault(line(node), "unknown time zone '\(name)'", "an IANA name such as Asia/Shanghai")
        }
        return name
    }

    private func formats(_ formats: [TimeFormat], for field: ColumnDefinition, at node: Node) throws -> [TimeFormat] {
        if field.type == .timestamp && formats.isEmpty {
            throw fault(line(node), "field '\(field.name)' is a time but there is no format", "add 'time_formats'")
        }
        return formats
    }

    // MARK: - Columns and conditions

    /// `COLUMN` (is not empty), `{column: C, in: […]}` or `{column: C, not_in: […]}`.
    private func condition(_ node: Node) throws -> Mapping.Condition {
        if node.scalar != nil { return Mapping.Condition(column: try column(node), test: .filled) }
        let parts = try entries(node, "'when'", known: ["column", "in", "not_in"])
        guard let columnNode = parts["column"], (parts["in"] == nil) != (parts["not_in"] == nil) else {
            throw fault(line(node), "'when' takes a column name, or {column: …, in: […]}, or {column: …, not_in: […]}")
        }
        var words = Mapping.WordSet()
        for node in (parts["in"] ?? parts["not_in"]).map(list) ?? [] {
            guard words.take(try scalar(node)) else {
                throw fault(self.line(node), "'*' alone stands for every word", "name the column alone: 'when: COLUMN'")
            }
        }
        return Mapping.Condition(
            column: try column(columnNode), test: parts["in"] != nil ? .oneOf(words) : .noneOf(words))
    }

    private func column(_ node: Node) throws -> Mapping.Column {
        Mapping.Column(name: try scalar(node), line: line(node))
    }

    /// One name or a list of names.
    private func columns(_ node: Node) throws -> [Mapping.Column] { try list(node).map(column) }

    // MARK: - YAML

    func list(_ node: Node) -> [Node] { node.sequence.map(Array.init) ?? [node] }

    func scalar(_ node: Node) throws -> String {
        guard let scalar = node.scalar else { throw fault(line(node), "one word or text is expected here") }
        let word = YAMLText.unmarked(scalar.string)
        guard word == scalar.string else {
            throw fault(line(node), "'\(word)' was given already", "keep one of the two")
        }
        return word
    }

    private func entries(_ node: Node, _ what: String, known: [String]) throws -> [String: Node] {
        guard let mapping = node.mapping else { throw fault(line(node), "\(what) is written as 'key: value' pairs") }
        var entries: [String: Node] = [:]
        for pair in mapping {
            let key = try scalar(pair.key)
            guard known.contains(key) else {
                throw fault(line(pair.key), "unknown key '\(key)' in \(what)", suggestion(for: key, among: known))
            }
            entries[key] = pair.value
        }
        return entries
    }

    func line(_ node: Node) -> Int { node.mark?.line ?? 1 }

    func fault(_ line: Int, _ message: String, _ hint: String? = nil) -> FederationError {
        FederationError("E_MAPPING", "\(path):\(line): \(message)", hint: hint)
    }
}

/// What the importer fills in itself unless the mapping does.
private let fieldsFilledByImporter: Set<String> = ["global_id", "ticket_origin"]
