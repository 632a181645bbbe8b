import Detection
import FederationModel
import LogicalQuery
import Yams

/// What a file of an evaluation scheme says (评价方案, 7.2.4); `docs/evaluation.md` documents the format.
package struct SchemeFile: Sendable {
    package let scheme: EvaluationScheme
    /// By the word of an exclusion, which tickets it is about: a condition on the columns of the ticket.
    package let exclusions: [String: String]

    package static let bytesMax = 200_000
    private static let kind = FileKind(name: "SCHEME", examples: "docs/evaluation.md", bytesMax: bytesMax)

    /// - Parameter library: the indicators that a criterion of the hotline's own data may name.
    /// - Throws: all problems of the file at once.
    package static func read(
        path: String, library: IndicatorLibrary
    ) throws(FileProblems) -> (file: SchemeFile, text: String) {
        let text = try kind.text(path: path)
        return (try read(text: text, file: path, library: library), text)
    }

    /// - Throws: all problems of the text at once; `file` is what they call it.
    package static func read(
        text: String, file: String, library: IndicatorLibrary
    ) throws(FileProblems) -> SchemeFile {
        let root = try kind.yaml(text, file: file)
        var reader = YAMLReader(kind: kind, file: file)
        let scheme = reader.scheme(root, library)
        guard reader.problems.isEmpty, let scheme else { throw FileProblems(problems: reader.problemsByLine) }
        return scheme
    }
}

extension YAMLReader {
    fileprivate mutating func scheme(_ root: Node, _ library: IndicatorLibrary) -> SchemeFile? {
        guard
            let entries = entries(
                of: root, in: "the file",
                keys: ["scheme", "version", "title", "evaluated", "criteria", "groups", "classes", "exclusions"],
                required: ["scheme", "version", "title", "evaluated", "criteria"]),
            let idEntry = entries["scheme"], let id = text(idEntry), let criteriaEntry = entries["criteria"]
        else { return nil }
        if id.wholeMatch(of: /[a-z][a-z0-9_-]{0,39}/) == nil {
            note(
                "BAD_NAME", line: idEntry.line, "the name of the scheme can't be used", "small letters, digits, - and _"
            )
        }
        let version = entries["version"].flatMap { integer($0, 1...1_000_000) } ?? 1
        let title = entries["title"].flatMap { name($0) } ?? ""
        var evaluated = EvaluationScheme.Evaluated.hotline
        if let entry = entries["evaluated"], let word = text(entry) {
            if let known = EvaluationScheme.Evaluated(rawValue: word) {
                evaluated = known
            } else {
                note(
                    "UNKNOWN_WORD", line: entry.line, "unknown word in `evaluated`",
                    suggestion(for: word, among: ["hotline", "unit"]))
            }
        }
        var lines: [String: Int] = [:]
        var criteria: [EvaluationScheme.Criterion] = []
        for node in list(criteriaEntry) ?? [] {
            lines["criteria[\(criteria.count)]"] = node.mark?.line ?? criteriaEntry.line
            guard let criterion = criterion(node, library) else { continue }
            criteria.append(criterion)
        }
        var groups: [String: [String]] = [:]
        if let entry = entries["groups"], let mapping = self.entries(of: entry.value, in: "`groups`", keys: nil) {
            for (name, group) in mapping {
                groups[name] = (list(group) ?? []).compactMap { text(Entry(key: "groups", value: $0)) }
            }
        }
        var scheme = EvaluationScheme(
            id: id, version: version, title: title, evaluated: evaluated, criteria: criteria, groups: groups)
        if let entry = entries["classes"] { scheme.classes = (list(entry) ?? []).compactMap { gradeClass($0) } }
        var exclusions: [String: String] = [:]
        if let entry = entries["exclusions"], let mapping = self.entries(of: entry.value, in: "`exclusions`", keys: nil)
        {
            for (word, condition) in mapping {
                guard let text = text(condition) else { continue }
                exclusions[word] = text
                do throws(FederationError) {
                    // What is told of tickets must be known of the tickets of callbacks and evaluations too.
                    _ = try Condition(try Condition(text, on: .ticket).ofTicket, on: .callback)
                } catch {
                    note("EXCLUSION", line: condition.line, error.message, error.hint ?? "see docs/indicators.md")
                }
            }
        }
        scheme.exclusions = exclusions.keys.sorted { $0.precedes($1) }
        // What can be said of it as a whole, each where it is written.
        if problems.isEmpty {
            for problem in scheme.problems {
                let field = problem.field.prefix { $0 != "." }
                note(
                    field == "criteria" ? "WEIGHTS" : "INVALID",
                    line: lines[String(field)] ?? entries[String(field)]?.line ?? idEntry.line, problem.description,
                    "correct it and check the file again")
            }
        }
        return SchemeFile(scheme: scheme, exclusions: exclusions)
    }

    private mutating func criterion(
        _ node: Node, _ library: IndicatorLibrary
    ) -> EvaluationScheme.Criterion? {
        guard
            let entries = entries(
                of: node, in: "a criterion", keys: ["id", "title", "weight", "source", "sample_min"],
                required: ["id", "weight"]),
            let idEntry = entries["id"], let id = text(idEntry), let weightEntry = entries["weight"]
        else { return nil }
        var source = EvaluationScheme.Criterion.Source.hotline
        if let entry = entries["source"], let word = text(entry) {
            if let known = EvaluationScheme.Criterion.Source(rawValue: word) {
                source = known
            } else {
                note(
                    "UNKNOWN_WORD", line: entry.line, "unknown word in `source`",
                    suggestion(for: word, among: ["hotline", "supervision", "survey", "assessment"]))
                return nil
            }
        }
        var title = entries["title"].flatMap { name($0) }
        if source == .hotline {
            let indicator = try? library.named(id)
            title = title ?? indicator?.title
            // Hits and tries of one kind of row: what an objection takes away and an interval is computed from.
            if indicator.map({ $0.measure.unit == .percent && $0.measure.terms.count == 1 }) != true {
                note(
                    "INDICATOR", line: idEntry.line,
                    "the criterion names no indicator that is a rate of one kind of row",
                    suggestion(
                        for: id,
                        among: library.all.filter { $0.measure.unit == .percent && $0.measure.terms.count == 1 }
                            .map(\.name)))
            }
        }
        guard let weight = text(weightEntry).flatMap({ Double($0) }), weight.isFinite else {
            note("BAD_NUMBER", line: weightEntry.line, "`weight` is no number", "write a share, like 0.4")
            return nil
        }
        let least = entries["sample_min"].flatMap { integer($0, 1...1_000_000) } ?? 1
        return EvaluationScheme.Criterion(id, title ?? id, weight: weight, source: source, sampleMin: least)
    }

    private mutating func gradeClass(_ node: Node) -> EvaluationScheme.Class? {
        guard let entries = entries(of: node, in: "a class", keys: ["name", "least"], required: ["name", "least"]),
            let name = entries["name"].flatMap({ name($0) }), let leastEntry = entries["least"]
        else { return nil }
        guard let least = text(leastEntry).flatMap({ Double($0) }), (0...100).contains(least) else {
            note("BAD_NUMBER", line: leastEntry.line, "`least` is no score", "write a number from 0 to 100")
            return nil
        }
        return EvaluationScheme.Class(name, least: least)
    }
}
