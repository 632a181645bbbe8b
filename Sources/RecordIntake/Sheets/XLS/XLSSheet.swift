import ConfigurationFiles
import FederationModel
import Foundation

/// The rows of one sheet of an Excel 97–2003 workbook (BIFF8, [MS-XLS]).
///
/// The file is read whole: it holds 65,536 rows at most. An own reader, because Debian's libfreexl ends the process on some
/// damaged files, and cuts times to whole days where their format is Chinese.
final class XLSSheet: SheetRows {
    /// Bytes of a file. Excel's own limits keep real ones below.
    private static let bytesMax = 128 << 20

    let name: String
    private let chosenName: String
    private var records: BIFFRecords
    private var shared: [String] = []
    private var formats: [NumberFormat] = []
    private var numbers = CellNumber()
    private var row: SheetRow?
    /// Where the text goes that is the result of a formula.
    private var pendingText: (row: Int, column: Int)?
    private var isAtEnd = false
    let bytesTotal: Int64

    /// - Parameter sheet: name of the sheet; nil for the first that is not hidden.
    /// - Throws: `E_IMPORT_READ`, `E_IMPORT_FORM`, `E_IMPORT_SHEET`.
    init(_ source: SourceBytes, sheet: String?) throws {
        name = source.name
        bytesTotal = source.size
        guard source.size <= Self.bytesMax else {
            throw FederationError(
                "E_IMPORT_READ", "\(source.name) is an .xls of more than \(Self.bytesMax >> 20) MiB",
                hint: "save it as .xlsx")
        }
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: source.path)))
        guard let file = CompoundFile(bytes) else { throw Self.damaged(source.name) }
        guard let stream = file.stream("Workbook") else {
            if file.isCut { throw Self.damaged(source.name) }
            let isProtected = file.stream("EncryptedPackage") != nil
            let isOld = file.stream("Book") != nil
            throw FederationError(
                "E_IMPORT_FORM",
                "\(source.name) is "
                    + (isProtected
                        ? "a workbook that a password protects"
                        : isOld ? "a workbook of Excel 95 or older" : "a compound file without a workbook of Excel")
                    + ", which is not read",
                hint: isProtected ? "take the password off" : "save it as .xlsx or CSV")
        }
        var globals = Globals()
        try globals.read(stream, name: source.name)
        let chosen =
            sheet.map { wanted in globals.sheets.first { $0.name == wanted } } ?? globals.sheets.first { !$0.isHidden }
        guard let chosen else {
            throw FederationError(
                "E_IMPORT_SHEET", "\(source.name) has no \(sheet.map { "sheet '\($0)'" } ?? "visible sheet")",
                hint: "it has \(globals.sheets.map { "'\($0.name)'" }.joined(separator: ", "))")
        }
        (shared, formats, numbers, chosenName) = (globals.shared, globals.formats, globals.numbers, chosen.name)
        records = BIFFRecords(stream, at: chosen.offset)
        guard records.next()?.kind == BIFFRecords.Kind.beginning else { throw Self.damaged(source.name) }
    }

    var kind: SourceForm.Kind { .xls }
    var encoding: TextEncoding? { nil }
    var sheetName: String? { chosenName }
    var bytesRead: Int64 { isAtEnd ? bytesTotal : min(bytesTotal, Int64(records.position)) }

    func next() throws -> SheetRow? {
        while !isAtEnd {
            guard let record = records.next() else {
                isAtEnd = true
                throw Self.damaged(name)
            }
            if record.kind == BIFFRecords.Kind.end {
                isAtEnd = true
                return row
            }
            if let done = try take(record.kind, record.pieces) { return done }
        }
        return nil
    }

    /// Takes one record.
    ///
    /// - Returns: the row before, when the record begins another.
    private func take(_ kind: UInt16, _ pieces: [ArraySlice<UInt8>]) throws -> SheetRow? {
        let bytes = pieces[0]
        let (line, column) = (Int(bytes.u16(0)), Int(bytes.u16(2)))
        switch kind {
        case BIFFRecords.Kind.sharedText:
            let index = Int(bytes.u32(6))
            guard shared.indices.contains(index) else { throw Self.damaged(name) }
            return try set(shared[index], line, column)
        case BIFFRecords.Kind.label, BIFFRecords.Kind.richText:
            var texts = BIFFTexts(pieces, at: 6)
            return try set(texts.next()?.trimmingBlanks(), line, column)
        case BIFFRecords.Kind.number:
            return try set(number(bytes.double(6), style: bytes.u16(4)), line, column)
        case BIFFRecords.Kind.shortNumber:
            return try set(number(short(bytes.u32(6)), style: bytes.u16(4)), line, column)
        case BIFFRecords.Kind.numbers:
            var done: SheetRow?
            for (index, place) in stride(from: 4, to: bytes.count - 7, by: 6).enumerated() {
                let text = number(short(bytes.u32(place + 2)), style: bytes.u16(place))
                done = try set(text, line, column + index) ?? done
            }
            return done
        case BIFFRecords.Kind.boolean:
            // The last byte tells an error from a truth value; what is #N/A is not known.
            return try set(bytes.u16(6) >> 8 == 0 ? (bytes.u16(6) & 0xFF == 1 ? "true" : "false") : "", line, column)
        case BIFFRecords.Kind.formula:
            return try set(formula(bytes, line, column), line, column)
        case BIFFRecords.Kind.text:
            guard let place = pendingText else { return nil }
            pendingText = nil
            var texts = BIFFTexts(pieces, at: 0)
            return try set(texts.next()?.trimmingBlanks(), place.row, place.column)
        default: return nil
        }
    }

    private func formula(_ bytes: ArraySlice<UInt8>, _ line: Int, _ column: Int) -> String {
        guard bytes.u16(12) == 0xFFFF else { return number(bytes.double(6), style: bytes.u16(4)) }
        switch bytes.u16(6) & 0xFF {
        case 0: pendingText = (line, column)
        case 1: return bytes.u16(8) & 0xFF == 1 ? "true" : "false"
        default: break
        }
        return ""
    }

    private func set(_ text: String?, _ line: Int, _ column: Int) throws -> SheetRow? {
        guard let text, line + 1 >= row?.number ?? 1 else { throw Self.damaged(name) }
        var done: SheetRow?
        if row == nil || row?.number != line + 1 {
            done = row
            row = SheetRow(number: line + 1)
        }
        guard !text.isEmpty else { return done }
        guard column <= CSVLimits.columns else {
            row?.fault = .columnCount
            return done
        }
        if let width = row?.cells.count, width <= column { row?.cells += repeatElement("", count: column + 1 - width) }
        row?.cells[column] = text
        return done
    }

    private func number(_ number: Double, style: UInt16) -> String {
        numbers.text(number, as: formats.indices.contains(Int(style)) ? formats[Int(style)] : .number)
    }

    /// A number in four bytes ([MS-XLS], 2.5.217): a whole one, or the upper bytes of a double, of a hundredth perhaps.
    private func short(_ code: UInt32) -> Double {
        let number =
            code & 2 != 0
            ? Double(Int32(bitPattern: code) >> 2) : Double(bitPattern: UInt64(code & 0xFFFF_FFFC) << 32)
        return code & 1 != 0 ? number / 100 : number
    }

    fileprivate static func damaged(_ name: String) -> FederationError {
        .damagedFile("\(name) is a workbook (.xls) that is cut or damaged")
    }
}

/// What stands in a workbook before its sheets.
private struct Globals {
    var sheets: [(name: String, offset: Int, isHidden: Bool)] = []
    var shared: [String] = []
    var formats: [NumberFormat] = []
    var numbers = CellNumber()

    mutating func read(_ stream: [UInt8], name: String) throws {
        var records = BIFFRecords(stream, at: 0)
        var codes: [Int: NumberFormat] = [:]
        guard let beginning = records.next(), beginning.kind == BIFFRecords.Kind.beginning else {
            throw XLSSheet.damaged(name)
        }
        while let record = records.next(), record.kind != BIFFRecords.Kind.end {
            let bytes = record.pieces[0]
            switch record.kind {
            case BIFFRecords.Kind.password:
                throw FederationError(
                    "E_IMPORT_FORM", "\(name) is a workbook that a password protects, which is not read",
                    hint: "take the password off")
            case BIFFRecords.Kind.dateMode: numbers.countsFrom1904 = bytes.u16(0) == 1
            case BIFFRecords.Kind.format:
                var texts = BIFFTexts(record.pieces, at: 2)
                codes[Int(bytes.u16(0))] = texts.next().map { NumberFormat(code: $0) }
            case BIFFRecords.Kind.cellFormat:
                let id = Int(bytes.u16(2))
                formats.append(codes[id] ?? NumberFormat(builtIn: id))
            case BIFFRecords.Kind.sheet where bytes.u16(4) >> 8 == 0:
                // Charts and macros are sheets of other kinds.
                var texts = BIFFTexts(record.pieces, at: 6)
                guard let name = texts.next(shortLength: true) else { continue }
                sheets.append((name, Int(bytes.u32(0)), bytes.u16(4) & 3 != 0))
            case BIFFRecords.Kind.sharedTexts:
                var texts = BIFFTexts(record.pieces, at: 8)
                let count = Int(bytes.u32(4))
                while shared.count < count, let text = texts.next() { shared.append(text.trimmingBlanks()) }
            default: continue
            }
        }
    }
}
