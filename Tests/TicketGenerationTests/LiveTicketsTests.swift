import FederationModel
import Testing
import TicketGeneration

struct LiveTicketsTests {
    private func live(rate: Double = 5, speed: Double = 3_600, seed: UInt64 = 1) throws -> LiveTickets {
        LiveTickets(
            try recipe(seed: seed, calls: true, partners: true), start: monday + 36_000_000 + 123,
            ticketsPerSecond: rate,
            speed: speed)
    }

    @Test func `what has happened depends on the time, not on how often one looks`() throws {
        var once = try live()
        var often = try live()
        let end = monday + 36_000_000 + 60_000
        var parts: [IntakeRecord] = []
        for time in stride(from: monday, through: end, by: 777) { parts += often.records(until: time) }
        parts += often.records(until: end)
        #expect(parts == once.records(until: end))
        #expect(!parts.isEmpty)
        var other = try live(seed: 2)
        #expect(other.records(until: end) != parts)
    }

    @Test(arguments: [0.5, 20]) func `tickets come at the rate`(rate: Double) throws {
        var live = try live(rate: rate)
        let seconds: Int64 = 400
        let records = live.records(until: monday + 36_000_000 + seconds * 1_000)
        let expected = rate * Double(seconds)
        #expect(abs(Double(live.tickets) - expected) < 5 * expected.squareRoot())
        #expect(records.count { $0.resource == "service_request" } == live.tickets)
        #expect(Set(records.map { "\($0.resource) \($0.key)" }).count == records.count)
    }

    @Test(arguments: [1, 3_600, 100_000.0]) func `threads are legal at any speed and nothing comes before its time`(
        speed: Double
    ) throws {
        var live = try live(speed: speed)
        var threads: [String: [WrittenRecord]] = [:]
        var time = monday + 36_000_000
        let node = try #require(NodeID("370100"))
        for _ in 0..<600 {
            time += 500
            for record in live.records(until: time) {
                let occurred = record.fields["occurred_at"] ?? record.fields["accepted_datetime"]
                #expect(occurred?.integer ?? 0 <= time)
                guard let ticket = record.fields["global_id"]?.text else { continue }
                threads[ticket, default: []].append(WrittenRecord(node: node, record: record))
            }
        }
        #expect(threads.count == live.tickets)
        for thread in threads.values {
            #expect(fold(thread).findings.filter { $0.code != .returnLate } == [])
            #expect(thread[0].record.resource == "service_request")
        }
        if speed > 50_000 {
            #expect(threads.values.contains { fold($0).status == .archived })
        }
    }

    @Test func `a second run on one day gives out other tickets`() throws {
        var first = try live()
        var second = LiveTickets(
            try recipe(), start: monday + 36_000_000 + 90_000, ticketsPerSecond: 5, speed: 3_600)
        let ids = { (records: [IntakeRecord]) in
            Set(records.filter { $0.resource == "service_request" }.map(\.key))
        }
        #expect(second.records(until: monday + 36_000_000 + 100_000).first?.key.utf8.count == "370100-".count + 23)
        let earlier = ids(first.records(until: monday + 36_000_000 + 60_000))
        #expect(earlier.isDisjoint(with: ids(second.records(until: monday + 36_000_000 + 200_000))))
    }
}
