import FederationModel

/// How hotline offices or units are evaluated in a period, as data that is published before the period begins (7.2.4).
package struct EvaluationScheme: Codable, Hashable, Sendable {
    package enum Evaluated: String, Codable, Sendable {
        case hotline
        case unit
    }

    package struct Criterion: Codable, Hashable, Sendable {
        /// An indicator, `resolution_rate`, or an external source, `survey`.
        package var id: String
        package var title: String
        /// Above 0; all of a scheme are 1 together.
        package var weight: Double
        /// 热线数据, 社会监督, 满意度调查, 第三方评估.
        package var source: Source
        /// Fewer than so many say nothing.
        package var sampleMin: Int

        package enum Source: String, Codable, Sendable {
            case hotline
            case supervision
            case survey
            case assessment
        }

        package init(_ id: String, _ title: String, weight: Double, source: Source = .hotline, sampleMin: Int = 1) {
            self.id = id
            self.title = title
            self.weight = weight
            self.source = source
            self.sampleMin = sampleMin
        }
    }

    /// A class and the least score that it takes.
    package struct Class: Codable, Hashable, Sendable {
        package var name: String
        package var least: Double

        package init(_ name: String, least: Double) {
            self.name = name
            self.least = least
        }
    }

    package var id: String
    package var version: Int
    package var title: String
    package var evaluated: Evaluated
    package var criteria: [Criterion]
    /// 分档分类: who is compared with whom, by the names of the groups; who is in none is compared with all such.
    package var groups: [String: [String]]
    /// The best first.
    package var classes: [Class]
    /// Reasons for which a ticket does not count: 不合理诉求, 恶意, 重复.
    package var exclusions: [String]

    package init(
        id: String, version: Int = 1, title: String, evaluated: Evaluated, criteria: [Criterion],
        groups: [String: [String]] = [:],
        classes: [Class] = [Class("A", least: 90), Class("B", least: 75), Class("C", least: 0)],
        exclusions: [String] = []
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.evaluated = evaluated
        self.criteria = criteria
        self.groups = groups
        self.classes = classes
        self.exclusions = exclusions
    }

    /// Everything that is wrong with it.
    package var problems: [RuleProblem] {
        var problems: [RuleProblem] = []
        if id.isEmpty { problems.append(RuleProblem("id", "is missing")) }
        if version < 1 { problems.append(RuleProblem("version", "is counted from 1")) }
        for (index, criterion) in criteria.enumerated() {
            let field = "criteria[\(index)]"
            if !(criterion.weight > 0 && criterion.weight <= 1) {
                problems.append(RuleProblem("\(field).weight", "must be above 0 and at most 1"))
            }
            if criterion.sampleMin < 1 { problems.append(RuleProblem("\(field).sampleMin", "must be 1 at least")) }
            if criteria[..<index].contains(where: { $0.id.isSame(as: criterion.id) }) {
                problems.append(RuleProblem("\(field).id", "there is another criterion of that id"))
            }
        }
        let sum = criteria.reduce(0) { $0 + $1.weight }
        if abs(sum - 1) > 1e-9 { problems.append(RuleProblem("criteria", "the weights must be 1 together")) }
        let members = groups.sorted { $0.key < $1.key }.flatMap(\.value)
        if Set(members.map { ExactText($0) }).count < members.count {
            problems.append(RuleProblem("groups", "somebody is in two groups"))
        }
        if classes.isEmpty || classes.last?.least != 0 {
            problems.append(RuleProblem("classes", "the last class must take everybody: its least score is 0"))
        }
        if zip(classes, classes.dropFirst()).contains(where: { $0.least <= $1.least }) {
            problems.append(RuleProblem("classes", "must go from the best to the last, each with a lower score"))
        }
        return problems
    }

    /// Checks that it may be applied to a period.
    ///
    /// - Throws: `E_SCHEME_INVALID` with every problem; `E_SCHEME_LATE` when it was published after the period began.
    package func check(publishedAt: UnixMilliseconds, periodStart: UnixMilliseconds) throws(FederationError) {
        let problems = problems
        guard problems.isEmpty else {
            throw FederationError(
                "E_SCHEME_INVALID", problems.map(\.description).joined(separator: "; "),
                hint: "correct the scheme and publish it again")
        }
        guard publishedAt < periodStart else {
            throw FederationError(
                "E_SCHEME_LATE", "scheme \(id) was published after the period began",
                hint: "who is evaluated must know the rules before; apply it to a later period")
        }
    }

    /// Who is compared with somebody: the name of the group.
    func group(of evaluatee: String) -> String? {
        groups.sorted { $0.key < $1.key }.first { $0.value.contains { $0.isSame(as: evaluatee) } }?.key
    }
}
