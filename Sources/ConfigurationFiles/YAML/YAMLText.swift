import Yams

/// Turns text into Yams nodes, and every way in which that can fail into a `FileProblem`.
///
/// Yams is kept away from two kinds of input. Aliases: a few lines of them stand for millions of nodes. And keys that
/// occur twice: Yams stops at the first of them, which would hide every other problem of the file.
struct YAMLText {
    let text: String
    let kind: FileKind
    let file: String

    /// Marks a key that occurs before in its mapping; in the private use area, so nobody writes it.
    private static let marker: Unicode.Scalar = "\u{E000}"
    private static let repeatedKeysMax = 20

    func compose() throws(FileProblem) -> Node {
        try refuseAliases()
        // Yams hands libYAML a pointer that lives only as long as the string is stored on the heap; short ones are not.
        var yaml = text + String(repeating: "\n", count: 16)
        for _ in 0..<Self.repeatedKeysMax {
            do {
                // No resolver rules: every scalar stays as it was written, so 370000 and "370000" are the same code.
                let parser = try Parser(yaml: yaml, resolver: .basic, encoding: .utf8)
                guard let root = try parser.singleRoot() else { break }
                return root
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                guard let marked = Self.marking(yaml, context.mark) else { break }
                yaml = marked
            } catch {
                throw syntaxProblem(error)
            }
        }
        throw problem(
            "SYNTAX", line: 1, "the file is empty, or repeats the same keys again and again",
            "start from a file of \(kind.examples)")
    }

    /// The key as it was written, without a marker.
    static func unmarked(_ key: String) -> String {
        String(String.UnicodeScalarView(key.unicodeScalars.drop { $0 == marker }))
    }

    /// `yaml` with a marker before the key at `mark`, so that the key differs from the later ones of the same name. Lines
    /// are counted as libYAML counts them; no line moves.
    private static func marking(_ yaml: String, _ mark: Mark) -> String? {
        var scalars = yaml.unicodeScalars
        var line = 1
        var index = scalars.startIndex
        while line < mark.line, index < scalars.endIndex {
            let scalar = scalars[index]
            scalars.formIndex(after: &index)
            let isCRLF = scalar == "\r" && index < scalars.endIndex && scalars[index] == "\n"
            if !isCRLF, ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) { line += 1 }
        }
        guard let key = scalars.index(index, offsetBy: mark.column - 1, limitedBy: scalars.endIndex) else { return nil }
        scalars.insert(marker, at: key)
        return String(scalars)
    }

    /// Refuses a text that can hold an alias: it has both `&name` and `*name` somewhere at the beginning of a word. Coarse on
    /// purpose, a scan for them that knows about quotes and comments would be a second YAML parser.
    private func refuseAliases() throws(FileProblem) {
        var hasAnchor = false
        var aliasLine: Int?
        var line = 1
        var previous = UInt8(ascii: "\n")
        for (byte, next) in zip(text.utf8, text.utf8.dropFirst()) {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "&") where !Self.isInWord(previous) && Self.isInName(next): hasAnchor = true
            case UInt8(ascii: "*") where !Self.isInWord(previous) && Self.isInName(next): aliasLine = aliasLine ?? line
            default: break
            }
            previous = byte
        }
        guard hasAnchor, let aliasLine else { return }
        throw problem(
            "ALIAS", line: aliasLine, "anchors and aliases (&name, *name) are not supported",
            "write the values out; in a name or a comment put a space after & and *")
    }

    /// Whether what follows `byte` can't be the beginning of an anchor or an alias: `R&D`, `"*phone*"`.
    private static func isInWord(_ byte: UInt8) -> Bool {
        isInName(byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    /// Whether libYAML takes `byte` as a part of an anchor's name.
    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func syntaxProblem(_ error: any Error) -> FileProblem {
        let lastLine = text.count(where: \.isNewline) + 1
        let (line, message): (Int, String) =
            switch error {
            case YamlError.scanner(let context, let problem, let mark, _):
                // The start of the token: a quote that is never closed is noticed far below the line to change.
                ((context?.mark ?? mark).line, problem)
            case YamlError.parser(let context, let problem, let mark, _):
                // At the end of the file the bracket that is never closed says more.
                ((mark.line <= lastLine ? mark : context?.mark ?? mark).line, problem)
            case YamlError.composer(_, let problem, let mark, _):
                (mark.line, problem)
            case YamlError.reader(let problem, let offset, _, let yaml):
                (yaml.prefix(offset ?? 0).count(where: \.isNewline) + 1, problem)
            default: (1, "the text can't be parsed")
            }
        return problem(
            "SYNTAX", line: min(line, lastLine), "not valid YAML: \(message)",
            "check indentation (spaces, no tabs), colons and quotes here and in the line before")
    }

    private func problem(_ code: String, line: Int, _ message: String, _ hint: String) -> FileProblem {
        FileProblem(code: "E_\(kind.name)_\(code)", file: file, line: line, message: message, hint: hint)
    }
}
