import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

@Suite struct `The manual's page` {
    @Test func `is what the declarations say`() throws {
        let page = try String(contentsOf: repositoryRoot.appending(path: "docs/indicators.md"), encoding: .utf8)
        #expect(
            page == IndicatorLibrary.builtIn.page + "\n",
            "federation-node indicator list --markdown > docs/indicators.md")
    }

    @Test func `has a clause for every indicator, and a name and a title that no other one has`() {
        let all = IndicatorLibrary.builtIn.all
        #expect(all.allSatisfy { !$0.clause.isEmpty && !$0.numerator.isEmpty && !$0.english.isEmpty })
        #expect(Set(all.map(\.name)).count == all.count && Set(all.map(\.title)).count == all.count)
        for indicator in all where indicator.measure.terms.contains(where: { $0.denominator != nil }) {
            #expect(indicator.denominator != nil, "\(indicator.name)")
        }
    }
}

@Suite struct `A declaration` {
    @Test(arguments: [
        "round = 'closed", "status = 'closed", "status", "status = 1", "round = '1'", "(round = 1", "round = 1)",
        "round in ()",
        "round = 1 and", "not", "round is 1", "round = 99999999999", "round = 3x", "round ~ 1", "status + 'a' = 'b'",
        "round = 1; DROP TABLE service_request", "coalesce(round, 'a') = 1", "状态 = 'closed'",
    ])
    func `that is none is refused and says why`(text: String) {
        #expect(errorCode { _ = try Condition(text, on: .ticket) } == "E_INDICATOR_INVALID")
    }

    @Test func `reads no column that is personal, and none that the fact does not have`() {
        for column in [
            "reporter_phone", "title", "reporter_id_number", "lat", "ext", "score5", "other.round", "closed",
        ] {
            #expect(errorCode { _ = try Condition("\(column) = 1", on: .ticket) } == "E_ANALYSIS_UNKNOWN", "\(column)")
        }
    }

    @Test func `is bounded in length and depth`() throws {
        let deep = String(repeating: "(", count: 33) + "round = 1" + String(repeating: ")", count: 33)
        #expect(errorCode { _ = try Condition(deep, on: .ticket) } == "E_INDICATOR_INVALID")
        let long = Array(repeating: "round = 1", count: 200).joined(separator: " or ")
        #expect(errorCode { _ = try Condition(long, on: .ticket) } == "E_INDICATOR_INVALID")
        #expect(try Condition("", on: .ticket).criterion == .always)
        for aggregate in ["", "avg(round)", "sum(status)", "sum round", "count where", "count of"] {
            #expect(errorCode { _ = try Aggregate(aggregate, on: .ticket) } == "E_INDICATOR_INVALID", "\(aggregate)")
        }
    }
}
