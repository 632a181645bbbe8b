import FederationModel
import Foundation
import RecordIntake
import Testing

struct TicketGeneratorTests {
    /// 2025-09-01 00:00 in Shanghai, a Monday.
    private let monday: UnixMilliseconds = 1_756_656_000_000

    private func generator(
        seed: UInt64 = 1, region: String = "370100", days: Int = 28, tickets: Int = 5_000, calls: Bool = false,
        showcase: Bool = false
    ) throws -> TicketGenerator {
        TicketGenerator(
            seed: seed, origin: try #require(NodeID(region)), region: region, from: monday, days: days,
            tickets: tickets, includesCalls: calls, showcase: showcase)
    }

    @Test func `equal seeds give equal tickets and other seeds give others`() throws {
        let first = Array(try generator(tickets: 300, calls: true))
        #expect(first == Array(try generator(tickets: 300, calls: true)))
        #expect(first != Array(try generator(seed: 2, tickets: 300, calls: true)))
        #expect(first.count == 300)
    }

    @Test(arguments: ["370100", "370200", "370300", "370900", "370102", "330100"])
    func `every record keeps the rules of its columns and its key`(region: String) throws {
        var keys: Set<String> = []
        for ticket in try generator(region: region, tickets: 1_500, calls: true) {
            let request = try #require(ticket.first)
            #expect(request.resource == "service_request")
            #expect(request.key.hasPrefix(region + "-"))
            #expect(
                request.fields["region_code"]?.text?.hasPrefix(
                    region.hasSuffix("00") ? String(region.prefix(4)) : region) == true)
            for record in ticket {
                let definition = try #require(BuiltInResources.named(record.resource))
                #expect(record.violation(in: definition) == nil)
                #expect(keys.insert("\(record.resource) \(record.key)").inserted)
                guard definition.isThreadRecord else { continue }
                #expect(record.key.hasPrefix("\(request.key).\(record.resource)."))
                #expect(record.fields["global_id"] == .text(request.key))
                #expect(record.fields["ticket_origin"] == .text(region))
            }
        }
    }

    @Test func `a thread runs forward in time and ends with the period`() throws {
        let end = monday + 28 * 86_400_000
        var lastRequest: Int64 = 0
        for ticket in try generator() {
            let request = try #require(ticket.first)
            var time = try #require(request.fields["requested_datetime"]?.integer)
            #expect(time >= lastRequest)
            lastRequest = time
            time = try #require(request.fields["accepted_datetime"]?.integer)
            for record in ticket.dropFirst() {
                let occurred = try #require(record.fields["occurred_at"]?.integer)
                #expect(occurred >= time && occurred < end)
                time = occurred
            }
        }
    }

    @Test func `steps come only after the steps that they need`() throws {
        for ticket in try generator() {
            var seen: Set<ResourceName> = []
            for record in ticket {
                let needed: [ResourceName] =
                    switch record.resource {
                    case "acknowledgement": ["assignment"]
                    case "return_request", "extension_request", "handling": ["acknowledgement"]
                    case "return_decision": ["return_request"]
                    case "extension_decision": ["extension_request"]
                    case "supervision": ["assignment"]
                    case "closure": ["reply"]
                    case "callback": ["closure"]
                    case "evaluation": ["callback"]
                    default: []
                    }
                #expect(needed.allSatisfy(seen.contains))
                seen.insert(record.resource)
            }
        }
    }

    @Test func `the mix is that of a hotline`() throws {
        let tickets = Array(try generator(tickets: 20_000))
        let requests = tickets.compactMap(\.first)
        let share = { (field: String, value: String) in
            Double(requests.count { $0.fields[field] == .text(value) }) / Double(requests.count)
        }
        #expect((0.45...0.49).contains(share("request_type", "1")))
        #expect((0.28...0.32).contains(share("request_type", "2")))
        #expect((0.67...0.73).contains(share("channel", "01")))
        #expect((0.55...0.66).contains(share("acceptance", "answered")))
        let records = tickets.reduce(0) { $0 + $1.count }
        #expect((4.3...5.5).contains(Double(records) / Double(tickets.count)))
        let open = tickets.count { ticket in
            ticket[0].fields["acceptance"] == .text("accepted") && !ticket.contains { $0.resource == "closure" }
        }
        #expect((0.02...0.2).contains(Double(open) / Double(tickets.count)))
        let all = Set(tickets.joined().map(\.resource))
        #expect(
            all.isSuperset(
                of: Set(BuiltInResources.ticketResources.map(\.name)).subtracting(["ticket_action", "transfer"])))
        let days = requests.map { ($0.fields["requested_datetime"]?.integer ?? 0) / 86_400_000 }
        let hours = requests.map { (($0.fields["requested_datetime"]?.integer ?? 0) / 3_600_000 + 8) % 24 }
        #expect(Set(days).count >= 28)
        #expect(hours.count { $0 == 10 } > 5 * hours.count { $0 == 22 })
    }

    @Test func `the showcase ticket goes through all eight stages whatever the period`() throws {
        for region in ["370102", "370100"] {
            let ticket = try #require(
                try generator(region: region, days: 1, tickets: 1, showcase: true).first { _ in true })
            let stages = Set(ticket.compactMap { BuiltInResources.named($0.resource)?.stage })
            #expect(stages == Set(Stage.allCases))
        }
    }

    @Test func `calls are linked to their tickets and recordings to their calls`() throws {
        var calls = 0
        var recordings = 0
        var abandoned = 0
        for ticket in try generator(tickets: 3_000, calls: true) {
            let call = ticket.first { $0.resource == "call_record" && $0.fields["disposition"] == .text("connected") }
            #expect((call != nil) == (ticket[0].fields["channel"] == .text("01")))
            #expect(ticket[0].fields["call_id"]?.text == call?.key)
            if let call {
                calls += 1
                #expect(call.fields["linked_request"] == .text(ticket[0].key))
            }
            abandoned += ticket.count { $0.fields["disposition"] == .text("abandoned") }
            for recording in ticket where recording.resource == "recording" {
                recordings += 1
                #expect(recording.fields["call_id"]?.text == call?.key)
            }
        }
        #expect(recordings < calls && recordings > calls * 9 / 10)
        #expect(abandoned > 0)
    }

    @Test func `ticket numbers carry region, day, channel and a right check digit`() throws {
        for ticket in try generator(tickets: 200) {
            let number = try #require(ticket[0].fields["service_request_id"]?.text)
            #expect(number.utf8.count == 23)
            #expect(number.hasPrefix("370100202509"))
            #expect(isoCheckDigit(number.dropLast()) == number.last)
        }
        #expect(isoCheckDigit("3701002025093001000123") == "4")
    }

    @Test func `no tickets and no days make an empty sequence`() throws {
        #expect(Array(try generator(days: 0, tickets: 0)).isEmpty)
        #expect(Array(try generator(days: -3, tickets: -3)).isEmpty)
        #expect(Array(try generator(days: 7, tickets: 3)).count == 3)
    }

    /// ISO 7064 MOD 11,10, written down a second time: the check digit makes the whole product 1.
    private func isoCheckDigit(_ digits: some StringProtocol) -> Character? {
        (0...9).map { Character(String($0)) }.first { candidate in
            var product = 10
            let whole = Array(String(digits)) + [candidate]
            for (index, digit) in whole.enumerated() {
                let sum = (product + (digit.wholeNumberValue ?? 0)) % 10
                if index == whole.count - 1 { return sum == 1 }
                product = (sum == 0 ? 10 : sum) * 2 % 11
            }
            return false
        }
    }
}
