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
        ], exclusions: ["malicious"])

    /// Tickets of which the first `hits` are met.
    private func items(_ unit: String, _ criterion: String, _ hits: Int, of tries: Int) -> [EvaluationItem] {
        (0..<tries).map {
            EvaluationItem(ticket: "\(criterion)-\($0)", evaluatee: unit, criterion: criterion, isMet: $0 < hits)
        }
    }

    private func three(_ unit: String, satisfied: Int = 6) -> [EvaluationItem] {
        items(unit, "response_rate", 9, of: 10) + items(unit, "resolution_rate", 6, of: 8)
            + items(unit, "satisfaction_rate", satisfied, of: 8)
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
        let all = items("住建", "resolution_rate", 6, of: 8) + items("城管", "resolution_rate", 6, of: 8)
        let results = survey.results(
            all,
            external: [
                ExternalScore(evaluatee: "住建", criterion: "survey", hits: 90, tries: 100),
                ExternalScore(evaluatee: "城管", criterion: "survey", hits: 9, tries: 10),
            ])
        let byName = Dictionary(uniqueKeysWithValues: results.map { ($0.evaluatee, $0) })
        #expect(isNear(byName["住建"]?.score, 81, 1e-9) && byName["住建"]?.missing == [])
        #expect(isNear(byName["城管"]?.score, 75, 1e-9) && byName["城管"]?.missing == ["survey"], "ten are too few")
        #expect(byName["城管"]?.parts[0].weight == 1)
    }

    @Test func `leaves out what the scheme excludes, and counts that`() throws {
        var all = three("住建")
        for index in all.indices where !all[index].isMet && all[index].criterion == "satisfaction_rate" {
            all[index].exclusion = "malicious"
        }
        let result = try #require(scheme.results(all).first)
        #expect(result.excluded == ["malicious": 2] && result.parts[2].percent == 100)
        all[0].exclusion = "not in the scheme"
        #expect(scheme.results(all).first?.excluded == ["malicious": 2])
    }

    @Test func `is computed anew when an objection is upheld, and both results are kept`() throws {
        let objection = try #require(scheme.uphold(objectionTo: "satisfaction_rate-7", by: "住建", three("住建")))
        #expect(isNear(objection.before.score, 76.5, 1e-9))
        #expect(
            isNear(objection.after.score, 9 + 33.75 + 45 * 6 / 7, 1e-9) && objection.after.excluded == ["objection": 1])
        #expect(scheme.uphold(objectionTo: "satisfaction_rate-7", by: "城管", three("住建")) == nil, "it is not theirs")
    }

    @Test func `shows how the others did without saying who, and not at all when they are few`() throws {
        let results = (0..<6).flatMap { unit in items("U\(unit)", "resolution_rate", unit * 2, of: 10) }
        let computed = scheme.results(results)
        let quartiles = try #require(EvaluationScheme.quartiles(besides: "U0", in: computed))
        #expect(quartiles.others == 5 && isNear(quartiles.median, 60, 1e-9) && isNear(quartiles.lower, 40, 1e-9))
        #expect(EvaluationScheme.quartiles(besides: "U0", in: Array(computed.prefix(4))) == nil)
        var grouped = scheme
        grouped.groups = ["市直": ["U0", "U1"]]
        #expect(
            EvaluationScheme.quartiles(besides: "U0", in: grouped.results(results)) == nil, "one other in the group")
    }

    @Test func `does not depend on the order of the tickets`() {
        var chance = SplitMix64(seed: 5)
        let all = three("住建") + three("城管", satisfied: 3)
        for _ in 0..<20 { #expect(scheme.results(all.shuffled(using: &chance)) == scheme.results(all)) }
    }
}
