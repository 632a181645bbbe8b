import ChangeSetFormat
import FederationModel

/// What a receiver refuses, and what it says of itself.
extension LinkReceiver {
    // MARK: - Refusals

    /// Refuses a change-set and tells where to go on. What crosses is not the neighbour's fault; the rest is counted, and
    /// too much of it pauses the link.
    mutating func refuse(_ error: FederationError, now: UnixMilliseconds) -> [ReceiverDirective] {
        session?.isRewinding = true
        lastError = error
        switch error.code {
        case LinkCode.outOfStep: return [.refuse(Refusal(error, cursor: expected))]
        case LinkCode.queueFull, LinkCode.busy:
            return [.refuse(Refusal(error, retryAfterMS: SyncLimits.busyPause, cursor: expected))]
        case LinkCode.diskFloor:
            return [.refuse(Refusal(error, retryAfterMS: SyncLimits.diskFloorPause, cursor: expected))]
        case LinkCode.quarantineFull:
            return [.refuse(Refusal(error, retryAfterMS: SyncLimits.quarantinePause, cursor: expected))]
        default:
            let refusal = ReceiverDirective.refuse(Refusal(error, cursor: expected))
            guard misbehaviour.note(now: now) else { return [refusal] }
            lastError = tooManyErrors
            return [refusal] + endSession()
        }
    }

    var outOfStep: FederationError {
        FederationError(
            LinkCode.outOfStep, "a change-set of \(rules.sender) does not start where its link stands on \(rules.node)",
            isRetryable: true)
    }

    package var queueFull: FederationError {
        FederationError(
            LinkCode.queueFull, "\(rules.node) holds as many bytes as it may, \(rules.sender) sends on later",
            isRetryable: true)
    }

    var tooManyErrors: FederationError {
        FederationError(
            LinkCode.tooManyErrors,
            "\(rules.node) has paused its link from \(rules.sender): more than \(SyncLimits.misbehaviourMax) refused "
                + "messages within a minute",
            hint: "look at the refusals before this one", isRetryable: true)
    }

    // MARK: - Status

    /// The heartbeat's word about the origins holds here once everything before it has been applied.
    mutating func adoptFreshness() {
        // Nobody knows whether what the sender has lost is right as it is here.
        defer { if lost > 0 { for origin in origins.keys { origins[origin]?.complete = false } } }
        guard let heartbeat, let reached, heartbeat.isLevel || reached >= heartbeat.head else { return }
        let former = origins
        origins = heartbeat.origins
        self.heartbeat = nil
        // A sender that stands on an earlier topology does not know what the present one has put in doubt.
        guard let theirs = heartbeat.topology, theirs < rules.topology.version else { return }
        for origin in origins.keys where former[origin]?.complete != true { origins[origin]?.complete = false }
    }

    /// Up to where everything is here that the sender grants now; nil before its sweep is over.
    private var reached: Seq? {
        guard let cursor, cursor.epoch == session?.epoch, cursor.revision == rules.policy?.revision,
            cursor.sweep == .complete
        else { return nil }
        return cursor.seq
    }

    private var isLevel: Bool {
        guard applying == nil, queue.isEmpty, lost == 0 else { return false }
        return isToldLevel || (reached.map { $0 >= senderHead } ?? false)
    }

    mutating func noteLevel(_ now: UnixMilliseconds) {
        if state(now: now) == .level { lastLevel = now }
    }

    /// - Parameter now: silence counts too, and there is no timer here that would notice it.
    package func summary(now: UnixMilliseconds) -> LinkSummary {
        let heads = max(0, senderHead - (cursor?.seq ?? 0))
        return LinkSummary(
            neighbour: rules.sender, state: state(now: now), cursor: cursor, head: senderHead,
            lagRows: isLevel ? 0 : heads, lastLevel: lastLevel, lastContact: lastContact,
            lastError: lastError, lost: lost, quarantined: quarantined)
    }

    private func state(now: UnixMilliseconds) -> LinkState {
        if misbehaviour.pauseLeft(now: now) != nil { return .paused }
        guard let session else {
            guard let lastError else { return lastContact == nil ? .connecting : .unreachable }
            return lastError.isRetryable ? .unreachable : .refused
        }
        let silence = now - (lastContact ?? now)
        if silence > SyncLimits.heartbeatInterval * Int64(SyncLimits.heartbeatsMissedMax) {
            return .unreachable
        }
        if isLevel { return .level }
        if let code = lastError?.code, code == LinkCode.quarantineFull || code == LinkCode.diskFloor { return .paused }
        guard let cursor, cursor.epoch == session.epoch, cursor.revision == rules.policy?.revision,
            cursor.sweep == .complete
        else { return isFirstSweep ? .bootstrapping : .sweeping }
        return .behind
    }
}
