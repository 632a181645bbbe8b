import FederationModel

/// What is wrong with a rule: the field, and what it must be.
package struct RuleProblem: Hashable, Sendable, CustomStringConvertible {
    /// `levels.yellow`.
    package let field: String
    package let message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    package var description: String { "\(field): \(message)" }
}

extension DetectionRule {
    /// Everything that is wrong with it; empty for a rule that can be used.
    package var problems: [RuleProblem] {
        identityProblems + parameterProblems + levelProblems + scopeProblems + wordProblems
    }

    private var identityProblems: [RuleProblem] {
        var problems: [RuleProblem] = []
        let letters = id.utf8
        let isName =
            (1...40).contains(letters.count)
            && letters.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
        if !isName {
            problems.append(RuleProblem("id", "must be 1 to 40 capital letters, digits and `_`"))
        }
        if version < 1 { problems.append(RuleProblem("version", "is counted from 1")) }
        if title.isEmpty { problems.append(RuleProblem("title", "is missing")) }
        return problems
    }

    private var parameterProblems: [RuleProblem] {
        parameters.sorted { $0.key < $1.key }.compactMap { name, value in
            guard let parameter = method.parameters.first(where: { $0.name.rawValue == name }) else {
                return RuleProblem(
                    "parameters.\(name)",
                    method.parameters.isEmpty
                        ? "method `\(method.rawValue)` has no parameters"
                        : "is no parameter of method `\(method.rawValue)`; "
                            + suggestion(for: name, among: method.parameters.map(\.name.rawValue)))
            }
            return parameter.range.contains(value)
                ? nil
                : RuleProblem(
                    "parameters.\(name)",
                    "must be from \(parameter.range.lowerBound) to \(parameter.range.upperBound)")
        }
    }

    private var levelProblems: [RuleProblem] {
        var problems: [RuleProblem] = []
        let names = AlertLevel.allCases.map(\.rawValue)
        for (name, value) in levels.sorted(by: { $0.key < $1.key }) {
            if !names.contains(name) {
                problems.append(RuleProblem("levels.\(name)", "is no level; \(suggestion(for: name, among: names))"))
            } else if !(value > 0 && value.isFinite) || method.isRareWhenSmall && value >= 1 {
                problems.append(
                    RuleProblem(
                        "levels.\(name)",
                        method.isRareWhenSmall ? "is a probability, above 0 and below 1" : "must be above 0"))
            }
        }
        let set = AlertLevel.allCases.compactMap { level in levels[level.rawValue].map { (level, $0) } }
        for (lower, higher) in zip(set, set.dropFirst())
        where method.isRareWhenSmall ? higher.1 >= lower.1 : higher.1 <= lower.1 {
            problems.append(
                RuleProblem(
                    "levels.\(higher.0.rawValue)",
                    "must be \(method.isRareWhenSmall ? "below" : "above") that of \(lower.0.rawValue)"))
        }
        if method == .immediate {
            if !scope.categories.isEmpty && levels.count != 1 {
                problems.append(RuleProblem("levels", "categories that decide by themselves need exactly one level"))
            }
        } else if levels.isEmpty {
            problems.append(RuleProblem("levels", "without a level the rule can raise nothing"))
        }
        return problems
    }

    private var scopeProblems: [RuleProblem] {
        var problems: [RuleProblem] = []
        for (index, region) in scope.regions.enumerated()
        where !(2...12).contains(region.utf8.count) || !region.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            problems.append(RuleProblem("scope.regions[\(index)]", "must be 2 to 12 digits"))
        }
        for (index, category) in scope.categories.enumerated() where category.isEmpty {
            problems.append(RuleProblem("scope.categories[\(index)]", "is empty"))
        }
        return problems
    }

    private var wordProblems: [RuleProblem] {
        var problems: [RuleProblem] = []
        if method != .immediate {
            return words.isEmpty ? [] : [RuleProblem("words", "only method `immediate` looks for words")]
        }
        if words.isEmpty && scope.categories.isEmpty {
            problems.append(RuleProblem("words", "the rule has neither words nor categories to look for"))
        }
        for (index, group) in words.enumerated() {
            let field = "words[\(index)]"
            if group.name.isEmpty { problems.append(RuleProblem("\(field).name", "is missing")) }
            if words[..<index].contains(where: { $0.name.isSame(as: group.name) }) {
                problems.append(RuleProblem("\(field).name", "there is another class of that name"))
            }
            if group.words.isEmpty { problems.append(RuleProblem("\(field).words", "is empty")) }
            for (position, word) in group.words.enumerated() where ComparableText.scalars(of: word).count < 2 {
                problems.append(
                    RuleProblem("\(field).words[\(position)]", "needs two letters at least, or it is in every text"))
            }
            let plain = group.words.map { string(ComparableText.scalars(of: $0)) }
            for (position, exclusion) in group.exclusions.enumerated() {
                let text = string(ComparableText.scalars(of: exclusion))
                if !plain.contains(where: { text.contains($0) && !text.isSame(as: $0) }) {
                    problems.append(
                        RuleProblem(
                            "\(field).exclusions[\(position)]", "excludes nothing: none of the words is a part of it"))
                }
            }
        }
        return problems
    }
}

/// The rules that a node goes by.
package struct DetectionRules: Hashable, Sendable {
    /// By their ids.
    package let rules: [DetectionRule]

    /// - Throws: `E_RULE_INVALID` with every problem, each under its rule and field; also for an id that is given twice.
    package init(_ rules: [DetectionRule]) throws(FederationError) {
        var problems = rules.enumerated().flatMap { index, rule in
            rule.problems.map { "\(rule.id.isEmpty ? "rule \(index + 1)" : rule.id), \($0)" }
        }
        for (index, rule) in rules.enumerated() where rules[..<index].contains(where: { $0.id.isSame(as: rule.id) }) {
            problems.append("\(rule.id), id: there is another rule of that id")
        }
        guard problems.isEmpty else {
            throw FederationError(
                "E_RULE_INVALID", problems.joined(separator: "; "),
                hint: "each problem names its rule and its field; the rules that ship are examples")
        }
        self.init(checked: rules)
    }

    private init(checked rules: [DetectionRule]) { self.rules = rules.sorted { $0.id.precedes($1.id) } }

    package func named(_ id: String) -> DetectionRule? { rules.first { $0.id.isSame(as: id) } }

    /// With others, each in the place of the one that had its id. Those in force were checked when they came.
    package func adding(_ others: DetectionRules) -> DetectionRules {
        DetectionRules(checked: rules.filter { others.named($0.id) == nil } + others.rules)
    }

    /// What every node begins with (domain model 3.6).
    package static let builtIn = DetectionRules(checked: DetectionRule.builtIn)
}
