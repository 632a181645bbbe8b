import Detection
import FederationModel

/// A result as it was given to whoever was evaluated.
package struct EvaluationReport: Sendable {
    package let id: String
    package let by: NodeID
    package let scheme: String
    package let version: Int
    package let period: String
    /// A unit, or the node whose hotline it is.
    package let evaluatee: String
    package let node: String
    package let madeAt: UnixMilliseconds
    package let score: Double?
    package let lower: Double?
    package let upper: Double?
    package let grade: String?
    package let detail: EvaluationDetail
}

/// A result for programs.
package struct EvaluationLine: Encodable, Sendable {
    package let id: String
    package let scheme: String
    package let version: Int
    package let period: String
    package let evaluatee: String
    package let node: String
    package let by: String
    package let madeAt: String
    package let score: Double?
    package let lower: Double?
    package let upper: Double?
    package let grade: String?
    package let detail: EvaluationDetail

    package init(_ report: EvaluationReport) {
        id = report.id
        scheme = report.scheme
        version = report.version
        period = report.period
        evaluatee = report.evaluatee
        node = report.node
        by = report.by.code
        madeAt = ShanghaiTime.rfc3339(report.madeAt)
        score = report.score
        lower = report.lower
        upper = report.upper
        grade = report.grade
        detail = report.detail
    }
}

/// What a result was made of: enough to compute it again without a ticket to which an objection was upheld.
package struct EvaluationDetail: Hashable, Sendable, Codable {
    package struct Part: Hashable, Sendable, Codable {
        package let criterion: String
        package let title: String
        package let source: String
        package let hits: Int
        package let tries: Int
        /// Nil for n/a.
        package let percent: Double?
        /// That with which it counted; 0 where its sample was too small.
        package let weight: Double
    }

    package struct Quartiles: Hashable, Sendable, Codable {
        package let others: Int
        package let lower: Double
        package let median: Double
        package let upper: Double
    }

    package let group: String?
    package let parts: [Part]
    /// Criteria without a sample, or with one too small: the weights of the others were raised.
    package let missing: [String]
    /// How many tickets did not count, by reason.
    package let excluded: [String: Int]
    /// Tickets that do not count because an objection to them was upheld.
    package let upheld: [String]
    /// Of the others in the group; nil where they are so few that they could be guessed.
    package let quartiles: Quartiles?
    /// Counted from 1; objections that are upheld make further ones.
    package let revision: Int
}

extension EvaluationDetail {
    init(
        _ result: EvaluationResult, of scheme: EvaluationScheme, excluded: [String: Int], upheld: Set<String>,
        quartiles: Quartiles?, revision: Int
    ) {
        group = result.group
        parts = zip(scheme.criteria, result.parts).map { criterion, part in
            Part(
                criterion: criterion.id, title: criterion.title, source: criterion.source.rawValue, hits: part.hits,
                tries: part.tries, percent: part.percent?.toTwoPlaces, weight: (part.weight * 10_000).rounded() / 10_000
            )
        }
        missing = result.missing
        self.excluded = excluded
        self.upheld = upheld.sorted { $0.precedes($1) }
        self.quartiles = quartiles
        self.revision = revision
    }
}

extension EvaluationDetail.Quartiles {
    init(_ quartiles: EvaluationQuartiles) {
        others = quartiles.others
        lower = quartiles.lower.toTwoPlaces
        median = quartiles.median.toTwoPlaces
        upper = quartiles.upper.toTwoPlaces
    }
}

extension Double {
    var toTwoPlaces: Double { (self * 100).rounded() / 100 }
}
