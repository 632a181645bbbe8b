import CXLSXWriter
import FederationModel
import Foundation
import NodeFiles

/// A workbook (`.xlsx`) for people who go on in a spreadsheet: numbers are numbers, and no text is ever a formula.
struct Workbook {
    enum Cell {
        case empty
        case heading(String)
        case text(String)
        case number(Double, Format)
    }

    enum Format: CaseIterable {
        case whole, decimal
        /// Of a hundredth: 0.8333 is 83.33%.
        case percent

        fileprivate var pattern: String {
            switch self {
            case .whole: "#,##0"
            case .decimal: "#,##0.00"
            case .percent: "0.00%"
            }
        }
    }

    struct Sheet {
        let name: String
        let rows: [[Cell]]
    }

    let sheets: [Sheet]

    /// Rows that a sheet takes, and characters (UTF-16) that a cell takes.
    private static let (rowsMax, cellMax) = (1_048_576, 32_767)

    /// - Throws: `E_WORKBOOK_ROWS`; `E_FILE_EXISTS`, `E_FILE_WRITE`.
    func write(to path: String, existing: OutputFile.Existing) throws {
        // What can't be written is known before anything is made.
        let file = try OutputFile(path, existing: existing)
        try file.write(try bytes())
        try file.commit()
    }

    private func bytes() throws -> [UInt8] {
        guard sheets.allSatisfy({ $0.rows.count <= Self.rowsMax }) else {
            throw FederationError(
                "E_WORKBOOK_ROWS", "a sheet takes \(Self.rowsMax) rows, and there are more",
                hint: "ask for less, or take --format csv")
        }
        // The library writes to a name alone, and its own temporary files hold what the workbook holds.
        let folder = FileManager.default.temporaryDirectory.appending(path: "federation-node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "book.xlsx").path
        let failure = folder.path.withCString { folder -> lxw_error in
            var options = lxw_workbook_options(
                constant_memory: 0, tmpdir: UnsafeMutablePointer(mutating: folder), use_zip64: 0)
            guard let book = workbook_new_opt(path, &options) else { return LXW_ERROR_MEMORY_MALLOC_FAILED }
            fill(book)
            return workbook_close(book)
        }
        guard failure == LXW_NO_ERROR, let data = FileManager.default.contents(atPath: path) else {
            throw FederationError(
                "E_FILE_WRITE", "cannot write a workbook in \(folder.path): \(String(cString: lxw_strerror(failure)))",
                hint: "check the folder of temporary files, and its space")
        }
        return Array(data)
    }

    private func fill(_ book: UnsafeMutablePointer<lxw_workbook>) {
        let heading = workbook_add_format(book)
        format_set_bold(heading)
        let formats = Dictionary(
            uniqueKeysWithValues: Format.allCases.map { format in
                let made = workbook_add_format(book)
                format_set_num_format(made, format.pattern)
                return (format, made)
            })
        for sheet in sheets {
            let worksheet = workbook_add_worksheet(book, sheet.name)
            for (column, width) in sheet.widths.enumerated() {
                worksheet_set_column(worksheet, UInt16(column), UInt16(column), width, nil)
            }
            for (row, cells) in sheet.rows.enumerated() {
                for (column, cell) in cells.enumerated() {
                    let (row, column) = (UInt32(row), UInt16(column))
                    switch cell {
                    case .empty: break
                    case .heading(let text): worksheet_write_string(worksheet, row, column, Self.cut(text), heading)
                    case .text(let text): worksheet_write_string(worksheet, row, column, Self.cut(text), nil)
                    case .number(let number, let format):
                        worksheet_write_number(worksheet, row, column, number, formats[format] ?? nil)
                    }
                }
            }
        }
    }

    private static func cut(_ text: String) -> String {
        text.utf16.count <= cellMax ? text : String(text.prefix(cellMax / 4))
    }
}

extension Workbook.Sheet {
    /// As wide as what stands in them, in characters of the usual size.
    fileprivate var widths: [Double] {
        let columns = rows.map(\.count).max() ?? 0
        return (0..<columns).map { column in
            let widest = rows.prefix(200).map { $0.count > column ? $0[column].width : 0 }.max() ?? 0
            return Double(min(60, max(8, widest + 2)))
        }
    }
}

extension Workbook.Cell {
    fileprivate var width: Int {
        switch self {
        case .empty: 0
        case .heading(let text), .text(let text): TextTable.width(text)
        case .number(let number, _): String(format: "%.2f", number).count
        }
    }
}

extension Workbook.Cell {
    /// A value as it is; of a figure its column says how it is shown.
    init(_ value: FieldValue, _ format: Workbook.Format? = nil) {
        switch value {
        case .null: self = .empty
        case .text(let text): self = .text(text)
        case .integer(let number): self = .number(Double(number), format ?? .whole)
        case .real(let number):
            self = format == .percent ? .number(number / 100, .percent) : .number(number, format ?? .decimal)
        }
    }
}
