import FederationModel
import Foundation
import Yams

/// How a field's words become codes.
extension MappingReader {
    /// The word of `default` that stands for the region of the node that imports.
    private static let ownRegion = "own"

    func translation(_ parts: [String: Node], for field: ColumnDefinition) throws -> Mapping.Translation? {
        var translation = Mapping.Translation()
        if let node = parts["titles_of"] {
            translation.takeTitles(of: try list(node, for: field), within: region.map { RegionRange($0).prefix })
        }
        if let node = parts["codes"] {
            if let value = parts["value"] { throw fault(line(value), "a 'value' is the code itself; drop 'codes'") }
            if let name = node.scalar?.string {
                let folder = URL(filePath: path).deletingLastPathComponent()
                translation.table = Mapping.CodeTable(path: folder.appending(path: name).path, line: line(node))
            } else {
                try take(node, for: field, into: &translation)
            }
        }
        if let node = parts["otherwise"] {
            guard parts["codes"] != nil || parts["titles_of"] != nil else {
                throw fault(
                    line(node), "'otherwise' goes with 'codes' or 'titles_of'", "use 'default' for an empty column")
            }
            translation.otherwise = try code(node, for: field)
        }
        return parts["codes"] == nil && parts["titles_of"] == nil ? nil : translation
    }

    private func list(_ node: Node, for field: ColumnDefinition) throws -> CodeList {
        let name = try scalar(node)
        if name == field.titleList, field.codeList == nil {
            guard let list = lists.named(name) else {
                throw fault(
                    line(node), "this node has no reference data with list '\(name)'",
                    "the top node publishes it: `reference load`")
            }
            return list
        }
        guard let list = lists.named(name) else {
            throw fault(
                line(node), "unknown code list '\(name)'", suggestion(for: name, among: lists.all.map(\.name)))
        }
        guard name == field.titleList else {
            throw fault(
                line(node), "field '\(field.name)' takes no codes of list '\(name)'",
                field.titleList.map { "its code list is \($0)" })
        }
        return list
    }

    private func take(_ node: Node, for field: ColumnDefinition, into translation: inout Mapping.Translation) throws {
        guard let pairs = node.mapping else {
            throw fault(line(node), "'codes' must map the source's words to codes, or name a file of them")
        }
        for pair in pairs {
            let word = try scalar(pair.key)
            let code = try code(pair.value, for: field)
            guard translation.take(word: word, code: code) else {
                throw fault(line(pair.key), "'*' alone stands for every word", "use 'otherwise'")
            }
        }
    }

    /// What an empty column means.
    func fallback(_ node: Node, for field: ColumnDefinition) throws -> String {
        guard field.titleList == ReferenceData.regionList, try scalar(node) == Self.ownRegion else {
            return try code(node, for: field)
        }
        // Without a node nothing is imported: the mapping is only checked.
        return region ?? Self.ownRegion
    }

    func code(_ node: Node, for field: ColumnDefinition) throws -> String {
        let code = try scalar(node)
        if let name = field.codeList, let list = lists.named(name), !list.contains(code) {
            throw fault(
                line(node), "'\(code)' is not in code list \(name) of field '\(field.name)'",
                "codes: " + list.entries.map { "\($0.code) \($0.title)" }.joined(separator: ", "))
        }
        return code
    }
}
