import ConfigurationFiles
import FederationModel

/// Turns a file of CSV or of JSON Lines into records, row by row, in constant memory.
///
/// Keys are made of the origin and the source's key, so importing a file a second time hands in the same records again. Of
/// two rows with one key the store keeps the later.
package final class Importer {
    package let mapping: Mapping
    private let reader: any RowReader
    private let mapper: RowMapper

    /// Opens the file and finds the mapping's columns in its header.
    ///
    /// - Throws: `E_IMPORT_READ`, `E_CSV_HEADER`; `E_MAPPING` with line and suggestion for a column that the file lacks and
    ///   that is not optional, or that it has twice.
    package init(mapping: Mapping, origin: NodeID, path: String) throws {
        self.mapping = mapping
        if try JSONLinesReader.accepts(path: path) {
            let names = Set(mapping.columns.map(\.name))
            reader = try JSONLinesReader(path: path, columns: names.sorted())
        } else {
            reader = try CSVReader(path: path)
        }
        mapper = try RowMapper(mapping: mapping, origin: origin, header: reader.header)
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
        let result: Result<[IntakeRecord], RowRejection>
        switch step {
        case .row:
            result = Result { () throws(RowRejection) in try mapper.records(reader.text) }
        case .malformed(let fault):
            result = .failure(RowRejection(code: fault.rawValue, reason: fault.reason))
        }
        return IntakeRow(number: reader.rowNumber, line: reader.rowLine, result: result)
    }
}
