import FederationModel
import NodeDesk
import Testing

@Suite struct `A transfer at the desk` {
    @Test func `is offered once, waits for its answer until the limit, and then is for the common parent`() async throws
    {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        var terms = node.desk.newTransfer()
        try terms.take("事发地在青岛", for: "basis")
        let offer = try await node.desk.offer(ticket.number, to: "青岛", terms: terms)
        #expect(offer.wasWritten && offer.step == .offer && offer.transfer.ticket == ticket.id)
        #expect(offer.transfer.transfer.standing == .open && offer.transfer.transfer.to == "370200")
        #expect(offer.transfer.parent?.code == "370000" && !offer.transfer.isLate)
        #expect(
            await code { try await node.desk.offer(ticket.id, to: "370200", terms: node.desk.newTransfer()) }
                == "E_STATE_OFFER_OPEN")
        let open = try await node.desk.transfers(isOpen: true, limit: 10)
        #expect(open.map(\.transfer.id) == [offer.transfer.transfer.id])
        try node.clock.set("2026-01-05T09:00:00+08:00")
        #expect(try await node.desk.transfers(isOpen: true, limit: 10).map(\.isLate) == [true])
        #expect(node.clock.now > offer.transfer.answerBy)
    }

    @Test func `is answered only by the node that it is offered to`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        let id = try await node.desk.offer(ticket.id, to: "370200", terms: node.desk.newTransfer()).transfer.transfer.id
        #expect(await code { try await node.desk.accept(ticket.id) } == "E_STATE_NO_OFFER")
        #expect(await code { try await node.desk.return(id, terms: node.desk.newTransfer()) } == "E_STATE_NO_OFFER")
        #expect(
            await code { try await node.desk.offer(ticket.id, to: "火星", terms: node.desk.newTransfer()) }
                == "E_NODE_UNKNOWN")
    }

    @Test func `is made of every open ticket when a node leaves, and may be asked for twice`() async throws {
        let node = try TestNode()
        let tickets = [try await node.addTicket(), try await node.addTicket(), try await node.addTicket()]
        _ = try await node.desk.offer(tickets[0].id, to: "370102", terms: node.desk.newTransfer())
        var steps: [Int] = []
        let first = try await node.desk.handOver(from: "济南", to: "青岛", terms: node.desk.newTransfer()) { done, of in
            steps.append(done)
            #expect(of == 3)
        }
        #expect(steps == [1, 2, 3])
        #expect(first.step == .offer && first.handedOver == 2 && first.waiting == 1 && first.refused.isEmpty)
        let open = try await node.desk.transfers(isOpen: true, limit: 10)
        #expect(open.map(\.transfer.to).sorted() == ["370102", "370200", "370200"])
        let again = try await node.desk.handOver(from: "济南", to: "青岛", terms: node.desk.newTransfer())
        #expect(again.handedOver == 0 && again.waiting == 3)
    }

    @Test func `of a node that is gone is decided above it`() async throws {
        let node = try TestNode("370000")
        let tickets = [try await node.addTicket(), try await node.addTicket()]
        for ticket in tickets {
            _ = try await node.desk.designate(ticket.id, to: "370100", terms: node.desk.newTransfer())
        }
        let report = try await node.desk.handOver(from: "370100", to: "370200", terms: node.desk.newTransfer())
        #expect(report.step == .designate && report.handedOver == 2 && report.waiting == 0)
        for ticket in tickets { #expect(try await node.desk.ticket(ticket.id).thread.state?.owner == "370200") }
    }

    @Test func `is decided by the node above both, and saying so again changes nothing`() async throws {
        let node = try TestNode("370000")
        let ticket = try await node.addTicket()
        let first = try await node.desk.designate(ticket.id, to: "370100", terms: node.desk.newTransfer())
        #expect(first.wasWritten && first.transfer.transfer.standing == .designated)
        #expect(try await node.desk.ticket(ticket.id).thread.state?.owner == "370100")
    }
}

@Suite struct `A removal at the desk` {
    @Test func `is ordered on a ground of the list, counted until confirmed, and lifted`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        #expect(
            await code { try await node.desk.remove(.recall, tickets: [ticket.id], reason: "路灯") } == "E_FIELD_CODE")
        let reason = try #require(NodeDesk.removalReasons?.entries.first?.code)
        let order = try await node.desk.remove(.recall, tickets: [ticket.number], reason: reason)
        #expect(order.tickets == [ticket.id] && order.rows == 1 && node.bell.rung.last == order.head)
        #expect(try await node.desk.status(includesOrigins: false).removals == (try await node.desk.figures().removals))
        #expect(try await node.desk.figures().removals.unconfirmed == 1)
        try node.clock.set("2025-10-09T09:00:00+08:00")
        #expect(try await node.desk.removals().map(\.isOverdue) == [true])
        _ = try await node.desk.lift(recall: order.id)
        #expect(try await node.desk.figures().removals.unconfirmed == 0)
        #expect(await code { try await node.desk.lift(recall: order.id) } == "E_REMOVAL_UNKNOWN")
    }
}
