import FederationModel
import Yams

/// Reads the YAML file that registers an external data set; `datasets/README.md` documents the format.
package enum DatasetFile {
    package static let bytesMax = 200_000
    private static let kind = FileKind(name: "DATASET", examples: "datasets", bytesMax: bytesMax)

    /// - Parameter lists: those that a column may name.
    /// - Throws: all problems of the file at once.
    package static func read(
        path: String, lists: CodeLists
    ) throws(FileProblems) -> (dataset: ExternalDataset, text: String) {
        let text = try kind.text(path: path)
        return (try read(text: text, file: path, lists: lists), text)
    }

    /// - Throws: all problems of the text at once; `file` is what they call it.
    package static func read(text: String, file: String, lists: CodeLists) throws(FileProblems) -> ExternalDataset {
        let root = try kind.yaml(text, file: file)
        var reader = YAMLReader(kind: kind, file: file)
        let dataset = reader.dataset(root, lists)
        guard reader.problems.isEmpty, let dataset else { throw FileProblems(problems: reader.problemsByLine) }
        return dataset
    }
}

extension YAMLReader {
    private static let roles = [
        "until": "ended_at", "region": "region_code", "unit": "unit", "service": "service_code",
    ]
    private static let types: [String: ColumnType] = [
        "text": .text, "integer": .integer, "real": .real, "yes_no": .boolean, "time": .timestamp,
    ]

    fileprivate mutating func dataset(_ root: Node, _ lists: CodeLists) -> ExternalDataset? {
        let required = ["dataset", "version", "title", "provider", "key", "time", "columns"]
        guard
            let entries = entries(
                of: root, in: "the file", keys: required + Self.roles.keys.sorted(), required: required),
            let nameEntry = entries["dataset"], let name = text(nameEntry),
            let version = entries["version"].flatMap({ integer($0, 1...1_000_000) }),
            let title = entries["title"].flatMap({ self.name($0) }),
            let provider = entries["provider"].flatMap({ self.name($0) }), let columnsEntry = entries["columns"]
        else { return nil }
        if !ExternalDataset.isName(name) || BuiltInResources.named(ResourceName(name)) != nil {
            note(
                "BAD_NAME", line: nameEntry.line, "the name of the data set can't be used",
                "\(ExternalDataset.namePattern); no resource of the program")
        }
        var (columns, ownLists, headings): ([ColumnDefinition], [CodeList], [String: String]) = ([], [], [:])
        let nodes = list(columnsEntry) ?? []
        if nodes.isEmpty || nodes.count > ExternalDataset.columnsMax {
            note(
                "COLUMNS", line: columnsEntry.line, "a data set has 1 to \(ExternalDataset.columnsMax) columns",
                "list each with its name")
        }
        for node in nodes.prefix(ExternalDataset.columnsMax) {
            guard let (column, list, heading) = self.column(node, of: name, lists) else { continue }
            if columns.contains(where: { $0.name == column.name }) {
                note("DUPLICATE_NAME", line: node.mark?.line ?? 1, "a column stands twice", "keep one of the two")
            }
            columns.append(column)
            if let list { ownLists.append(list) }
            headings[column.name] = heading
        }
        func role(_ word: String, _ type: ColumnType) -> String? {
            guard let entry = entries[word], let name = text(entry) else { return nil }
            guard columns.first(where: { $0.name == name })?.type == type else {
                note(
                    "ROLE", line: entry.line,
                    "`\(word)` names no column of type \(type == .timestamp ? "time" : "text")",
                    suggestion(for: name, among: columns.filter { $0.type == type }.map(\.name)))
                return nil
            }
            return name
        }
        let (key, time) = (role("key", .text), role("time", .timestamp))
        var roles: [String: String] = [:]
        for (word, column) in Self.roles { roles[column] = role(word, word == "until" ? .timestamp : .text) }
        guard problems.isEmpty, let key, let time else { return nil }
        // What names a row, and its time, every row must have.
        let needed = columns.map { column in
            guard [key, time].contains(column.name), !column.isRequired else { return column }
            return ColumnDefinition(
                column.name, column.title, column.type, level: column.level, codeList: column.codeList, required: true,
                bytesMax: column.bytesMax)
        }
        return ExternalDataset(
            name: name, version: version, title: title, provider: provider, columns: needed, lists: ownLists,
            headings: headings, key: key, time: time, roles: roles)
    }

    private mutating func column(
        _ node: Node, of dataset: String, _ lists: CodeLists
    ) -> (ColumnDefinition, CodeList?, heading: String?)? {
        guard
            let entries = entries(
                of: node, in: "a column",
                keys: ["name", "title", "type", "level", "required", "list", "codes", "heading"],
                required: ["name", "title"]),
            let nameEntry = entries["name"], let name = text(nameEntry),
            let title = entries["title"].flatMap({ self.name($0) })
        else { return nil }
        guard ExternalDataset.isName(name) else {
            note("BAD_NAME", line: nameEntry.line, "the name of a column can't be used", ExternalDataset.namePattern)
            return nil
        }
        var type = ColumnType.text
        if let entry = entries["type"], let word = text(entry) {
            guard let known = Self.types[word] else {
                note(
                    "UNKNOWN_WORD", line: entry.line, "unknown word in `type`",
                    suggestion(for: word, among: Self.types.keys.sorted()))
                return nil
            }
            type = known
        }
        let level = entries["level"].flatMap { integer($0, 1...4) } ?? 1
        if level > ClassificationLevel.inner.rawValue {
            note(
                "LEVEL", line: entries["level"]?.line ?? nameEntry.line,
                "a column is personal or sensitive (level \(level))",
                "external data are counted and passed on, so they have no such column; leave it out before importing")
        }
        var (list, own): (String?, CodeList?) = (nil, nil)
        if let entry = entries["list"], let known = text(entry) {
            list = known
            if lists.named(known) == nil {
                note(
                    "UNKNOWN_LIST", line: entry.line, "`list` names no code list",
                    suggestion(for: known, among: lists.all.map(\.name)))
            }
        } else if let entry = entries["codes"], let mapping = self.entries(of: entry.value, in: "`codes`", keys: nil) {
            let codes = mapping.values.sorted { $0.line < $1.line }.compactMap { code in
                self.name(code).map { CodeList.Entry(code: code.key, title: $0) }
            }
            list = "\(dataset)_\(name)"
            own = CodeList(name: "\(dataset)_\(name)", title: title, entries: codes)
        }
        let required = entries["required"].flatMap { text($0) } == "true"
        return (
            ColumnDefinition(
                name, title, type, level: ClassificationLevel(rawValue: min(level, 2)) ?? .inner, codeList: list,
                required: required, bytesMax: 10_000), own, entries["heading"].flatMap { self.name($0) }
        )
    }
}
