import FederationModel
import Foundation
import Testing
import TicketGeneration

/// 2025-09-01 00:00 in Shanghai, a Monday.
let monday: UnixMilliseconds = 1_756_656_000_000

/// The days of the notice for the rest of 2025: 10-01 to 10-08 off, 09-28 and 10-11 worked.
let autumn2025 = WorkCalendar(
    years: [2025],
    holidays: (1...8).map { CivilDate.dayNumber(year: 2025, month: 10, day: $0) },
    workingWeekendDays: [(9, 28), (10, 11)].map { CivilDate.dayNumber(year: 2025, month: $0.0, day: $0.1) })

func recipe(
    seed: UInt64 = 1, region: String = "370100", mix: TicketMix = .a, calls: Bool = false, dirt: Double = 0,
    partners: Bool = false, calendar: WorkCalendar = .weekendsOnly
) throws -> TicketRecipe {
    let neighbour = TicketRecipe.Partner(node: try #require(NodeID("370200")), name: "青岛市")
    return TicketRecipe(
        seed: seed, origin: try #require(NodeID(region)), region: region, mix: mix, includesCalls: calls,
        dirtRate: dirt, partners: partners ? [neighbour] : [], calendar: calendar)
}

func fold(_ thread: [WrittenRecord], _ calendar: WorkCalendar = .weekendsOnly) -> TicketState {
    TicketFold(LifecycleRules(calendar: calendar)).fold(events(of: thread))
}

private func events(of thread: [WrittenRecord]) -> [TicketEvent] {
    thread.enumerated().compactMap { index, written in
        TicketGuard.forms[written.record.resource].map {
            TicketEvent(
                $0, origin: written.node.code, key: written.record.key, version: Int64(index),
                fields: written.record.fields)
        }
    }
}

func fold(_ ticket: [IntakeRecord]) -> TicketState {
    let node = NodeID("370100")
    return fold(ticket.compactMap { record in node.map { WrittenRecord(node: $0, record: record) } })
}

struct TicketGeneratorTests {
    private func generator(
        seed: UInt64 = 1, region: String = "370100", mix: TicketMix = .a, days: Int = 28, tickets: Int = 5_000,
        calls: Bool = false, showcase: Bool = false
    ) throws -> TicketGenerator {
        TicketGenerator(
            try recipe(seed: seed, region: region, mix: mix, calls: calls), from: monday, days: days,
            tickets: tickets, showcase: showcase)
    }

    @Test func `equal seeds give equal tickets and other seeds give others`() throws {
        let first = Array(try generator(tickets: 300, calls: true))
        #expect(first == Array(try generator(tickets: 300, calls: true)))
        #expect(first != Array(try generator(seed: 2, tickets: 300, calls: true)))
        #expect(first.count == 300)
    }

    @Test func `an iterator that goes on later gives the same tickets as one that runs through`() throws {
        let generator = try generator(tickets: 500)
        var iterator = generator.makeIterator()
        var parts: [[IntakeRecord]] = []
        for size in [1, 7, 64, 200, 400] {
            for _ in 0..<size { if let next = iterator.next() { parts.append(next) } }
        }
        #expect(parts == Array(generator))
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

    @Test(arguments: [TicketMix.a, .b], [false, true])
    func `without dirt every thread is legal, at its node alone and with what partners write`(
        mix: TicketMix, usesNotice: Bool
    ) throws {
        let calendar = usesNotice ? autumn2025 : .weekendsOnly
        let generator = TicketGenerator(
            try recipe(seed: 7, mix: mix, partners: true, calendar: calendar), from: monday, days: 60, tickets: 20_000)
        let ticketGuard = TicketGuard(LifecycleRules(calendar: calendar))
        var iterator = generator.makeIterator()
        var statuses: Set<TicketStatus> = []
        var taken = 0
        while let thread = iterator.nextOfAllNodes() {
            let own = thread.filter { $0.node.code == "370100" }
            let state = fold(thread, calendar)
            statuses.insert(state.status)
            if state.owner != "370100" { taken += 1 }
            #expect(state.findings == [], "\(thread.map { "\($0.node) \($0.record.resource)" })")
            #expect(fold(own, calendar).findings == [])
            #expect(ticketGuard.refusal(of: events(of: own), in: []) == nil)
        }
        #expect(taken > 10)
        #expect(
            statuses.isSuperset(of: [
                .closed, .notAccepted, .transferredOut, .pendingDispatch, .inProgress, .pendingReview, .calledBack,
                .evaluated, .archived, .terminated, .withdrawn,
            ]))
    }

    @Test(arguments: [TicketMix.a, .b]) func `the mix is that of a hotline`(mix: TicketMix) throws {
        let tickets = Array(try generator(mix: mix, days: 60, tickets: 20_000))
        let requests = tickets.compactMap(\.first)
        let share = { (field: String, value: String) in
            Double(requests.count { $0.fields[field] == .text(value) }) / Double(requests.count)
        }
        let complaints = share("request_type", "3") + share("request_type", "4")
        switch mix {
        case .a:
            #expect((0.46...0.48).contains(share("request_type", "1")))
            #expect((0.29...0.31).contains(share("request_type", "2")))
            #expect((0.14...0.16).contains(share("request_type", "5")))
            #expect((0.04...0.06).contains(complaints))
        case .b:
            #expect((0.405...0.425).contains(share("request_type", "1")))
            #expect((0.185...0.205).contains(share("request_type", "2")))
            #expect((0.323...0.343).contains(complaints))
            #expect((0.001...0.006).contains(share("request_type", "6")))
        }
        #expect((0.68...0.72).contains(share("channel", "01")))
        #expect((0.006...0.012).contains(share("channel", "08")))
        #expect((0.53...0.66).contains(share("acceptance", "answered")))
        let records = tickets.reduce(0) { $0 + $1.count }
        #expect((4.5...5.8).contains(Double(records) / Double(tickets.count)))
        #expect(tickets.filter { $0[0].fields["acceptance"] == .text("answered") }.allSatisfy { $0.count == 2 })
        let dispatched = tickets.filter { $0[0].fields["acceptance"] == .text("accepted") }
        #expect((8.5...12).contains(Double(dispatched.reduce(0) { $0 + $1.count }) / Double(dispatched.count)))
        let open = tickets.count { fold($0).status.isOpen }
        #expect((0.01...0.1).contains(Double(open) / Double(tickets.count)))
    }

    @Test func `every turn that a ticket's life can take is taken`() throws {
        let tickets = Array(try generator(days: 60, tickets: 20_000))
        let records = Array(tickets.joined())
        #expect(
            Set(records.map(\.resource)).isSuperset(
                of: BuiltInResources.ticketResources.map(\.name).filter { !["transfer", "attachment"].contains($0) }))
        let actions = Set(records.compactMap { $0.fields["action"]?.text })
        let codes = CodeList.named("ticket_action")?.entries.map(\.code) ?? []
        #expect(actions == Set(codes).subtracting(["unmerge", "mark_repeat", "unmark_repeat"]))
        let closures = Set(records.compactMap { $0.fields["closure_kind"]?.text })
        #expect(closures == ["closed", "explained", "withdrawn", "terminated", "held"])
        #expect(Set(records.compactMap { $0.fields["decision"]?.text }) == ["approved", "designated", "rejected"])
        let reworks = tickets.count { $0.contains { $0.fields["round"] == .integer(2) } }
        #expect((40...600).contains(reworks))
        let twoReturns = tickets.count { $0.count { $0.resource == "return_request" } == 2 }
        #expect(twoReturns > 20)
    }

    @Test func `a day off brings two fifths less, a Monday more, a worked Sunday as much as a weekday`() throws {
        let generator = TicketGenerator(
            try recipe(calendar: autumn2025), from: monday, days: 42, tickets: 40_000)
        var byDay: [Int64: Int] = [:]
        var hours = [Int](repeating: 0, count: 24)
        for ticket in generator {
            let time = try #require(ticket[0].fields["requested_datetime"]?.integer)
            byDay[ShanghaiTime.dayNumber(time), default: 0] += 1
            hours[Int((time - monday) / 3_600_000 % 24)] += 1
        }
        func day(_ month: Int, _ day: Int) -> Double {
            Double(byDay[CivilDate.dayNumber(year: 2025, month: month, day: day)] ?? 0)
        }
        let ordinary = day(9, 2)
        #expect(abs(day(10, 2) / ordinary - 0.6) < 0.01)
        #expect(abs(day(9, 6) / ordinary - 0.6) < 0.01)
        #expect(abs(day(9, 28) / ordinary - 1) < 0.01)
        #expect(abs(day(9, 1) / ordinary - 1.15) < 0.01)
        let night = hours[22...].reduce(0, +) + hours[..<7].reduce(0, +)
        #expect((0.04...0.06).contains(Double(night) / 40_000))
        #expect(hours[10] > 5 * hours[22] && hours[15] > 2 * hours[12] - hours[12] / 4)
    }

    @Test func `the showcase ticket goes through all eight stages whatever the period`() throws {
        for region in ["370102", "370100"] {
            let ticket = try #require(
                try generator(region: region, days: 1, tickets: 1, showcase: true).first { _ in true })
            let stages = Set(ticket.compactMap { BuiltInResources.named($0.resource)?.stage })
            #expect(stages == Set(Stage.allCases))
            #expect(fold(ticket).findings == [])
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
                let times = ["arrival", "queue_start", "answered", "hangup"].compactMap { call.fields[$0]?.integer }
                #expect(times == times.sorted() && times.count == 4)
                #expect(call.fields["hangup"] == ticket[0].fields["accepted_datetime"])
                #expect(call.fields["queue_seconds"]?.integer == (times[2] - times[1]) / 1_000)
                #expect(call.fields["talk_seconds"]?.integer == (times[3] - times[2]) / 1_000)
            }
            for lost in ticket where lost.fields["disposition"] == .text("abandoned") {
                abandoned += 1
                #expect(lost.fields["linked_request"] == nil && lost.fields["answered"] == nil)
            }
            for recording in ticket where recording.resource == "recording" {
                recordings += 1
                #expect(recording.fields["call_id"]?.text == call?.key)
                #expect(recording.fields["sha256"]?.text?.utf8.count == 64)
            }
        }
        #expect(recordings < calls && recordings > calls * 9 / 10)
        #expect((0.03...0.07).contains(Double(abandoned) / Double(calls)))
    }

    @Test func `several persons report one matter, and most of their tickets are merged into the first`() throws {
        var requests: [String: [String: FieldValue]] = [:]
        var merges: [String: [String]] = [:]
        for ticket in try generator(mix: .b, tickets: 10_000) {
            requests[ticket[0].key] = ticket[0].fields
            for record in ticket where record.fields["action"] == .text("merge") {
                let head = try #require(record.fields["target"]?.text)
                #expect(record.resource == ticket.last?.resource && record.key == ticket.last?.key)
                #expect(requests[head]?["address_string"] == ticket[0].fields["address_string"])
                #expect(requests[head]?["service_code"] == ticket[0].fields["service_code"])
                merges[head, default: []].append(ticket[0].key)
            }
        }
        #expect((150...600).contains(merges.values.reduce(0) { $0 + $1.count }))
        let persons = merges.map { head, others in
            Set((others + [head]).compactMap { requests[$0]?["reporter_phone"] }).count
        }
        #expect(persons.contains { $0 >= 4 })
        #expect(persons.contains(1))
    }

    @Test func `invented identity numbers have right check characters`() throws {
        var persons = 0
        var organisations = 0
        for ticket in try generator(tickets: 2_000) {
            let fields = ticket[0].fields
            #expect(fields["reporter_phone"]?.text?.dropFirst(3).hasPrefix("0000") != false)
            if let number = fields["reporter_id_number"]?.text {
                persons += 1
                #expect(hasRightCheck(identity: number))
            }
            if let code = fields["organization_uscc"]?.text {
                organisations += 1
                #expect(hasRightCheck(organization: code))
            }
        }
        #expect(persons > 200 && organisations > 50)
        #expect(hasRightCheck(identity: "370102199003070016") && !hasRightCheck(identity: "37010219900307001X"))
        #expect(hasRightCheck(organization: "91350100M000100Y43"))
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

/// ISO 7064 MOD 11-2 over all 18 characters, written down a second time: the sum leaves 1.
func hasRightCheck(identity number: String) -> Bool {
    guard number.utf8.count == 18 else { return false }
    var sum = 0
    for character in number { sum = (sum * 2 + (character == "X" ? 10 : character.wholeNumberValue ?? 99)) % 11 }
    return sum == 1
}

/// GB 32100: the weighted sum of 17 characters and the check character are together a multiple of 31.
func hasRightCheck(organization code: String) -> Bool {
    let letters = Array("0123456789ABCDEFGHJKLMNPQRTUWXY")
    guard let last = code.last.flatMap({ letters.firstIndex(of: $0) }), code.count == 18 else { return false }
    var body = 0
    var weight = 1
    for character in code.dropLast() {
        body += (letters.firstIndex(of: character) ?? 0) * weight
        weight = weight * 3 % 31
    }
    return (body + last) % 31 == 0
}
