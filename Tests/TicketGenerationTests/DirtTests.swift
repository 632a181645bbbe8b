import FederationModel
import Testing
import TicketGeneration

struct DirtTests {
    /// Tickets by their fault, each beside its clean look.
    private func soiled(
        tickets: Int = 6_000, rate: Double = 0.3
    ) throws -> [Dirt: [(clean: [WrittenRecord], dirty: [WrittenRecord], before: [WrittenRecord])]] {
        let dirtyRecipe = try recipe(calls: true, dirt: rate, partners: true)
        var clean = TicketGenerator(
            try recipe(calls: true, partners: true), from: monday, days: 60, tickets: tickets
        ).makeIterator()
        var dirty = TicketGenerator(dirtyRecipe, from: monday, days: 60, tickets: tickets).makeIterator()
        var found: [Dirt: [(clean: [WrittenRecord], dirty: [WrittenRecord], before: [WrittenRecord])]] = [:]
        var before: [WrittenRecord] = []
        var index = 0
        while let right = clean.nextOfAllNodes(), let wrong = dirty.nextOfAllNodes() {
            if let dirt = dirtyRecipe.dirt(ofTicket: index) {
                found[dirt, default: []].append((right, wrong, before))
            } else {
                #expect(right == wrong, "a ticket without a fault is the same as without dirt")
            }
            before = right
            index += 1
        }
        return found
    }

    @Test func `every kind comes at its rate, and never without being asked for`() throws {
        let found = try soiled()
        #expect(Set(found.keys) == Set(Dirt.allCases))
        let expected = 6_000 * 0.3 / Double(Dirt.allCases.count)
        for (kind, tickets) in found {
            #expect((0.6 * expected...1.4 * expected).contains(Double(tickets.count)), "\(kind)")
        }
        #expect(abs(Double(found.values.reduce(0) { $0 + $1.count }) / 6_000 - 0.3) < 0.02)
        let none = try recipe()
        #expect((0..<1_000).allSatisfy { none.dirt(ofTicket: $0) == nil })
    }

    @Test func `dirty records still keep the rules of their columns`() throws {
        for (_, tickets) in try soiled(tickets: 2_000) {
            for record in tickets.flatMap({ $0.dirty.map(\.record) }) {
                let definition = try #require(BuiltInResources.named(record.resource))
                #expect(record.violation(in: definition) == nil)
            }
        }
    }

    @Test func `faults of contact and identity are what they are called`() throws {
        let found = try soiled()
        func texts(_ kind: Dirt, _ field: String) -> [String] {
            (found[kind] ?? []).compactMap { $0.dirty[0].record.fields[field]?.text }
        }
        #expect(texts(.missingContact, "reporter_phone").isEmpty)
        #expect(texts(.missingContact, "reporter_kind").allSatisfy { $0 == "person" })
        #expect(texts(.malformedPhone, "reporter_phone").allSatisfy { $0.utf8.count == 10 })
        #expect(texts(.separatedPhone, "reporter_phone").allSatisfy { $0.wholeMatch(of: /\d{3} \d{4}-\d{4}/) != nil })
        #expect(texts(.fullWidthPhone, "reporter_phone").allSatisfy { $0.wholeMatch(of: /[０-９]{11}/) != nil })
        #expect(
            texts(.wrongCheckDigit, "reporter_id_number").allSatisfy {
                $0.utf8.count == 18 && !hasRightCheck(identity: $0)
            })
        #expect(texts(.oldIdentityNumber, "reporter_id_number").allSatisfy { $0.wholeMatch(of: /\d{15}/) != nil })
        #expect(
            texts(.impossibleBirthDate, "reporter_id_number").allSatisfy {
                hasRightCheck(identity: $0) && $0.dropFirst(10).hasPrefix("0230")
            })
        #expect(
            texts(.wrongOrganizationCode, "organization_uscc").allSatisfy {
                $0.utf8.count == 18 && !hasRightCheck(organization: $0)
            })
        for kind in [Dirt.malformedPhone, .separatedPhone, .fullWidthPhone] {
            #expect(texts(kind, "reporter_phone").count == found[kind]?.count)
        }
        for kind in [Dirt.wrongCheckDigit, .oldIdentityNumber, .impossibleBirthDate] {
            #expect(texts(kind, "reporter_id_number").count == found[kind]?.count)
        }
    }

    @Test func `faults of place, number and time are what they are called`() throws {
        let found = try soiled()
        func time(_ thread: [WrittenRecord], _ field: String = "requested_datetime") -> Int64 {
            thread[0].record.fields[field]?.integer ?? 0
        }
        for ticket in found[.unknownRegion] ?? [] {
            #expect(ticket.dirty[0].record.fields["region_code"] == .text("370199"))
        }
        let former = (found[.formerRegion] ?? []).compactMap { $0.dirty[0].record.fields["region_code"]?.text }
        #expect(Set(former) == ["371202", "371203"])
        for ticket in found[.duplicateNumber] ?? [] {
            #expect(
                ticket.dirty[0].record.fields["service_request_id"]
                    == ticket.before.first?.record.fields["service_request_id"])
            #expect(ticket.dirty[0].record.key != ticket.before.first?.record.key)
        }
        for ticket in found[.closedBeforeRequested] ?? [] {
            #expect(
                ticket.dirty.dropFirst().allSatisfy {
                    time(ticket.dirty) > $0.record.fields["occurred_at"]?.integer ?? 0
                })
        }
        for ticket in found[.lateArrival] ?? [] {
            let late = (time(ticket.clean) - time(ticket.dirty)) / 86_400_000
            #expect((31...60).contains(late))
            for (right, wrong) in zip(ticket.clean, ticket.dirty).dropFirst() where right.record.fields["round"] != nil
            {
                #expect(wrong.record.fields["recorded_at"] == right.record.fields["occurred_at"])
            }
            #expect(fold(ticket.dirty).status == fold(ticket.clean).status)
        }
        for ticket in found[.wrongClock] ?? [] {
            #expect(time(ticket.dirty, "accepted_datetime") - time(ticket.clean, "accepted_datetime") == 8 * 3_600_000)
        }
    }

    @Test func `the rare cases are what they are called`() throws {
        let found = try soiled()
        for ticket in found[.phoneInText] ?? [] {
            let text = ticket.dirty[0].record.fields["description"]?.text ?? ""
            #expect(text.contains(/1\d{2}0000\d{4}/))
        }
        #expect(
            (found[.phoneInText] ?? []).contains {
                $0.dirty.contains { $0.record.fields["content_public"]?.text?.contains(/1\d{2}0000\d{4}/) == true }
            })
        var delivered = 0
        for ticket in found[.reportToAccused] ?? [] {
            let request = ticket.dirty[0].record.fields
            #expect(request["request_type"] == .text("4") && request["respondent_name"] != nil)
            let dispatch = ticket.dirty.first { $0.record.resource == "assignment" }
            if let dispatch {
                delivered += 1
                #expect(dispatch.record.fields["assignee_unit"] == request["respondent_name"])
            }
        }
        #expect(delivered > 10)
        for ticket in found[.twoNumbers] ?? [] {
            let requests = ticket.dirty.map(\.record).filter { $0.resource == "service_request" }
            #expect(requests.count == 2)
            #expect(Set(requests.map(\.key)).count == 2)
            #expect(Set(requests.compactMap { $0.fields["global_id"]?.text }).count == 1)
            #expect(Set(requests.compactMap { $0.fields["service_request_id"]?.text }).count == 2)
        }
        for ticket in found[.transferredForthAndBack] ?? [] {
            let steps = ticket.dirty.filter { $0.record.key.contains(".transfer.10") }
            #expect(steps.map(\.node.code) == ["370100", "370200", "370200", "370100"])
            #expect(fold(Array(ticket.dirty.prefix(5))).owner == "370100")
        }
    }
}
