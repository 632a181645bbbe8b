/// A ticket's thread as far as a guard needs it, folded up to its last record.
///
/// A record that comes after all of them is checked by taking it in, which costs the same however long the thread is.
package struct GuardedThread: Sendable {
    private var folding: Folding
    private let own: String
    /// The time of the latest record that no later one of this node may precede: its own, and the request.
    private(set) var latest: UnixMilliseconds?
    private var requestType: String?
    private var respondents: [String] = []
    private(set) var hasReply = false
    private var end = (time: UnixMilliseconds.min, rank: 0)
    private var isBegun = false
    /// Two bits for each of this node's own records, to notice one that is written anew. A record whose bits others have set
    /// costs a look at the thread, one in a hundred; a list of them would take more memory than the rest.
    private var records: UInt128 = 0

    /// - Parameter own: the code of the node that guards.
    package init(_ events: [TicketEvent], own: String, rules: LifecycleRules) {
        let request = TicketEvent.request(of: events)
        folding = Folding(rules: rules, request: request)
        self.own = own
        take(events, of: request)
    }

    var state: TicketState { folding.state }

    /// By name or code, whom it must not reach (`Accusation`).
    var accused: [String] {
        Accusation.isReport(requestType: requestType, state.confidential) ? respondents : []
    }

    /// Whether records of this node come after all of these and none of them is here already, so that they can be taken in
    /// without the rest of the thread.
    package func isFollowed(by events: [TicketEvent]) -> Bool {
        // The request comes first, whatever its time.
        if isBegun, events.contains(where: { $0.kind == .request }) { return false }
        return events.allSatisfy { (end.time, end.rank) < ($0.occurredAt, $0.rank) && !isKnown($0) }
    }

    /// Takes in records that follow. What was found before is forgotten.
    mutating func take(_ events: [TicketEvent]) {
        take(events, of: events.first { $0.kind == .request })
    }

    private mutating func take(_ events: [TicketEvent], of request: TicketEvent?) {
        folding.state.findings = []
        for event in TicketEvent.inOrder(events, of: request) {
            isBegun = true
            folding.take(event)
            if event !== request { end = (event.occurredAt, event.rank) }
            if event.origin == own { records |= Self.bits(of: event) }
            let isRequest = event.kind == .request && event.origin == folding.ticketOrigin
            if event.kind != .supervision && (event.origin == own || isRequest) {
                latest = max(latest ?? .min, event.occurredAt)
            }
            if event.kind == .reply { hasReply = true }
            if isRequest {
                requestType = event.text(.requestType)
                respondents = [.respondentName, .respondentUscc].compactMap { event.text($0) }
            }
        }
    }

    /// Whether it may have been taken in already.
    private func isKnown(_ event: TicketEvent) -> Bool {
        let bits = Self.bits(of: event)
        return records & bits == bits
    }

    /// The end of a key tells the records of a ticket apart.
    private static func bits(of event: TicketEvent) -> UInt128 {
        let hash = fnv1a64(event.key.utf8.suffix(12)) ^ UInt64(event.rank) &* 0x9e37_79b9_7f4a_7c15
        return 1 << (hash & 127) | 1 << (hash >> 32 & 127)
    }
}
