import Detection
import FederationModel
import Yams

/// What a file of detection rules says (docs/action.md): rules of a node's own, and new versions of rules that all have.
package struct RuleFile: Sendable {
    package let rules: DetectionRules

    /// Longest file in bytes: dictionaries of sensitive words stand in it.
    package static let bytesMax = 2_000_000
    private static let kind = FileKind(name: "RULE", examples: "docs/action.md", bytesMax: bytesMax)

    /// Reads and checks the file at `path`.
    ///
    /// - Throws: all problems of the file at once.
    package static func read(path: String) throws(FileProblems) -> RuleFile {
        try read(text: kind.text(path: path), file: path)
    }

    /// Checks one that is in memory already; `file` is what the problems call it.
    package static func read(text: String, file: String) throws(FileProblems) -> RuleFile {
        let root = try kind.yaml(text, file: file)
        var reader = YAMLReader(kind: kind, file: file)
        let rules = reader.rules(root)
        guard reader.problems.isEmpty, let rules = try? DetectionRules(rules) else {
            throw FileProblems(problems: reader.problemsByLine)
        }
        return RuleFile(rules: rules)
    }
}

extension YAMLReader {
    private static let rulesMax = 200
    private static let ruleKeys = [
        "id", "version", "title", "method", "kind", "parameters", "levels", "scope", "words",
    ]

    fileprivate mutating func rules(_ root: Node) -> [DetectionRule] {
        guard let entries = entries(of: root, in: "the file", keys: ["rules"], required: ["rules"]),
            let entry = entries["rules"], let nodes = list(entry)
        else { return [] }
        if nodes.isEmpty || nodes.count > Self.rulesMax {
            note("COUNT", line: entry.line, "the file has \(nodes.count) rules", "write 1 to \(Self.rulesMax)")
        }
        var rules: [DetectionRule] = []
        for node in nodes.prefix(Self.rulesMax) {
            guard let rule = rule(node) else { continue }
            if rules.contains(where: { $0.id.isSame(as: rule.id) }) {
                invalid(line: node.mark?.line ?? 1, "there is another rule of that id", in: rule.id)
            }
            rules.append(rule)
        }
        return rules
    }

    /// What `DetectionRule` itself finds wrong, under the one code that the program has for it.
    private mutating func invalid(line: Int, _ message: String, in rule: String) {
        note("INVALID", line: line, "\(quoted(rule)): \(message)", "see docs/action.md for what each method takes")
    }

    private mutating func rule(_ node: Node) -> DetectionRule? {
        let before = problems.count
        guard
            let entries = entries(
                of: node, in: "a rule", keys: Self.ruleKeys, required: ["id", "version", "title", "method", "kind"]),
            let id = entries["id"].flatMap({ text($0) }),
            let version = entries["version"].flatMap({ integer($0, 1...1_000_000) }),
            let title = entries["title"].flatMap({ name($0) }),
            let method = entries["method"].flatMap({ word($0, DetectionMethod.self) }),
            let kind = entries["kind"].flatMap({ word($0, SituationType.self) })
        else { return nil }
        let levels = entries["levels"].map { numbers($0) } ?? [:]
        let unknown = levels.keys.filter { AlertLevel(rawValue: $0) == nil }
        for level in unknown.sorted() {
            note(
                "UNKNOWN_WORD", line: entries["levels"]?.line ?? 1, "\(quoted(level)) is no level",
                suggestion(for: level, among: AlertLevel.allCases.map(\.rawValue)))
        }
        let rule = DetectionRule(
            id: id, version: version, title: title, method: method, kind: kind,
            parameters: entries["parameters"].map { numbers($0) } ?? [:],
            levels: Dictionary(
                uniqueKeysWithValues: levels.compactMap { name, value in
                    AlertLevel(rawValue: name).map { ($0, value) }
                }),
            scope: entries["scope"].map { scope($0) } ?? DetectionRule.Scope(),
            words: entries["words"].flatMap { list($0) }.map { $0.compactMap { wordClass($0) } } ?? [])
        guard problems.count == before else { return nil }
        for problem in rule.problems {
            invalid(line: line(of: problem.field, in: entries) ?? node.mark?.line ?? 1, problem.description, in: id)
        }
        return rule
    }

    /// The line of what a problem names: `words[1].exclusions[0]`.
    private func line(of field: String, in entries: [String: Entry]) -> Int? {
        let parts = field.split { ".[]".contains($0) }.map(String.init)
        guard let first = parts.first, let entry = entries[first] else { return nil }
        var (node, line) = (entry.value, entry.line)
        for part in parts.dropFirst() {
            guard
                let next = Int(part).flatMap({ node.sequence.map(Array.init)?[safe: $0] })
                    ?? node.mapping?.first(where: { $0.key.scalar?.string == part })?.value
            else { break }
            (node, line) = (next, next.mark?.line ?? line)
        }
        return line
    }

    private mutating func word<Word: RawRepresentable & CaseIterable>(
        _ entry: Entry, _ type: Word.Type
    ) -> Word? where Word.RawValue == String {
        guard let text = text(entry) else { return nil }
        if let word = Word(rawValue: text) { return word }
        note(
            "UNKNOWN_WORD", line: entry.line, "unknown word \(quoted(text)) in `\(entry.key)`",
            suggestion(for: text, among: Word.allCases.map(\.rawValue)))
        return nil
    }

    private mutating func numbers(_ entry: Entry) -> [String: Double] {
        guard let entries = entries(of: entry.value, in: "`\(entry.key)`", keys: nil) else { return [:] }
        var numbers: [String: Double] = [:]
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            guard let text = text(entry) else { continue }
            guard let number = Double(text), number.isFinite else {
                note("BAD_NUMBER", line: entry.line, "`\(name)` is no number", "write it as 5 or 0.001")
                continue
            }
            numbers[name] = number
        }
        return numbers
    }

    private mutating func scope(_ entry: Entry) -> DetectionRule.Scope {
        guard let entries = entries(of: entry.value, in: "`scope`", keys: ["regions", "categories"]) else {
            return DetectionRule.Scope()
        }
        return DetectionRule.Scope(
            regions: entries["regions"].map { texts($0) } ?? [],
            categories: entries["categories"].map { texts($0) } ?? [])
    }

    private mutating func wordClass(_ node: Node) -> WordClass? {
        guard
            let entries = entries(
                of: node, in: "a class of words", keys: ["name", "level", "words", "exclusions", "receivers"],
                required: ["name", "level", "words"]),
            let name = entries["name"].flatMap({ self.name($0) }),
            let level = entries["level"].flatMap({ word($0, AlertLevel.self) })
        else { return nil }
        return WordClass(
            name, level, words: entries["words"].map { texts($0) } ?? [],
            exclusions: entries["exclusions"].map { texts($0) } ?? [],
            receivers: entries["receivers"].map { texts($0) } ?? [])
    }

    private mutating func texts(_ entry: Entry) -> [String] {
        (list(entry) ?? []).compactMap { node in
            text(Entry(key: entry.key, value: node, line: node.mark?.line ?? entry.line))
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
