import CZlib
import Foundation

/// A zip file of some parts, for workbooks that no spreadsheet program would write.
func zip(_ parts: [(name: String, bytes: [UInt8])], packed: Bool = false) -> [UInt8] {
    var file: [UInt8] = []
    var list: [UInt8] = []
    func number(_ value: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    for part in parts {
        let name = Array(part.name.utf8)
        let data = packed ? deflated(part.bytes) : part.bytes
        let facts =
            number(20, bytes: 2) + number(0, bytes: 2) + number(packed ? 8 : 0, bytes: 2) + number(0, bytes: 4)
            + number(Int(crc32(0, part.bytes, UInt32(part.bytes.count))), bytes: 4) + number(data.count, bytes: 4)
            + number(part.bytes.count, bytes: 4) + number(name.count, bytes: 2) + number(0, bytes: 2)
        list +=
            [0x50, 0x4B, 1, 2] + number(20, bytes: 2) + facts + number(0, bytes: 10) + number(file.count, bytes: 4)
            + name
        file += [0x50, 0x4B, 3, 4] + facts + name + data
    }
    let end =
        [0x50, 0x4B, 5, 6] + number(0, bytes: 4) + number(parts.count, bytes: 2) + number(parts.count, bytes: 2)
        + number(list.count, bytes: 4) + number(file.count, bytes: 4) + number(0, bytes: 2)
    return file + list + end
}

private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    // Negative: without the header that zip files do without.
    deflateInit2_(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
    return input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, Z_FINISH)
            return Array(output[..<Int(stream.total_out)])
        }
    }
}

/// A gzip file of some bytes.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let crc = Int(crc32(0, bytes, UInt32(bytes.count)))
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + deflated(bytes)
        + [crc, bytes.count].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
}

/// A workbook with one sheet `表` of these elements of `sheetData`.
func workbook(rows: String, shared: String? = nil, styles: String? = nil, packed: Bool = false, prefix: String = "")
    -> [UInt8]
{
    zip(workbookParts(rows: rows, shared: shared, styles: styles, prefix: prefix), packed: packed)
}

/// The files that such a workbook consists of.
func workbookParts(rows: String, shared: String? = nil, styles: String? = nil, prefix: String = "")
    -> [(name: String, bytes: [UInt8])]
{
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    func relation(_ id: Int, _ kind: String, _ target: String) -> String {
        "<Relationship Id=\"rId\(id)\" Type=\"\(relations)/\(kind)\" Target=\"\(target)\"/>"
    }
    var parts = [
        ("_rels/.rels", "<Relationships>\(relation(1, "officeDocument", "/xl/workbook.xml"))</Relationships>"),
        (
            "xl/workbook.xml",
            "<workbook xmlns:r=\"\(relations)\"><sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships>\(relation(1, "worksheet", "worksheets/sheet1.xml"))\(relation(2, "sharedStrings", "sharedStrings.xml"))\(relation(3, "styles", "styles.xml"))</Relationships>"
        ),
        ("xl/worksheets/sheet1.xml", prefix + "<worksheet><sheetData>\(rows)</sheetData></worksheet>"),
    ]
    if let shared { parts.append(("xl/sharedStrings.xml", "<sst>\(shared)</sst>")) }
    if let styles { parts.append(("xl/styles.xml", "<styleSheet>\(styles)</styleSheet>")) }
    return parts.map { (name: $0.0, bytes: Array($0.1.utf8)) }
}
