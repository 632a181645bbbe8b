import FederationModel
import TestSupport
import Testing
import TicketGeneration

@Suite struct `Planted events` {
    private let first = ShanghaiTime.dayNumber(ShanghaiTime.parse("2025-01-01") ?? 0)

    private func events(seed: UInt64 = 1, days: Int64 = 200, beside tickets: Int = 40_000) -> [PlantedEvent] {
        PlantedEvents(
            TicketRecipe(seed: seed, origin: node("370100"), region: "370100"), days: first..<first + days, perRule: 5,
            beside: tickets
        ).events()
    }

    @Test func `are the same for the same seed, and others for another`() {
        #expect(events() == events())
        #expect(events() != events(seed: 2))
    }

    @Test func `are as many as were asked for of each kind, behind the first ten weeks and within the period`() {
        let all = events()
        #expect(Dictionary(grouping: all, by: \.rule).mapValues(\.count).allSatisfy { $1 == 5 })
        #expect(Set(all.map(\.rule)).count == 8)
        let calm = ShanghaiTime.midnight(ofDay: first + 70 - 30)
        let end = ShanghaiTime.midnight(ofDay: first + 200)
        #expect(all.allSatisfy { $0.time.lowerBound >= calm && $0.time.upperBound < end })
        #expect(events(days: 60).isEmpty)
        let ids = all.flatMap(\.tickets).map(\.key)
        #expect(Set(ids).count == ids.count)
    }

    @Test func `of a group are of five persons at one place, and of a repeat of one person`() {
        func distinct(_ event: PlantedEvent, _ field: String) -> Int {
            Set(event.tickets.map { $0.fields[field] }).count
        }
        for event in events() where event.rule == "GROUP" {
            #expect(distinct(event, "reporter_phone") >= 5)
            #expect(distinct(event, "address_string") == 1)
        }
        for event in events() where event.rule == "REPEAT" {
            #expect(distinct(event, "reporter_phone") == 1)
            #expect(event.tickets.count >= 3)
        }
    }
    @Test func `of a day are for small counties where there are fewer than ten tickets a day in each`() {
        // Twelve counties: 16 and 8 tickets a day in each.
        let (large, small) = (Set(events().map(\.rule)), Set(events(beside: 20_000).map(\.rule)))
        #expect(large.subtracting(small) == ["SURGE_DAY"] && small.subtracting(large) == ["SURGE_SPARSE"])
    }

    @Test func `of the trend are as many tickets again as on a day, in all counties`() {
        for event in events() where event.rule == "TREND_STL" {
            #expect(event.tickets.count == 200 && event.region == "370100")
            #expect(Set(event.tickets.map { $0.fields["region_code"] }).count == 12)
        }
    }
}
