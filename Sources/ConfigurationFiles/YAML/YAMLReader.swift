import FederationModel
import Yams

/// A value with the line it stands in.
package struct Located<Value> {
    package let value: Value
    package let line: Int

    package init(value: Value, line: Int) {
        self.value = value
        self.line = line
    }
}

/// Reads a YAML document key by key, and notes what is wrong instead of stopping at it.
package struct YAMLReader {
    private let kind: FileKind
    private let file: String
    /// The codes of keys that mean more than a slip when they are given twice.
    private let repeatedKeyCodes: [String: String]
    package private(set) var problems: [FileProblem] = []

    package init(kind: FileKind, file: String, repeatedKeyCodes: [String: String] = [:]) {
        self.kind = kind
        self.file = file
        self.repeatedKeyCodes = repeatedKeyCodes
    }

    package var problemsByLine: [FileProblem] {
        problems.sorted { ($0.line, $0.code, $0.message) < ($1.line, $1.code, $1.message) }
    }

    /// - Parameter code: what follows after the name of the kind of file.
    package mutating func note(_ code: String, line: Int, _ message: String, _ hint: String) {
        problems.append(
            FileProblem(code: "E_\(kind.name)_\(code)", file: file, line: line, message: message, hint: hint))
    }

    /// A value and the key it belongs to.
    package struct Entry {
        package let key: String
        package let value: Node
        package let line: Int

        package init(key: String, value: Node, line: Int? = nil) {
            self.key = key
            self.value = value
            self.line = line ?? value.mark?.line ?? 1
        }

        /// Written as nothing at all, which means the same as leaving the key out.
        package var isNull: Bool {
            guard let scalar = value.scalar, scalar.style == .plain else { return false }
            return ["", "~", "null"].contains(scalar.string)
        }
    }

    package mutating func text(_ entry: Entry) -> String? {
        if let scalar = entry.value.scalar { return scalar.string }
        note("WRONG_TYPE", line: entry.line, "`\(entry.key)` must be one value", "write it as `\(entry.key): …`")
        return nil
    }

    package mutating func list(_ entry: Entry) -> [Node]? {
        if let sequence = entry.value.sequence { return Array(sequence) }
        note(
            "WRONG_TYPE", line: entry.line, "`\(entry.key)` must be a list",
            "write `\(entry.key): [ … ]`, or one line with `- ` for each")
        return nil
    }

    /// The entries of a mapping by their keys, which are of one `kind`; a key that is repeated counts once, as it is written first.
    ///
    /// - Parameter keys: those that there are; nil when the caller checks them.
    package mutating func entries(
        of node: Node, in place: String, keys: [String]?, required: [String] = [], kind: String = "key"
    ) -> [String: Entry]? {
        let start = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            let known = (keys ?? ["KEY"]).prefix(3).map { "`\($0): …`" }.joined(separator: ", ")
            note("NOT_A_MAPPING", line: start, "\(place) is not a mapping", "write it as \(known)")
            return nil
        }
        var entries: [String: Entry] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? start
            let name = YAMLText.unmarked(key.scalar?.string ?? "")
            if let keys, !keys.contains(name) {
                note(
                    "UNKNOWN_\(kind.uppercased())", line: line, "unknown \(kind) \(quoted(name)) in \(place)",
                    suggestion(for: name, among: keys))
            } else if let first = entries[name] {
                note(
                    repeatedKeyCodes[name] ?? "DUPLICATE_KEY", line: line,
                    "`\(name)` was given in line \(first.line) already", "keep one of the two")
            } else {
                entries[name] = Entry(key: name, value: value, line: line)
            }
        }
        for key in required where entries[key] == nil {
            note("MISSING_KEY", line: start, "\(place) lacks the key `\(key)`", "add `\(key): …`")
        }
        return entries
    }

    /// A name for people to read.
    mutating func name(_ entry: Entry, bytesMax: Int = 400) -> String? {
        guard let text = text(entry) else { return nil }
        guard !text.allSatisfy(\.isWhitespace), text.utf8.count <= bytesMax,
            !text.unicodeScalars.contains(where: \.isControl)
        else {
            note(
                "BAD_NAME", line: entry.line, "`\(entry.key)` is empty, too long or holds control characters",
                "write up to \(bytesMax) bytes for people to read")
            return nil
        }
        return text
    }

    /// A day, counted from 1970-01-01.
    mutating func day(_ entry: Entry) -> Int64? {
        guard let text = text(entry) else { return nil }
        guard let day = CivilDate.dayNumber(text) else {
            note("BAD_DAY", line: entry.line, "\(quoted(text)) is not a day", "write it like \"2025-09-30\"")
            return nil
        }
        return day
    }

    /// What the file says, short and harmless enough to be shown in a terminal.
    package func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map { $0.isControl ? "\u{FFFD}" : Character($0) }
        return "\"\(String(shown))\(text.unicodeScalars.count > 60 ? "…" : "")\""
    }
}

extension Unicode.Scalar {
    package var isControl: Bool { properties.generalCategory == .control || properties.generalCategory == .format }
}
