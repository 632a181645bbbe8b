import ConfigurationFiles
import FederationModel

/// Reads the files in which a mapping has the words of a source with their codes.
struct CodeTableReader {
    let mapping: Mapping
    /// More words than any source has for one field; they are held in memory.
    static let rowsMax = 100_000

    /// What a field's words mean, those of its table included.
    ///
    /// - Throws: `E_MAPPING` with the table's row, and no word or code of it, which may be somebody's data; what
    ///   `SourceFile.rows` throws.
    func translation(of rule: Mapping.FieldRule) throws -> Mapping.Translation? {
        guard var translation = rule.translation, let table = translation.table else { return rule.translation }
        var format = SourceFormat()
        format.headerRow = 1
        let reader = try SourceFile(path: table.path).rows(format: format, columns: .named(["word", "code"]))
        guard let words = reader.header.firstIndex(of: "word"), let codes = reader.header.firstIndex(of: "code") else {
            throw fault(table, "has no columns `word` and `code`", "its first row names them")
        }
        let list = rule.field.codeList.flatMap { mapping.lists.named($0) }
        var rows: [ExactText: (number: Int, code: String)] = [:]
        while let step = try reader.next() {
            let number = reader.rowNumber
            guard number <= Self.rowsMax else { throw fault(table, "has more than \(Self.rowsMax) rows") }
            if case .malformed(let fault) = step { throw self.fault(table, "row \(number): \(fault.reason)") }
            let (word, code) = (reader.text(words), reader.text(codes))
            guard !word.isEmpty, !code.isEmpty else { throw fault(table, "row \(number) lacks its word or its code") }
            if let list, !list.contains(code) {
                throw fault(table, "row \(number): the code is not in code list \(list.name)")
            }
            if let former = rows.updateValue((number, code), forKey: ExactText(word)), former.code != code {
                throw fault(table, "rows \(former.number) and \(number) give one word two codes")
            }
            guard translation.take(word: word, code: code) else {
                throw fault(table, "row \(number): '*' alone stands for every word", "use 'otherwise' in the mapping")
            }
        }
        return translation
    }

    private func fault(_ table: Mapping.CodeTable, _ message: String, _ hint: String? = nil) -> FederationError {
        FederationError("E_MAPPING", "\(mapping.path):\(table.line): the table \(table.path) \(message)", hint: hint)
    }
}
