import FederationModel
import Testing

@Suite struct `A request whose time lies behind its thread` {
    private func thread(request minutes: Int64) -> [TicketEvent] {
        [
            happened("service_request", minutes),
            happened(
                "assignment", 1, ["role": "main", "assignee_unit": "城管局"], ["due_datetime": threadStart + 900_000_000]),
            happened("reply", 60, ["reply_kind": "final"]),
            happened("closure", 61, ["closure_kind": "closed", "review": "passed"]),
        ]
    }

    @Test(arguments: [0, 2, 60, 100_000])
    func `does not set the ticket back, and is told when it can't be right`(minutes: Int64) {
        let state = TicketFold(LifecycleRules()).fold(thread(request: minutes))
        #expect(state.status == .closed && state.closedAt == threadStart + 61 * 60_000)
        #expect(state.dueAt == threadStart + 900_000_000)
        #expect(state.findings.map(\.code) == (minutes > 6 ? [.beforeRequest] : []))
    }

    @Test func `is the first for a guard that goes on from what it remembers too`() throws {
        let events = thread(request: 100)
        let rules = LifecycleRules()
        let ticketGuard = TicketGuard(rules)
        let known = GuardedThread(Array(events[..<3]), own: "370100", rules: rules)
        #expect(known.isFollowed(by: [events[3]]))
        #expect(!known.isFollowed(by: [events[0]]), "a request is never taken in behind its thread")
        _ = try ticketGuard.thread(known, followedBy: [happened("closure", 101, ["closure_kind": "closed"])])
    }
}
