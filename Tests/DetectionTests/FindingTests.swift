import Detection
import FederationModel
import Testing

@Suite struct `A finding` {
    private let start = noon
    private let day: UnixMilliseconds = 24 * hour

    private func found(
        _ ticket: HandledTicket, after days: Int64 = 60, _ limits: FindingLimits = FindingLimits()
    ) -> [String] {
        FindingDetectors(limits, now: start + days * day).findings(in: [ticket]).map(\.description)
    }

    private func handled(_ id: String, urgency: String = "normal") -> HandledTicket {
        var ticket = HandledTicket(id: id, urgency: urgency, category: "03.03.01", acceptedAt: start)
        ticket.dispatches = [.init("住建", at: start + 600_000)]
        ticket.contactedAt = start + hour
        ticket.dueAt = start + 5 * day
        ticket.closedAt = start + 2 * day
        ticket.callbackAt = start + 3 * day
        ticket.score = 4
        return ticket
    }

    @Test func `is none for a ticket that was handled as it should be`() { #expect(found(handled("G1")).isEmpty) }

    @Test func `names an urgent ticket that was dispatched after 95 minutes instead of 60`() {
        var ticket = handled("G7", urgency: "urgent")
        ticket.dispatches = [.init("燃气", at: start + 95 * 60_000)]
        #expect(found(ticket) == ["LATE_DISPATCH G7 35min"])
        ticket.dispatches[0].at = start + hour
        #expect(found(ticket).isEmpty)
    }

    @Test func `names a ticket that three units gave back`() {
        var ticket = handled("G9")
        let units = ["住建", "城管", "街道"]
        ticket.dispatches =
            units.enumerated().map { .init($0.element, at: start + Int64($0.offset) * hour) } + [
                .init("物业", at: start + 9 * hour)
            ]
        ticket.returns = units.enumerated().map {
            .init($0.element, at: start + Int64($0.offset) * hour + 60_000, .approved)
        }
        #expect(found(ticket) == ["SHIRK G9 3 returns, 3 units", "WRONG_DISPATCH G9 3 redispatched"])
    }

    @Test func `names one return that was rejected`() {
        var ticket = handled("G9")
        ticket.returns = [.init("住建", at: start + hour, .rejected)]
        #expect(found(ticket) == ["SHIRK G9 1 return, 1 unit"])
    }

    @Test func `names what was left out, forgotten, doubled or late`() {
        var ticket = handled("G2")
        ticket.callbackAt = nil
        #expect(found(ticket) == ["MISSING_CALLBACK G2 52d"])
        #expect(found(ticket, after: 5).isEmpty)
        ticket.isCallbackRequired = false
        #expect(found(ticket).isEmpty)
        ticket = handled("G3")
        ticket.contactedAt = nil
        #expect(found(ticket) == ["SKIPPED_STEP G3 no contact"])
        ticket.isAnonymous = true
        #expect(found(ticket).isEmpty)
        ticket = handled("G4")
        ticket.dispatches.append(.init("住建", at: start + 2 * hour))
        #expect(found(ticket) == ["DUPLICATE_DISPATCH G4 2 dispatches"])
        ticket.dispatches[1].round = 2
        #expect(found(ticket).isEmpty, "a rework, whenever it was closed")
        ticket.dispatches[1].round = 1
        ticket.returns = [.init("住建", at: start + hour, .approved)]
        #expect(found(ticket).isEmpty)
        ticket = handled("G5")
        ticket.closedAt = start + 6 * day
        ticket.callbackAt = start + 7 * day
        #expect(found(ticket) == ["OVERDUE G5 24h"])
        ticket.closedAt = nil
        #expect(found(ticket, after: 7) == ["OVERDUE G5 48h, open"])
    }

    @Test func `names bad manners by the reason of an evaluation and by what people say`() {
        var ticket = handled("G6")
        ticket.reasons = ["attitude"]
        #expect(found(ticket) == ["ATTITUDE G6 by reason"])
        ticket.reasons = []
        ticket.comment = "工作人员很不耐烦"
        #expect(found(ticket) == ["ATTITUDE G6 by words"])
    }

    private func satisfaction(_ satisfied: Int, of all: Int) -> [Finding] {
        let tickets = (0..<all).map { index in
            var ticket = handled("G\(index)")
            ticket.score = index < satisfied ? 4 : 1
            return ticket
        }
        var limits = FindingLimits()
        limits.satisfactionMin = 10
        return FindingDetectors(limits, now: start + 60 * day).findings(in: tickets)
    }

    @Test func `names a unit with 700 of 1,000 satisfied at a target of 85 %, and not one with 9 of 10`() throws {
        #expect(satisfaction(9, of: 10).isEmpty)
        let finding = try #require(satisfaction(700, of: 1_000).first)
        #expect(finding.description == "LOW_SAT 住建 700/1000, at most 72.8 %" && finding.tickets.count == 300)
        #expect(finding.code.measure == .capability && !finding.code.isOfHotline)
    }

    @Test func `names a question that is dispatched 42 times, which asks for knowledge`() throws {
        let tickets = (0..<42).map { index in
            var ticket = handled("G\(index)")
            ticket.requestType = "1"
            ticket.category = "公积金提取"
            return ticket
        }
        let findings = FindingDetectors(now: start + 60 * day).findings(in: tickets)
        #expect(findings.map(\.description) == ["KB_GAP 公积金提取 42 questions dispatched"])
        #expect(findings.first?.code.measure.rawValue == "knowledge_update")
    }
}
