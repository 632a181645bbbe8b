import ConfigurationFiles
import FederationModel

/// The rows of the tables of a web page, read piece by piece.
///
/// Many systems write such a page and call it `.xls`, because Excel opens it. It has been decoded when it comes here; what it
/// says of its own encoding doesn't count.
final class HTMLTable: SheetRows {
    private let input: TextInput
    private let handler = TableHandler()
    private let stream: XMLStream
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var isAtEnd = false
    private var ready: ArraySlice<SheetRow> = []

    init(_ input: TextInput) {
        self.input = input
        stream = XMLStream(handler, isHTML: true)
    }

    var kind: SourceForm.Kind { .html }
    var encoding: TextEncoding? { input.encoding }
    var sheetName: String? { nil }
    var name: String { input.name }
    var bytesRead: Int64 { input.bytesRead }
    var bytesTotal: Int64 { input.bytesTotal }

    func next() throws -> SheetRow? {
        while true {
            if let row = ready.popFirst() { return row }
            if isAtEnd {
                guard handler.hasTable else {
                    throw FederationError(
                        "E_IMPORT_FORM", "\(input.name) is a web page without a table (HTML)",
                        hint: "perhaps the export failed and this is its error page; open it in a browser")
                }
                guard !handler.isCut else {
                    throw FederationError.damagedFile("\(input.name) ends in the middle of its table")
                }
                return nil
            }
            let count = try buffer.withUnsafeMutableBytes { try input.read(into: $0) }
            isAtEnd = count == 0
            // The parser closes what is open at the end: a table, and a row that was cut in it.
            if isAtEnd { handler.end() }
            _ = buffer.withUnsafeBytes { stream.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]), isLast: isAtEnd) }
            ready = handler.takeRows()[...]
        }
    }
}

/// Makes rows of the tables of a page.
private final class TableHandler: XMLHandler {
    private var done: [SheetRow] = []
    private var row = SheetRow(number: 0)
    private var cell: [UInt8]?
    private var span = 1
    /// Tables that are open: a table in a cell is part of the cell's text.
    private var depth = 0
    private(set) var hasTable = false
    /// Whether the page ended within a table.
    private(set) var isCut = false

    /// Takes nothing more if a table is open.
    func end() { isCut = depth > 0 }

    func takeRows() -> [SheetRow] {
        defer { done.removeAll(keepingCapacity: true) }
        return done
    }

    func start(_ element: XMLElement) {
        if element.name == "table" {
            depth += 1
            hasTable = true
        } else if depth != 1 {
            return
        } else if element.name == "tr" {
            endCell()
            endRow()
            row = SheetRow(number: row.number + 1)
        } else if element.name == "td" || element.name == "th" {
            endCell()
            cell = []
            span = min(max(element.attribute("colspan").flatMap { Int($0) } ?? 1, 1), CSVLimits.columns)
        } else if element.name == "br" {
            cell?.append(0x0A)
        }
    }

    func end(_ name: XMLName) {
        if name == "table" {
            if depth == 1 {
                endCell()
                endRow()
            }
            depth = max(0, depth - 1)
        } else if depth != 1 {
            return
        } else if name == "td" || name == "th" {
            endCell()
        } else if name == "tr" {
            endCell()
            endRow()
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let cell else { return }
        guard cell.count + bytes.count <= CSVLimits.fieldBytes else {
            row.fault = .tooLong
            return
        }
        self.cell?.append(contentsOf: bytes)
    }

    private func endCell() {
        guard let cell else { return }
        self.cell = nil
        guard row.cells.count + span <= CSVLimits.columns + 1 else {
            row.fault = .columnCount
            return
        }
        row.cells.append(cell.withUnsafeBufferPointer { String(decoding: trimmingBlanks($0), as: UTF8.self) })
        row.cells += repeatElement("", count: span - 1)
    }

    private func endRow() {
        guard !row.cells.isEmpty, !isCut else { return }
        done.append(row)
        row.cells = []
        row.fault = nil
    }
}
