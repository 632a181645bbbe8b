import FederationModel

/// What the parts of a workbook beside its rows say: which sheets there are, and how numbers are shown (ECMA-376).
struct WorkbookParts {
    let archive: ZipArchive
    /// The part with the rows of the sheet that is read.
    let sheetPart: String
    let sheetName: String
    let sharedPart: String?
    let numbers: CellNumber
    /// By the index of a cell's style.
    let formats: [NumberFormat]

    /// - Parameter sheet: name of the sheet; nil for the first that is not hidden.
    /// - Throws: `E_IMPORT_READ`, `E_IMPORT_FORM`, `E_IMPORT_SHEET`.
    init(_ source: SourceBytes, sheet: String?) throws {
        archive = try ZipArchive(source)
        let root = RelationsHandler()
        guard try archive.parse("_rels/.rels", root) else { throw Self.noWorkbook(archive) }
        let main = root.targets.first { $0.type.hasSuffix("/officeDocument") }.map { Self.path($0.target, in: "") }
        guard let main, main.lowercased().hasSuffix(".xml") else { throw Self.noWorkbook(archive) }
        let workbook = WorkbookHandler()
        guard try archive.parse(main, workbook) else { throw Self.noWorkbook(archive) }
        let folder = main.split(separator: "/").dropLast().joined(separator: "/")
        let relations = RelationsHandler()
        let file = main.split(separator: "/").last ?? ""
        _ = try archive.parse("\(folder.isEmpty ? "" : folder + "/")_rels/\(file).rels", relations)
        func part(_ kind: String) -> String? {
            relations.targets.first { $0.type.hasSuffix("/\(kind)") }.map { Self.path($0.target, in: folder) }
        }
        let sheets = workbook.sheets.compactMap { sheet in
            relations.targets.first { $0.id == sheet.relation && $0.type.hasSuffix("/worksheet") }
                .map { (name: sheet.name, isHidden: sheet.isHidden, part: Self.path($0.target, in: folder)) }
        }
        let chosen = sheet.map { wanted in sheets.first { $0.name == wanted } } ?? sheets.first { !$0.isHidden }
        guard let chosen else {
            throw FederationError(
                "E_IMPORT_SHEET", "\(source.name) has no \(sheet.map { "sheet '\($0)'" } ?? "visible sheet")",
                hint: "it has \(sheets.map { "'\($0.name)'" }.joined(separator: ", "))")
        }
        (sheetPart, sheetName) = (chosen.part, chosen.name)
        sharedPart = part("sharedStrings")
        numbers = CellNumber(countsFrom1904: workbook.countsFrom1904)
        let styles = StylesHandler()
        if let part = part("styles") { _ = try archive.parse(part, styles) }
        formats = styles.formats
    }

    /// Where a relation's target is: beside the part that names it, or from the root.
    private static func path(_ target: String, in folder: String) -> String {
        if target.hasPrefix("/") { return String(target.dropFirst()) }
        var parts = folder.split(separator: "/").map(String.init)
        for step in target.split(separator: "/") {
            switch step {
            case ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(String(step))
            }
        }
        return parts.joined(separator: "/")
    }

    private static func noWorkbook(_ archive: ZipArchive) -> FederationError {
        let names = archive.names(max: 1_000)
        if names.contains(where: { $0.lowercased().hasSuffix("workbook.bin") }) {
            return FederationError(
                "E_IMPORT_FORM", "\(archive.name) is a binary workbook (.xlsb), which is not read",
                hint: "save it as .xlsx")
        }
        if names.contains("mimetype") {
            return FederationError(
                "E_IMPORT_FORM", "\(archive.name) is an OpenDocument file, which is not read",
                hint: "save it as .xlsx or CSV")
        }
        if names.contains(where: { $0.lowercased().hasSuffix("workbook.xml") }) {
            return FederationError(
                "E_IMPORT_FORM", "\(archive.name) is an .xlsx workbook that lacks its list of relations",
                hint: "open it in a spreadsheet program and save it")
        }
        return FederationError(
            "E_IMPORT_FORM", "\(archive.name) is a zip archive of \(names.count) files and no workbook",
            hint: "unpack it and import the files; gzip and zstd are read as they are")
    }
}

extension ZipArchive {
    /// Gives a part to a handler.
    ///
    /// - Returns: whether it is there.
    /// - Throws: `E_IMPORT_READ` when it is damaged or larger than such a part can be.
    func parse(_ part: String, _ handler: any XMLHandler, limit: Int = WorkbookLimits.partBytes) throws -> Bool {
        guard try open(part) else { return false }
        let stream = XMLStream(handler)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var total = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try read(into: $0) }
            total += count
            guard total <= limit else { throw damaged("has a part of more than \(limit >> 20) MiB") }
            let problem = buffer.withUnsafeBytes {
                stream.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]), isLast: count == 0)
            }
            if let problem { throw damaged(problem) }
            if count == 0 { return true }
        }
    }
}

private final class RelationsHandler: XMLHandler {
    private(set) var targets: [(id: String, type: String, target: String)] = []

    func start(_ element: XMLElement) {
        guard element.name == "Relationship", let id = element.attribute("Id"), let type = element.attribute("Type"),
            let target = element.attribute("Target")
        else { return }
        targets.append((id, type, target))
    }

    func end(_ name: XMLName) {}
    func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}

private final class WorkbookHandler: XMLHandler {
    private(set) var sheets: [(name: String, relation: String, isHidden: Bool)] = []
    private(set) var countsFrom1904 = false

    func start(_ element: XMLElement) {
        if element.name == "sheet", let name = element.attribute("name"), let relation = element.attribute("id") {
            sheets.append((name, relation, (element.attribute("state") ?? "visible") != "visible"))
        } else if element.name == "workbookPr" {
            countsFrom1904 = ["1", "true"].contains(element.attribute("date1904") ?? "")
        }
    }

    func end(_ name: XMLName) {}
    func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}

private final class StylesHandler: XMLHandler {
    private var codes: [Int: NumberFormat] = [:]
    private var isInCellFormats = false
    private(set) var formats: [NumberFormat] = []

    func start(_ element: XMLElement) {
        if element.name == "numFmt", let id = element.attribute("numFmtId").flatMap({ Int($0) }),
            let code = element.attribute("formatCode")
        {
            codes[id] = NumberFormat(code: code)
        } else if element.name == "cellXfs" {
            isInCellFormats = true
        } else if element.name == "xf", isInCellFormats {
            let id = element.attribute("numFmtId").flatMap { Int($0) } ?? 0
            formats.append(codes[id] ?? NumberFormat(builtIn: id))
        }
    }

    func end(_ name: XMLName) { if name == "cellXfs" { isInCellFormats = false } }
    func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}
