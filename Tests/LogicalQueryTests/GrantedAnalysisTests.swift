import FederationModel
import LogicalQuery
import TestSupport
import Testing

@Suite struct `An analysis over what a link gives` {
    private func analysis(from: UnixMilliseconds? = nil) throws -> Analysis {
        try Analysis(dimensions: [.origin], from: from, to: 2_000, asOf: 5_000)
    }

    @Test func `is asked below with the link's filter`() throws {
        #expect(try analysis().within(GrantFilter()) == analysis())
        var filter = GrantFilter()
        filter.requestTypes = ["1", "2"]
        filter.serviceCodes = ["01"]
        filter.from = 1_000
        let below = try #require(try analysis(from: 500).within(filter))
        #expect(below.from == 1_000 && below.to == 2_000 && below.dimensions == [.origin])
        #expect(below.filters.map(\.field) == [.requestType, .acceptedService])
        #expect(below.filters.map(\.comparison) == [.equals, .hasPrefix])
        #expect(try analysis(from: 1_500).within(filter)?.from == 1_500)
    }

    @Test func `of calls is asked below as it is: the filter is about tickets`() throws {
        var filter = GrantFilter()
        filter.requestTypes = ["1"]
        let calls = try Analysis(measures: [.named("call_count")], dimensions: [.origin], asOf: 5_000)
        #expect(calls.within(filter) == calls)
    }

    @Test func `is not asked below where the filter can't be said`() throws {
        var regions = GrantFilter()
        regions.regions = ["370102"]
        var units = GrantFilter()
        units.units = ["住建局"]
        var open = GrantFilter()
        open.confidential = false
        var late = GrantFilter()
        late.from = 2_000
        for filter in [regions, units, open, late] { #expect(try analysis().within(filter) == nil) }
    }

    // MARK: - What a link hides

    private func hidden(
        _ treatments: [ResourceName: [String: FieldTreatment]], _ measure: String, by dimension: Dimension? = nil,
        _ filter: Filter? = nil
    ) throws -> [String] {
        var grant = LinkGrant()
        grant.treatments = treatments
        return try Analysis(
            measures: [.named(measure)], dimensions: dimension.map { [$0] } ?? [], filters: filter.map { [$0] } ?? [],
            asOf: 0
        ).withheld(by: grant).map(\.description)
    }

    @Test func `may not read a field that the link drops, masks or turns into tokens, in whatever part`() throws {
        for treatment in [FieldTreatment.drop, .mask, .token] {
            let unit: [ResourceName: [String: FieldTreatment]] = ["assignment": ["assignee_unit": treatment]]
            #expect(try hidden(unit, "count") == [])
            #expect(try hidden(unit, "count", by: .unit) == ["assignment.assignee_unit"])
            #expect(try hidden(unit, "count", Filter(.unit, .equals, ["a"])) == ["assignment.assignee_unit"])
            #expect(try hidden(unit, "return_rate") == ["assignment.assignee_unit"], "a lookup compares it")
        }
        #expect(try hidden(["evaluation": ["score5": .drop]], "satisfaction_rate") == ["evaluation.score5"])
        #expect(try hidden(["handling": ["contact_datetime": .drop]], "response_rate") == ["handling.contact_datetime"])
        #expect(try hidden(["assignment": ["due_datetime": .drop]], "on_time_rate") == ["assignment.due_datetime"])
        #expect(
            try hidden(["service_request": ["requested_datetime": .drop]], "dispatch_count", by: .channel) == [],
            "the period of an assignment is its own")
    }

    @Test func `counts persons by what the link gives of them, also as tokens`() throws {
        func phone(_ treatment: FieldTreatment, _ number: FieldTreatment) throws -> [String] {
            try hidden(
                ["service_request": ["reporter_phone": treatment, "reporter_id_number": number]], "person_count")
        }
        #expect(try phone(.token, .drop) == [] && phone(.mask, .token) == [] && phone(.keep, .keep) == [])
        #expect(try phone(.mask, .drop) == ["service_request.reporter_id_number", "service_request.reporter_phone"])
        var grant = LinkGrant()
        grant.treatments = ["service_request": ["reporter_id_number": .drop]]
        let analysis = try Analysis(measures: [.named("person_count")], asOf: 0)
        let sql = SQLiteDialect.compile(analysis, origins: [], grant: grant)[0].sql
        #expect(sql.contains("person_hash(t.reporter_phone)"), "\(sql)")
    }
}
