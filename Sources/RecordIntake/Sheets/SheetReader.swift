import ConfigurationFiles
import FederationModel

/// Limits on what is accepted of a workbook, so that no file makes the reader grow.
package enum WorkbookLimits {
    /// Bytes of a workbook that lies packed in a gzip or zstd file, and of an `.xls`, which is read whole.
    static let fileBytes: Int64 = 512 << 20
    /// Rows of a sheet: those of Excel.
    static let rows = 1 << 20
    /// Bytes of a workbook's shared texts, which are kept while its rows are read.
    package static let sharedBytes = 192 << 20
    /// Bytes of any other part than the rows and the shared texts.
    static let partBytes = 32 << 20
    /// Bytes of the rows of a sheet, unpacked: what Excel's largest sheet may come to.
    static let sheetBytes: Int64 = 8 << 30
    /// How many times as long as its packed bytes a part may be. Sheets of equal rows reach 100; a bomb has 1,000.
    static let packingFactor: Int64 = 400
}

/// One row of a sheet.
struct SheetRow {
    /// 1 for the first row of the sheet.
    var number: Int
    /// What stands in its cells, without blanks around it; empty cells at its end may be left out.
    var cells: [String] = []
    var fault: SourceFault?
}

/// The rows of a table that is no CSV, in constant memory.
protocol SheetRows: AnyObject {
    var kind: SourceForm.Kind { get }
    var encoding: TextEncoding? { get }
    /// What the sheet is called; nil where there is only one without a name.
    var sheetName: String? { get }
    /// What messages call the file.
    var name: String { get }
    var bytesRead: Int64 { get }
    var bytesTotal: Int64 { get }

    /// - Returns: nil at the end. Rows without a value may be left out.
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    func next() throws -> SheetRow?
}

/// Reads a sheet as rows with named columns.
final class SheetReader: RowReader {
    private let rows: any SheetRows
    /// Rows that were looked at to find the header, and damage behind them.
    private var ahead: ArraySlice<SheetRow> = []
    private var damage: (any Error)?
    private var row = SheetRow(number: 0)
    private let headerRow: Int

    let header: [String]
    private(set) var rowNumber = 0
    var rowLine: Int { row.number }
    var bytesRead: Int64 { rows.bytesRead }
    var bytesTotal: Int64 { rows.bytesTotal }

    /// - Throws: `E_IMPORT_READ`; `E_CSV_HEADER` when there is no usable header row.
    init(_ rows: any SheetRows, format: SourceFormat) throws {
        self.rows = rows
        var first: [SheetRow] = []
        do {
            while first.count < HeaderSearch.rowsMax * 2,
                format.headerRow.map({ (first.last?.number ?? 0) < $0 }) ?? true,
                let row = try rows.next()
            {
                guard row.fault != nil || row.cells.contains(where: { !$0.isEmpty }) else { continue }
                if let wanted = format.headerRow, row.number < wanted { continue }
                first.append(row)
            }
        } catch {
            damage = error
        }
        let found =
            format.headerRow.map { wanted in first.firstIndex { $0.number == wanted } }
            ?? HeaderSearch.index(
                of: first.map { row in
                    (
                        (row.cells.lastIndex { !$0.isEmpty } ?? -1) + 1, row.cells.count { !$0.isEmpty },
                        row.cells.contains { HeaderSearch.isValue($0.utf8) }
                    )
                })
        guard let found else {
            if let damage { throw damage }
            throw FederationError(
                "E_CSV_HEADER",
                format.headerRow.map { "\(rows.name) has nothing in row \($0), which should name the columns" }
                    ?? "\(rows.sheetName.map { "sheet '\($0)' of " } ?? "")\(rows.name) is empty",
                hint: "a row must name the columns; another sheet is read with --sheet NAME")
        }
        let names = first[found].cells
        header = Array(names[...(names.lastIndex { !$0.isEmpty } ?? 0)])
        guard header.count <= CSVLimits.columns else {
            throw FederationError("E_CSV_HEADER", "\(rows.name) has more than \(CSVLimits.columns) columns")
        }
        headerRow = first[found].number
        ahead = first[(found + 1)...]
    }

    var form: SourceForm {
        SourceForm(kind: rows.kind, encoding: rows.encoding, headerRow: headerRow, sheet: rows.sheetName)
    }

    func next() throws -> RowStep? {
        while let row = try nextRow() {
            guard row.fault != nil || row.cells.contains(where: { !$0.isEmpty }) else { continue }
            self.row = row
            rowNumber += 1
            if let fault = row.fault { return .malformed(fault) }
            if row.cells.count > header.count, row.cells[header.count...].contains(where: { !$0.isEmpty }) {
                return .malformed(.columnCount)
            }
            if row.cells.reduce(0, { $0 + $1.utf8.count }) > CSVLimits.rowBytes { return .malformed(.tooLong) }
            return .row
        }
        return nil
    }

    func text(_ column: Int) -> String { column < row.cells.count ? row.cells[column] : "" }

    private func nextRow() throws -> SheetRow? {
        if let row = ahead.popFirst() { return row }
        if let damage { throw damage }
        return try rows.next()
    }
}
