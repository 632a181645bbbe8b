import FederationModel
import LogicalQuery
import Yams

/// What a file of indicators says: figures of a node's own in the language of declarations, and what those of the program leave open.
package struct IndicatorFile: Sendable {
    package let version: Int
    package let title: String
    package let indicators: [Indicator]
    /// Those of the program that are made anew by what the file sets: the weights of the three rates, which calls asked for a human.
    package let remade: [Indicator]

    /// Longest file in bytes.
    package static let bytesMax = 200_000
    private static let kind = FileKind(name: "INDICATORS", examples: "docs/indicators.md", bytesMax: bytesMax)

    /// Reads and checks the file at `path`.
    ///
    /// - Parameter facts: what can be counted, external data sets among it.
    /// - Throws: all problems of the file at once.
    package static func read(path: String, facts: [Fact] = Fact.all) throws(FileProblems) -> (
        IndicatorFile, text: String
    ) {
        let text = try kind.text(path: path)
        return (try read(text: text, file: path, facts: facts), text)
    }

    /// Checks one that is in memory already; `file` is what the problems call it.
    package static func read(
        text: String, file: String, facts: [Fact] = Fact.all
    ) throws(FileProblems) -> IndicatorFile {
        let root = try kind.yaml(text, file: file)
        var reader = YAMLReader(kind: kind, file: file)
        let read = reader.indicatorFile(root, facts)
        guard reader.problems.isEmpty, let read else { throw FileProblems(problems: reader.problemsByLine) }
        return read
    }
}

extension YAMLReader {
    private static let indicatorKeys = [
        "name", "version", "title", "english", "clause", "unit", "numerator", "denominator", "exclusions", "terms",
    ]
    private static let indicatorsMax = 500

    fileprivate mutating func indicatorFile(_ root: Node, _ facts: [Fact]) -> IndicatorFile? {
        guard
            let entries = entries(
                of: root, in: "the file", keys: ["version", "title", "three_rates", "human_calls", "indicators"],
                required: ["version", "title"])
        else { return nil }
        let version = entries["version"].flatMap { integer($0, 1...1_000_000) } ?? 0
        let title = entries["title"].flatMap { name($0) } ?? ""
        let remade =
            (entries["three_rates"].flatMap { weights($0) }.map(Indicator.threeRates) ?? [])
            + (entries["human_calls"].flatMap { humanCalls($0) }.map(Indicator.humanCalls) ?? [])
        var indicators: [Indicator] = []
        let nodes = entries["indicators"].flatMap { list($0) } ?? []
        if nodes.count > Self.indicatorsMax {
            note(
                "TOO_MANY", line: entries["indicators"]?.line ?? 1, "more than \(Self.indicatorsMax) indicators",
                "leave out those that nobody asks for")
        }
        for node in nodes.prefix(Self.indicatorsMax) {
            guard let indicator = self.indicator(node, facts) else { continue }
            if indicators.contains(where: { $0.name == indicator.name || $0.title == indicator.title }) {
                note(
                    "DUPLICATE_NAME", line: node.mark?.line ?? 1, "the name or title of an indicator stands twice",
                    "keep one of the two")
            }
            indicators.append(indicator)
        }
        return IndicatorFile(version: version, title: title, indicators: indicators, remade: remade)
    }

    private mutating func weights(_ entry: Entry) -> ThreeRateWeights? {
        let keys = ["version", "response", "resolution", "satisfaction"]
        guard let entries = entries(of: entry.value, in: "`three_rates`", keys: keys, required: keys),
            let version = entries["version"].flatMap({ integer($0, 2...1_000_000) })
        else { return nil }
        let weights = keys.dropFirst().compactMap { entries[$0].flatMap { share($0) } }
        guard weights.count == 3 else { return nil }
        guard abs(weights.reduce(0, +) - 1) < 1e-9 else {
            note(
                "WEIGHTS", line: entry.line, "the weights do not add up to 1", "write shares such as 0.1, 0.45 and 0.45"
            )
            return nil
        }
        return ThreeRateWeights(
            version: version, response: weights[0], resolution: weights[1], satisfaction: weights[2])
    }

    private mutating func humanCalls(_ entry: Entry) -> HumanCallRule? {
        let keys = ["version", "short_abandon_seconds"]
        guard let entries = entries(of: entry.value, in: "`human_calls`", keys: keys, required: keys),
            let version = entries["version"].flatMap({ integer($0, 2...1_000_000) }),
            let seconds = entries["short_abandon_seconds"].flatMap({ integer($0, 0...60) })
        else { return nil }
        return HumanCallRule(version: version, shortAbandonSeconds: seconds)
    }

    private mutating func share(_ entry: Entry) -> Double? {
        guard let text = text(entry) else { return nil }
        guard let share = Double(text), (-1_000...1_000).contains(share) else {
            note("BAD_NUMBER", line: entry.line, "`\(entry.key)` is no number from -1000 to 1000", "write it as 0.45")
            return nil
        }
        return share
    }

    private mutating func indicator(_ node: Node, _ facts: [Fact]) -> Indicator? {
        guard
            let entries = entries(
                of: node, in: "an indicator", keys: Self.indicatorKeys,
                required: ["name", "version", "title", "clause", "unit", "numerator", "terms"]),
            let nameEntry = entries["name"], let name = text(nameEntry),
            let version = entries["version"].flatMap({ integer($0, 1...1_000_000) }),
            let title = entries["title"].flatMap({ self.name($0) }),
            let clause = entries["clause"].flatMap({ self.name($0) }),
            let unit = entries["unit"].flatMap({ self.unit($0) }),
            let numerator = entries["numerator"].flatMap({ self.name($0, bytesMax: 1_000) }),
            let termsEntry = entries["terms"]
        else { return nil }
        let problemsBefore = problems.count
        let terms = (list(termsEntry) ?? []).compactMap { term($0, facts) }
        guard problems.count == problemsBefore else { return nil }
        guard
            let measure = checked(
                nameEntry,
                { () throws(FederationError) in
                    try Analysis.Measure(name, version: version, unit: unit, terms: terms)
                })
        else { return nil }
        if unit == .percent, terms.contains(where: { $0.denominator == nil }) {
            note(
                "DENOMINATOR", line: termsEntry.line, "a percentage has a term without `denominator`",
                "write what it is a share of, such as `denominator: count`")
            return nil
        }
        return Indicator(
            measure, title: title, english: entries["english"].flatMap { self.name($0) } ?? name, clause: clause,
            numerator: numerator, denominator: entries["denominator"].flatMap { self.name($0, bytesMax: 1_000) },
            exclusions: entries["exclusions"].flatMap { self.name($0, bytesMax: 1_000) })
    }

    private mutating func unit(_ entry: Entry) -> Analysis.Measure.Unit? {
        guard let text = text(entry) else { return nil }
        guard let unit = Analysis.Measure.Unit(rawValue: text) else {
            note(
                "UNKNOWN_WORD", line: entry.line, "unknown word in `unit`",
                suggestion(for: text, among: Analysis.Measure.Unit.allCases.map(\.rawValue)))
            return nil
        }
        return unit
    }

    private mutating func term(_ node: Node, _ facts: [Fact]) -> Analysis.Measure.Term? {
        guard
            let entries = entries(
                of: node, in: "a term", keys: ["fact", "period", "base", "numerator", "denominator", "weight"],
                required: ["fact", "numerator"]),
            let factEntry = entries["fact"], let factName = text(factEntry), let numerator = entries["numerator"]
        else { return nil }
        guard let fact = facts.first(where: { $0.name == factName }) else {
            note(
                "UNKNOWN_FACT", line: factEntry.line, "unknown fact \(quoted(factName))",
                suggestion(for: factName, among: facts.map(\.name)))
            return nil
        }
        // One after the other, so that each problem has its line.
        let before = problems.count
        let numeratorText = text(numerator) ?? ""
        _ = checked(numerator) { () throws(FederationError) in try Aggregate(numeratorText, on: fact) }
        let denominator = entries["denominator"].flatMap { entry in text(entry).map { (entry, $0) } }
        if let (entry, text) = denominator {
            _ = checked(entry) { () throws(FederationError) in try Aggregate(text, on: fact) }
        }
        let base = entries["base"].flatMap { entry in text(entry).map { (entry, $0) } }
        if let (entry, text) = base {
            _ = checked(entry) { () throws(FederationError) in try Condition(text, on: fact) }
        }
        let period = entries["period"].flatMap { text($0) }
        if let entry = entries["period"], let period, fact.kind(of: period) != .number {
            note("PERIOD", line: entry.line, "`period` is no time of the fact", "it is \(fact.period) without `period`")
        }
        let weight = entries["weight"].map { share($0) } ?? 1
        guard problems.count == before, let weight else { return nil }
        return checked(factEntry) { () throws(FederationError) in
            try Analysis.Measure.Term(
                fact, period: period, base: base?.1 ?? "", numerator: numeratorText, denominator: denominator?.1,
                weight: weight)
        }
    }

    /// What is wrong with a declaration, at its line.
    private mutating func checked<Value>(
        _ entry: Entry, _ make: () throws(FederationError) -> Value
    ) -> Value? {
        do throws(FederationError) {
            return try make()
        } catch {
            note(
                "DECLARATION", line: entry.line, "`\(entry.key)`: \(error.message)",
                error.hint ?? "see docs/indicators.md")
            return nil
        }
    }
}
