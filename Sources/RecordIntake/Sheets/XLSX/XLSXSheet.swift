import ConfigurationFiles
import FederationModel

/// The rows of one sheet of an Office Open XML workbook, as they are unpacked.
final class XLSXSheet: SheetRows {
    private let archive: ZipArchive
    private let handler: SheetHandler
    private let stream: XMLStream
    private let cellSheetName: String
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var isAtEnd = false
    private var ready: ArraySlice<SheetRow> = []
    private var taken = 0

    let bytesTotal: Int64

    /// - Parameter sheet: name of the sheet; nil for the first that is not hidden.
    /// - Throws: `E_IMPORT_READ`, `E_IMPORT_FORM`, `E_IMPORT_SHEET`.
    init(_ source: SourceBytes, sheet: String?) throws {
        let parts = try WorkbookParts(source, sheet: sheet)
        archive = parts.archive
        cellSheetName = parts.sheetName
        bytesTotal = source.size
        let shared = SharedTexts()
        if let part = parts.sharedPart {
            _ = try archive.parse(part, shared, limit: WorkbookLimits.sharedBytes)
        }
        handler = SheetHandler(shared: shared, formats: parts.formats, numbers: parts.numbers)
        stream = XMLStream(handler)
        guard try archive.open(parts.sheetPart) else {
            throw archive.damaged("lacks the part of sheet '\(parts.sheetName)'")
        }
    }

    var kind: SourceForm.Kind { .xlsx }
    var encoding: TextEncoding? { nil }
    var sheetName: String? { cellSheetName }
    var name: String { archive.name }
    var bytesRead: Int64 { isAtEnd ? bytesTotal : archive.packedBytesRead }

    func next() throws -> SheetRow? {
        while true {
            if let row = ready.popFirst() {
                taken += 1
                guard (1...WorkbookLimits.rows).contains(row.number), taken <= WorkbookLimits.rows else {
                    throw archive.damaged("has a row that no sheet has")
                }
                return row
            }
            if isAtEnd { return nil }
            let count = try buffer.withUnsafeMutableBytes { try archive.read(into: $0) }
            isAtEnd = count == 0
            let problem = buffer.withUnsafeBytes {
                stream.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]), isLast: isAtEnd)
            }
            ready = handler.takeRows()[...]
            if let problem, ready.isEmpty { throw archive.damaged(problem) }
        }
    }
}

/// Makes rows of the elements of a sheet (ECMA-376, part 1, 18.3).
private final class SheetHandler: XMLHandler {
    private enum Kind {
        case number, shared, text, boolean, error
    }

    private let shared: SharedTexts
    private let formats: [NumberFormat]
    private let numbers: CellNumber
    private var done: [SheetRow] = []
    private var row = SheetRow(number: 0)
    private var column = -1
    private var kind = Kind.number
    private var format = NumberFormat.number
    private var value: [UInt8] = []
    private var hasValue = false
    private var hasFormula = false
    private var isReading = false
    private var isPhonetic = false

    init(shared: SharedTexts, formats: [NumberFormat], numbers: CellNumber) {
        self.shared = shared
        self.formats = formats
        self.numbers = numbers
    }

    func takeRows() -> [SheetRow] {
        defer { done.removeAll(keepingCapacity: true) }
        return done
    }

    func start(_ element: XMLElement) {
        if element.name == "c" {
            startCell(element)
        } else if element.name == "v" || element.name == "t" {
            isReading = !isPhonetic
            hasValue = true
        } else if element.name == "row" {
            row = SheetRow(number: element.attribute("r").flatMap { Int($0) } ?? row.number + 1)
            column = -1
        } else if element.name == "f" {
            hasFormula = true
        } else if element.name == "rPh" {
            isPhonetic = true
        }
    }

    func end(_ name: XMLName) {
        if name == "v" || name == "t" {
            isReading = false
        } else if name == "c" {
            endCell()
        } else if name == "row" {
            done.append(row)
            row.cells = []
        } else if name == "rPh" {
            isPhonetic = false
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard isReading else { return }
        guard value.count + bytes.count <= CSVLimits.fieldBytes else {
            row.fault = .tooLong
            return
        }
        value += bytes
    }

    private func startCell(_ element: XMLElement) {
        // A cell without its place stands behind the one before.
        column = element.attribute("r").flatMap(Self.column) ?? column + 1
        kind =
            switch element.attribute("t") {
            case "s": .shared
            case "str", "inlineStr", "d": .text
            case "b": .boolean
            case "e": .error
            default: .number
            }
        let style = element.attribute("s").flatMap { Int($0) } ?? 0
        format = formats.indices.contains(style) ? formats[style] : .number
        value.removeAll(keepingCapacity: true)
        (hasValue, hasFormula) = (false, false)
    }

    private func endCell() {
        if hasFormula && !hasValue { row.fault = .noResult }
        guard hasValue else { return }
        let text = cellValue()
        guard !text.isEmpty else { return }
        guard (0...CSVLimits.columns).contains(column) else {
            row.fault = .columnCount
            return
        }
        while row.cells.count <= column { row.cells.append("") }
        row.cells[column] = text
    }

    private func cellValue() -> String {
        switch kind {
        case .text: return cellText(value[...])
        case .shared:
            guard let text = Int(String(decoding: value, as: UTF8.self)).flatMap({ shared[$0] }) else {
                row.fault = .noResult
                return ""
            }
            return text
        case .boolean: return value == [UInt8(ascii: "1")] ? "true" : "false"
        // What is #N/A or #REF! is not known.
        case .error: return ""
        case .number:
            let written = cellText(value[...])
            return Double(written).map { numbers.text($0, written: written, as: format) } ?? written
        }
    }

    /// The column of a place such as `AB12`, from 0; beyond those of Excel it stays there.
    private static func column(_ place: String) -> Int? {
        var column = 0
        for letter in place.utf8 {
            switch letter {
            case 0x41...0x5A: column = column * 26 + Int(letter) - 0x40
            case 0x61...0x7A: column = column * 26 + Int(letter) - 0x60
            case 0x30...0x39: return column - 1
            default: return nil
            }
            if column > 1 << 14 { return 1 << 14 }
        }
        return nil
    }
}
