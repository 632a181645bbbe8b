import ConfigurationFiles
import FederationModel

/// Finds out from its bytes what a file is, and opens it as rows. Neither its name nor who wrote it has a say.
package final class SourceFile {
    /// The columns of a form that does not name them once for all rows.
    package enum Columns {
        /// Those that a mapping asks for.
        case named([String])
        /// Those of so many rows.
        case found(inRows: Int)
    }

    private let source: SourceBytes
    /// That of a text, once it has been found out: that takes a look at every byte.
    private var encoding: TextEncoding?

    /// - Parameter path: a file, a pipe, or `-` for standard input.
    /// - Throws: `E_IMPORT_READ` when it can't be opened.
    package convenience init(path: String) throws { try self.init(SourceBytes(path: path)) }

    /// The same for bytes at hand.
    package convenience init(_ bytes: [UInt8]) throws { try self.init(SourceBytes(bytes, name: "the file")) }

    private init(_ bytes: SourceBytes) throws {
        let head = try bytes.head(8)
        let isPackedWorkbook = try (Self.isZip(head) || Self.isCompound(head)) && bytes.packing != nil
        source =
            isPackedWorkbook
            ? try SourceBytes(bytes.open(), name: bytes.name, limit: WorkbookLimits.fileBytes) : bytes
    }

    /// Opens it from its beginning, any number of times.
    ///
    /// - Parameter format: what a person says of it; the rest is found out.
    /// - Throws: `E_IMPORT_READ` when it can't be opened; `E_IMPORT_FORM` for a form that is not read; `E_IMPORT_SHEET`;
    ///   `E_CSV_HEADER` when no row names its columns.
    package func rows(format: SourceFormat = SourceFormat(), columns: Columns = .found(inRows: 1_000)) throws
        -> any RowReader
    {
        let head = try source.head(512)
        if let form = UnreadForm(head) { throw form.error(source.name) }
        if Self.isZip(head) { return try SheetReader(XLSXSheet(source, sheet: format.sheet), format: format) }
        if Self.isCompound(head) { return try SheetReader(XLSSheet(source, sheet: format.sheet), format: format) }
        if let sheet = format.sheet {
            throw FederationError("E_IMPORT_SHEET", "\(source.name) is no workbook, so it has no sheet '\(sheet)'")
        }
        let text = try TextInput(source, encoding: format.encoding ?? encoding)
        encoding = text.encoding
        switch try TextForm(text.head, name: text.name) {
        case .html: return try SheetReader(HTMLTable(text), format: format)
        case .csv: return try CSVReader(text, format: format)
        case .json:
            switch columns {
            case .named(let names): return try JSONRowReader(text, columns: names)
            case .found(let rows):
                let keys = try JSONRowReader(text, columns: []).keys(rowsMax: rows)
                return try JSONRowReader(TextInput(source, encoding: text.encoding), columns: keys)
            }
        }
    }

    /// The local header of a zip file's first entry, or the end of an empty one.
    private static func isZip(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x50, 0x4B, 3, 4]) || head.starts(with: [0x50, 0x4B, 5, 6])
    }

    /// A compound file ([MS-CFB], section 2.2), in which Excel wrote its workbooks until 2003.
    private static func isCompound(_ head: [UInt8]) -> Bool {
        head.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
    }
}

/// A form that is known and not read: saying its name helps more than what a CSV reader makes of it.
private enum UnreadForm: String {
    case pdf = "a PDF"
    case bzip2 = "a bzip2 archive"
    case xz = "an xz archive"
    case sevenZip = "a 7-Zip archive"
    case rar = "a RAR archive"
    case image = "an image"
    case oldWorkbook = "a workbook of Excel 95 or older"
    case webArchive = "a web archive (MHTML)"
    case database = "an SQLite database"

    init?(_ head: [UInt8]) {
        let beginnings: [(UnreadForm, [UInt8])] = [
            (.pdf, Array("%PDF".utf8)), (.bzip2, Array("BZh9".utf8)), (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]),
            (.sevenZip, [0x37, 0x7A, 0xBC, 0xAF]), (.rar, Array("Rar!".utf8)), (.image, [0x89, 0x50, 0x4E, 0x47]),
            (.image, [0xFF, 0xD8, 0xFF]), (.oldWorkbook, [0x09, 0x08]), (.oldWorkbook, [0x09, 0x04]),
            (.oldWorkbook, [0x09, 0x02]), (.oldWorkbook, [0x09, 0x00]), (.webArchive, Array("MIME-Version:".utf8)),
            (.database, Array("SQLite format 3".utf8)),
        ]
        guard let found = beginnings.first(where: { head.starts(with: $0.1) }) else { return nil }
        self = found.0
    }

    func error(_ name: String) -> FederationError {
        let hint =
            switch self {
            case .bzip2, .xz, .sevenZip, .rar: "unpack it first; gzip and zstd are read as they are"
            default: "save or export it as .xlsx or CSV"
            }
        return FederationError("E_IMPORT_FORM", "\(name) is \(rawValue), which is not read", hint: hint)
    }
}

/// What a text is.
private enum TextForm {
    case html, json, csv

    init(_ head: [UInt8], name: String) throws {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        let text = head.drop { blanks.contains($0) }
        let next = text.dropFirst().first { !blanks.contains($0) }
        switch text.first {
        case UInt8(ascii: "<"):
            let start = String(decoding: text.prefix(64 << 10), as: UTF8.self).lowercased()
            if start.contains("<table") || start.hasPrefix("<html") || start.hasPrefix("<!doctype html") {
                self = .html
            } else if start.contains("urn:schemas-microsoft-com:office:spreadsheet") {
                throw Self.unread(name, "an XML spreadsheet of Excel 2003")
            } else if start.hasPrefix("<?xml") || start.hasPrefix("<!doctype") {
                throw Self.unread(name, "XML")
            } else {
                self = .csv
            }
        case UInt8(ascii: "{") where next == nil || next == UInt8(ascii: "\"") || next == UInt8(ascii: "}"):
            self = .json
        case UInt8(ascii: "[") where next == nil || next == UInt8(ascii: "{") || next == UInt8(ascii: "]"): self = .json
        case UInt8(ascii: "[") where next == UInt8(ascii: "["): throw Self.unread(name, "a JSON array of arrays")
        default: self = .csv
        }
    }

    private static func unread(_ name: String, _ what: String) -> FederationError {
        FederationError(
            "E_IMPORT_FORM", "\(name) is \(what), which is not read", hint: "save or export it as .xlsx or CSV")
    }
}
