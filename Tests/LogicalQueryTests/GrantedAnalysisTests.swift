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
}
