/// What the state machine of domain model 2.4 leaves to configuration. Every node of a federation must fold by the same
/// rules, or two nodes that hold the same records would say different things.
package struct LifecycleRules: Hashable, Sendable {
    package var calendar: WorkCalendar
    /// Working days after the dispatch in which a unit may send a ticket back (济南, 潍坊: 2).
    package var returnWorkingDays: Int
    /// Approved extensions of one ticket.
    package var extensionsMax: Int64
    /// Whether a callback may come when the time limit expires although the unit has not closed (北京).
    package var allowsCallbackWhenDue: Bool
    /// Attempts after which a citizen who can't be reached counts as called back.
    package var callbackAttempts: Int64
    /// Whether 暂停计时 moves the time limit.
    package var suspensionStopsClock: Bool
    /// Two clocks of one office may differ by so much, in milliseconds.
    package var clockTolerance: Int64
    /// Who may decide on whose tickets. Not part of `fingerprint`: it concerns only tickets with records of several nodes.
    package var hierarchy: NodeHierarchy

    package init(
        calendar: WorkCalendar = .weekendsOnly, returnWorkingDays: Int = 2, extensionsMax: Int64 = 2,
        allowsCallbackWhenDue: Bool = false, callbackAttempts: Int64 = 2, suspensionStopsClock: Bool = false,
        clockTolerance: Int64 = 5 * 60_000, hierarchy: NodeHierarchy = .none
    ) {
        self.calendar = calendar
        self.returnWorkingDays = returnWorkingDays
        self.extensionsMax = extensionsMax
        self.allowsCallbackWhenDue = allowsCallbackWhenDue
        self.callbackAttempts = callbackAttempts
        self.suspensionStopsClock = suspensionStopsClock
        self.clockTolerance = clockTolerance
        self.hierarchy = hierarchy
    }
}

extension LifecycleRules {
    /// Tells one set of rules from another: what was folded by other rules is folded again.
    package var fingerprint: String {
        [
            // Raised when the fold itself changes.
            "4", calendar.fingerprint, "\(returnWorkingDays)", "\(extensionsMax)", "\(allowsCallbackWhenDue)",
            "\(callbackAttempts)", "\(suspensionStopsClock)", "\(clockTolerance)",
        ].joined(separator: " ")
    }
}
