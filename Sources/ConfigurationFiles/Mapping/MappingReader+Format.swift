import FederationModel
import Yams

extension MappingReader {
    /// The keys of a mapping that say how its files are written.
    var formatKeys: [String] { ["encoding", "delimiter", "header_row", "sheet", "short_rows", "empty_words"] }

    func format(_ entries: [String: Node]) throws -> SourceFormat {
        var format = SourceFormat()
        format.encoding = try entries["encoding"].map(encoding)
        format.delimiter = try entries["delimiter"].map(delimiter)
        format.headerRow = try entries["header_row"].map(headerRow)
        format.sheet = try entries["sheet"].map(scalar)
        format.fillsShortRows = try entries["short_rows"].map(fillsShortRows) ?? false
        format.emptyWords = Set(try entries["empty_words"].map(list)?.map(scalar) ?? [])
        return format
    }

    private func encoding(_ node: Node) throws -> TextEncoding {
        let name = try scalar(node)
        guard let encoding = TextEncoding(name: name) else {
            throw fault(line(node), "unknown encoding '\(name)'", TextEncoding.hint)
        }
        return encoding
    }

    private func delimiter(_ node: Node) throws -> UInt8 {
        let text = try scalar(node)
        guard let delimiter = SourceFormat.delimiter(text) else {
            throw fault(
                line(node), "'delimiter' is one character that stands between fields", SourceFormat.delimiterHint)
        }
        return delimiter
    }

    private func headerRow(_ node: Node) throws -> Int {
        guard let row = Int(try scalar(node)), row > 0 else {
            throw fault(line(node), "'header_row' is the line or row with the names of the columns, 1 for the first")
        }
        return row
    }

    private func fillsShortRows(_ node: Node) throws -> Bool {
        switch try scalar(node) {
        case "fill": return true
        case "refuse": return false
        default: throw fault(line(node), "'short_rows' is fill or refuse")
        }
    }
}
