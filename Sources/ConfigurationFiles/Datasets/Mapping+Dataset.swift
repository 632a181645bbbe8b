import FederationModel

extension Mapping {
    /// Reads files of a data set whose headings are those of its registration.
    ///
    /// - Throws: as `read`.
    package static func of(_ dataset: ExternalDataset, lists: CodeLists) throws -> Mapping {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        func heading(_ column: String) -> String { quoted(dataset.headings[column] ?? column) }
        var lines = [
            "source: \(dataset.name)", "closure: append", "key: \(heading(dataset.key))", "zone: Asia/Shanghai",
            "time_formats: ['yyyy-MM-dd HH:mm:ss', 'yyyy-MM-dd HH:mm', 'yyyy-MM-dd']", "records:",
            "  - resource: \(dataset.name)", "    fields:",
        ]
        for column in dataset.columns {
            let codes = column.codeList == nil ? "" : ", titles_of: \(column.codeList ?? "")"
            lines.append("      \(column.name): {column: \(heading(column.name))\(codes)}")
        }
        return try parse(
            lines.joined(separator: "\n") + "\n", path: dataset.name, lists: lists.adding(dataset.lists),
            datasets: [dataset.definition])
    }
}
