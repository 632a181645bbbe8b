import ConfigurationFiles
import FederationModel

/// Turns a file into records, row by row, in constant memory.
///
/// Keys are made of the origin and the source's key, so importing a file a second time hands in the same records again.
package final class Importer {
    package let mapping: Mapping
    private let reader: any RowReader
    private let mapper: RowMapper
    private let emptyWords: Set<ExactText>
    /// Values that were written as `="…"` and were taken without that.
    package private(set) var unwrapped = 0
    /// Rows that were read to see whether a line of totals is the last, and why no more could be.
    private var ahead: [IntakeRow] = []
    private var failure: (any Error)?
    /// Lines of totals at the end of the file, which are no rows.
    package private(set) var totalLines = 0

    /// Opens the file and finds the mapping's columns in its header.
    ///
    /// - Parameters:
    ///   - path: a file, a pipe, or `-` for standard input.
    ///   - format: what is said of the file beside the mapping; it comes first.
    /// - Throws: `E_IMPORT_READ`, `E_IMPORT_FORM`, `E_IMPORT_SHEET`, `E_CSV_HEADER`; `E_MAPPING` with line and suggestion for
    ///   a column that the file lacks and that is not optional, or that it has twice.
    package init(mapping: Mapping, origin: NodeID, path: String, format: SourceFormat = SourceFormat()) throws {
        self.mapping = mapping
        let format = mapping.format.overridden(by: format)
        emptyWords = Set(format.emptyWords.map { ExactText($0) })
        let source = try SourceFile(path: path)
        let names = Set(mapping.columns.map { ExactText($0.name) }).sorted().map(\.text)
        reader = try source.rows(format: format, columns: .named(names))
        var mapper = try RowMapper(mapping: mapping, origin: origin, header: reader.header)
        mapper.takesCutKeys = try !Self.areKeysCut(by: mapper, in: source.rows(format: format, columns: .named(names)))
        self.mapper = mapper
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

    /// The columns of the file; of JSON those that the mapping names.
    package var columns: [String] { reader.header }

    /// What the file turned out to be.
    package var form: SourceForm { reader.form }

    /// How much of the file has been consumed, in bytes as it lies on disk.
    package var bytesRead: Int64 { reader.bytesRead }
    package var bytesTotal: Int64 { reader.bytesTotal }

    /// - Returns: nil at the end of the file.
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    package func next() throws -> IntakeRow? {
        if !ahead.isEmpty { return ahead.removeFirst() }
        if let failure { throw failure }
        guard let next = try nextRow() else { return nil }
        guard next.isTotal else { return next.row }
        // Rows that can't be taken and look like totals are totals when nothing else follows.
        ahead = [next.row]
        do {
            while let next = try nextRow() {
                ahead.append(next.row)
                if !next.isTotal || ahead.count > TotalLine.linesMax { return ahead.removeFirst() }
            }
            totalLines = ahead.count
            ahead = []
            return nil
        } catch {
            failure = error
            return ahead.removeFirst()
        }
    }

    private func nextRow() throws -> (row: IntakeRow, isTotal: Bool)? {
        let step: RowStep?
        do {
            step = try reader.next()
        } catch let error as FederationError where error.code == "E_IMPORT_READ" {
            guard reader.rowNumber > 0 else { throw error }
            throw FederationError(error.code, "\(error.message), behind row \(reader.rowNumber)", hint: error.hint)
        }
        guard let step else { return nil }
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
        var isTotal = false
        if case .failure = result, step == .row || step == .malformed(.columnCount) {
            isTotal = TotalLine.matches(reader)
        }
        return (IntakeRow(number: reader.rowNumber, line: reader.rowLine, result: result, identity: identity), isTotal)
    }

    private func text(_ column: Int) -> String {
        let text = reader.text(column)
        if !emptyWords.isEmpty, emptyWords.contains(ExactText(text)) { return "" }
        guard let first = text.utf8.first, first == UInt8(ascii: "=") || first == UInt8(ascii: "'"),
            let inner = KeyDamage.unwrapped(text)
        else { return text }
        unwrapped += 1
        return inner
    }
}
