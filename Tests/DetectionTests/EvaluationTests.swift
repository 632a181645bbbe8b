import Detection
import FederationModel
import TestSupport
import Testing

@Suite struct `An evaluation` {
    private let scheme = EvaluationScheme(
        id: "THREE", title: "三率", evaluated: .unit,
        criteria: [
            .init("response_rate", "响应率", weight: 0.1), .init("resolution_rate", "解决率", weight: 0.45),
            .init("satisfaction_rate", "满意率", weight: 0.45),
        ])

    private func score(_ unit: String, _ criterion: String, _ hits: Int, of tries: Int) -> EvaluationScore {
        EvaluationScore(evaluatee: unit, criterion: criterion, hits: hits, tries: tries)
    }

    private func three(_ unit: String, satisfied: Int = 6) -> [EvaluationScore] {
        [
            score(unit, "response_rate", 9, of: 10), score(unit, "resolution_rate", 6, of: 8),
            score(unit, "satisfaction_rate", satisfied, of: 8),
        ]
    }

    @Test func `by 10, 45 and 45 % of 90, 75 and 75 % is 76.5, and 70.875 by strict satisfaction`() throws {
        let result = try #require(scheme.results(three("住建")).first)
        #expect(isNear(result.score, 76.5, 1e-9) && result.grade == "B" && result.missing.isEmpty)
        #expect(result.lower ?? 100 < 76.5 && 76.5 < result.upper ?? 0)
        #expect(isNear(scheme.results(three("住建", satisfied: 5)).first?.score, 70.875, 1e-9))
    }

    @Test func `is refused where the weights are not 1 together, or when it was published too late`() throws {
        var wrong = scheme
        wrong.criteria[0].weight = 0.2
        #expect(wrong.problems.map(\.field) == ["criteria"])
        #expect(errorCode { try wrong.check(publishedAt: 0, periodStart: 1) } == "E_SCHEME_INVALID")
        #expect(errorCode { try scheme.check(publishedAt: 1, periodStart: 1) } == "E_SCHEME_LATE")
        #expect(errorCode { try scheme.check(publishedAt: 0, periodStart: 1) } == nil)
    }

    @Test func `without a survey of one unit raises the other weights of that unit and marks it`() throws {
        let survey = EvaluationScheme(
            id: "S", title: "含满意度调查", evaluated: .unit,
            criteria: [
                .init("resolution_rate", "解决率", weight: 0.6),
                .init("survey", "满意度调查", weight: 0.4, source: .survey, sampleMin: 30),
            ])
        let results = survey.results([
            score("住建", "resolution_rate", 6, of: 8), score("城管", "resolution_rate", 6, of: 8),
            score("住建", "survey", 90, of: 100), score("城管", "survey", 9, of: 10),
        ])
        let byName = Dictionary(uniqueKeysWithValues: results.map { ($0.evaluatee, $0) })
        #expect(isNear(byName["住建"]?.score, 81, 1e-9) && byName["住建"]?.missing == [])
        #expect(isNear(byName["城管"]?.score, 75, 1e-9) && byName["城管"]?.missing == ["survey"], "ten are too few")
        #expect(byName["城管"]?.parts[0].weight == 1)
    }

    @Test func `shows how the others did without saying who, and not at all when they are few`() throws {
        let results = (0..<6).map { unit in score("U\(unit)", "resolution_rate", unit * 2, of: 10) }
        let computed = scheme.results(results)
        let quartiles = try #require(EvaluationScheme.quartiles(besides: "U0", in: computed))
        #expect(quartiles.others == 5 && isNear(quartiles.median, 60, 1e-9) && isNear(quartiles.lower, 40, 1e-9))
        #expect(EvaluationScheme.quartiles(besides: "U0", in: Array(computed.prefix(4))) == nil)
        var grouped = scheme
        grouped.groups = ["市直": ["U0", "U1"]]
        #expect(
            EvaluationScheme.quartiles(besides: "U0", in: grouped.results(results)) == nil, "one other in the group")
    }

    @Test func `does not depend on the order of the scores`() {
        var chance = SplitMix64(seed: 5)
        let all = three("住建") + three("城管", satisfied: 3)
        for _ in 0..<20 { #expect(scheme.results(all.shuffled(using: &chance)) == scheme.results(all)) }
    }
}
