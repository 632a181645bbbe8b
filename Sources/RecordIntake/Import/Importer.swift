import ConfigurationFiles
import FederationModel
import NodeFiles

/// Turns a file of CSV or of JSON Lines into records, row by row, in constant memory.
///
/// Keys are made of the origin and the source's key, so importing a file a second time hands in the same records again.
package final class Importer {
    package let mapping: Mapping
    private let reader: any RowReader
    private let mapper: RowMapper
    /// Values that were written as `="…"` and were taken without that.
    package private(set) var unwrapped = 0

    /// Opens the file and finds the mapping's columns in its header.
    ///
    /// - Throws: `E_IMPORT_READ`, `E_CSV_HEADER`; `E_MAPPING` with line and suggestion for a column that the file lacks and
    ///   that is not optional, or that it has twice.
    package init(mapping: Mapping, origin: NodeID, path: String) throws {
        self.mapping = mapping
        reader = try Self.reader(of: path, for: mapping)
        var mapper = try RowMapper(mapping: mapping, origin: origin, header: reader.header)
        // What can be read once only is taken as it comes.
        if FileFacts.isRegular(path) {
            mapper.takesCutKeys = try !Self.areKeysCut(by: mapper, in: Self.reader(of: path, for: mapping))
        }
        self.mapper = mapper
    }

    private static func reader(of path: String, for mapping: Mapping) throws -> any RowReader {
        guard try JSONLinesReader.accepts(path: path) else { return try CSVReader(path: path) }
        let names = Set(mapping.columns.map { ExactText($0.name) })
        return try JSONLinesReader(path: path, columns: names.sorted().map(\.text))
    }

    /// Rows by which the keys of a file are judged.
    private static let sampleRows = 1_000

    private static func areKeysCut(by mapper: RowMapper, in reader: any RowReader) throws -> Bool {
        var sample: [String] = []
        while reader.rowNumber < sampleRows, let step = try? reader.next() {
            if step == .row { sample += mapper.keyParts(reader.text) }
        }
        return KeyDamage.isCut(sample)
    }

    /// The columns of the file; of JSON Lines those that the mapping names.
    package var columns: [String] { reader.header }

    /// How much of the file has been consumed, in bytes as it lies on disk.
    package var bytesRead: Int64 { reader.bytesRead }
    package var bytesTotal: Int64 { reader.bytesTotal }

    /// - Returns: nil at the end of the file.
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    package func next() throws -> IntakeRow? {
        guard let step = try reader.next() else { return nil }
        let result: Result<SourceRow, RowRejection>
        var identity: RowIdentity?
        switch step {
        case .row:
            result = Result { () throws(RowRejection) in
                let (row, found) = try mapper.row(text)
                identity = found
                return row
            }
        case .malformed(let fault):
            result = .failure(RowRejection(code: fault.rawValue, reason: fault.reason))
        }
        return IntakeRow(number: reader.rowNumber, line: reader.rowLine, result: result, identity: identity)
    }

    private func text(_ column: Int) -> String {
        let text = reader.text(column)
        guard text.utf8.first == UInt8(ascii: "="), let inner = KeyDamage.unwrapped(text) else { return text }
        unwrapped += 1
        return inner
    }
}
