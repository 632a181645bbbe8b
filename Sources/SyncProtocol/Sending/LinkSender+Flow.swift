import ChangeSetFormat
import FederationModel

extension LinkSender {
    /// What exists while change-sets may flow.
    struct Flow: Sendable {
        enum Mode: Sendable {
            case stream
            /// One request a change-set. Requests may overtake each other, so only one is in flight.
            case requests

            var inFlightMax: Int { self == .stream ? SyncLimits.inFlightMax : 1 }
        }

        let mode: Mode
        /// Oldest first; each starts where the one before ends.
        var inFlight: [InFlight] = []
        /// Where the next change-set must start: the end of the last in flight.
        private(set) var next: Cursor
        /// Up to this seq the store has nothing for the receiver that `next` does not cover.
        var clearThrough: Seq
        /// The receiver asked for patience until then.
        var pausedUntil: UnixMilliseconds?
        /// Since when the oldest in flight has been the oldest.
        var waitingSince: UnixMilliseconds
        var heartbeatAt: UnixMilliseconds
        var heartbeatsMissed = 0
        /// What the last heartbeat said. When it said no, the next one does not wait for its time: an answer over all
        /// nodes should know at once that this one's copy is whole.
        var isToldLevel = false
        /// Refusals as out of step since the last acknowledgement.
        var outOfStep = 0
        /// Set when the link is stopping.
        var stopBy: UnixMilliseconds?

        init(mode: Mode, next: Cursor, now: UnixMilliseconds) {
            self.mode = mode
            self.next = next
            clearThrough = next.seq
            waitingSince = now
            heartbeatAt = now + SyncLimits.heartbeatInterval
        }

        mutating func moveNext(to cursor: Cursor) {
            next = cursor
            clearThrough = cursor.seq
        }

        mutating func setBack(by step: Int64) {
            pausedUntil = pausedUntil.map { $0 - step }
            stopBy = stopBy.map { $0 - step }
            waitingSince -= step
            heartbeatAt -= step
            for index in inFlight.indices { inFlight[index].sentAt -= step }
        }

        func hasMore(head: Seq) -> Bool { next.sweep != .complete || clearThrough < head }

        var nextDeadline: UnixMilliseconds {
            var deadlines = [heartbeatAt]
            if let pausedUntil { deadlines.append(pausedUntil) }
            if let stopBy { deadlines.append(stopBy) }
            if !inFlight.isEmpty { deadlines.append(waitingSince + SyncLimits.acknowledgementTimeout) }
            return deadlines.min() ?? heartbeatAt
        }
    }

    struct InFlight: Hashable, Sendable {
        let start: Cursor
        let end: Cursor
        /// The rows that it was allowed, and whether it held as many.
        let limit: Int
        let isFull: Bool
        var sentAt: UnixMilliseconds
    }

    // MARK: - The store's answers

    /// The store has made the change-set that was asked for. A `send` of it comes out at once or never.
    package mutating func onPrepared(_ prepared: PreparedChangeSet, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard let request = link.preparing else { return [] }
            link.preparing = nil
            link.head = max(link.head, prepared.head)
            // The receiver may have been upgraded, or put back, since it was asked for.
            guard request.schemaRevision == link.commonSchema else { return [] }
            guard case .flowing(var flow) = link.phase, prepared.start == flow.next, flow.pausedUntil == nil,
                flow.stopBy == nil, flow.inFlight.count < flow.mode.inFlightMax
            else { return [] }
            if flow.inFlight.isEmpty { flow.waitingSince = now }
            flow.inFlight.append(
                InFlight(
                    start: prepared.start, end: prepared.end, limit: request.rowsMax,
                    isFull: prepared.rows >= request.rowsMax, sentAt: now))
            flow.moveNext(to: prepared.end)
            link.phase = .flowing(flow)
            return [.send(prepared.id), .note(.sent(rows: prepared.rows, bytes: prepared.bytes))]
        }
    }

    /// Nothing that is granted lies between the requested cursor and `head`, and its sweep is complete.
    package mutating func onNothingToPrepare(head: Seq, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard let request = link.preparing else { return [] }
            link.preparing = nil
            link.head = max(link.head, head)
            guard case .flowing(var flow) = link.phase, request.from == flow.next else { return [] }
            flow.clearThrough = max(flow.clearThrough, head)
            link.phase = .flowing(flow)
            return []
        }
    }

    /// Between the requested cursor and now the store has removed tombstones (design rule 8), so the tail no longer tells
    /// what is gone. The link goes on at the head, and a sweep states what there is.
    package mutating func onPruned(head: Seq, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard let request = link.preparing else { return [] }
            link.preparing = nil
            link.head = max(link.head, head)
            guard case .flowing(var flow) = link.phase, request.from == flow.next else { return [] }
            flow.moveNext(
                to: Cursor(
                    epoch: link.epoch, seq: link.head, revision: link.policy.revision, sweep: link.policy.sweepStart))
            link.phase = .flowing(flow)
            return [.note(.rewound(to: flow.next, because: "tombstones were removed"))]
        }
    }

    /// The store could not read its feed. It is asked again after a pause.
    package mutating func onPrepareFailed(_ error: FederationError, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            link.preparing = nil
            link.lastError = error
            guard case .flowing(var flow) = link.phase else { return [] }
            flow.pausedUntil = now + SyncLimits.busyPause
            link.phase = .flowing(flow)
            return []
        }
    }

    /// Tells the receiver at once that it has become level, unless the last heartbeat said so.
    mutating func tellLevel(_ now: UnixMilliseconds) -> [LinkDirective] {
        guard case .flowing(var flow) = phase, !flow.isToldLevel else { return [] }
        flow.isToldLevel = true
        flow.heartbeatAt = now + SyncLimits.heartbeatInterval
        flow.heartbeatsMissed += 1
        phase = .flowing(flow)
        return [.heartbeat(isLevel: true)]
    }

    // MARK: - The receiver's answers

    package mutating func onAcknowledged(
        _ acknowledgement: Acknowledgement, now: UnixMilliseconds
    ) -> [LinkDirective] {
        input(now) { link in
            guard case .flowing(var flow) = link.phase else { return [] }
            link.heard(now)
            flow.heartbeatsMissed = 0
            flow.outOfStep = 0
            flow.waitingSince = now
            let wasSweeping = link.acknowledged?.sweep != .complete
            guard let index = flow.inFlight.firstIndex(where: { $0.end == acknowledgement.cursor }) else {
                link.phase = .flowing(flow)
                return link.rewind(to: acknowledgement.cursor, because: "acknowledged", now: now)
            }
            let first = flow.inFlight[index]
            link.sizer.onAcknowledged(limit: first.limit, isFull: first.isFull, roundTrip: now - first.sentAt)
            flow.inFlight.removeFirst(index + 1)
            link.acknowledged = acknowledgement.cursor
            link.lost = acknowledgement.lost ?? 0
            link.quarantined = acknowledgement.quarantinedTotal ?? 0
            link.phase = .flowing(flow)
            let event = LinkDirective.note(.acknowledged(acknowledgement, roundTrip: now - first.sentAt))
            guard wasSweeping && acknowledgement.cursor.sweep == .complete else { return [event] }
            link.isFirstSweep = false
            return [event, .note(.sweepCompleted)]
        }
    }

    /// The receiver did not take a change-set. Out of step: go on from its cursor. Too much: smaller, and after the pause
    /// that it asks for. Anything else is for a person.
    package mutating func onRefused(_ refusal: Refusal, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .flowing(var flow) = link.phase else { return [] }
            switch refusal.code {
            case LinkCode.outOfStep:
                flow.outOfStep += 1
                link.phase = .flowing(flow)
                guard flow.outOfStep <= SyncLimits.outOfStepMax else {
                    return [.disconnect] + link.fail(refusal.error.retryable, now: now)
                }
            case LinkCode.tooLarge:
                guard link.sizer.shrink() else {
                    return link.refuse(refusal.error, retryAfter: refusal.retryAfterMS, now: now)
                }
            case LinkCode.queueFull, LinkCode.busy, LinkCode.diskFloor, LinkCode.quarantineFull:
                if refusal.code != LinkCode.quarantineFull { _ = link.sizer.shrink() }
                flow.pausedUntil = now + Self.bounded(refusal.retryAfterMS ?? SyncLimits.busyPause)
                link.phase = .flowing(flow)
            default:
                return link.refuse(refusal.error, retryAfter: refusal.retryAfterMS, now: now)
            }
            link.lastContact = now
            link.lastError = refusal.error
            return link.rewind(to: refusal.cursor, because: refusal.code, now: now)
        }
    }

    /// Goes on from the receiver's cursor. What is in flight before it stays in flight, the rest is forgotten: the receiver
    /// drops it without a word.
    private mutating func rewind(
        to cursor: Cursor?, because reason: String, now: UnixMilliseconds
    ) -> [LinkDirective] {
        guard case .flowing(var flow) = phase else { return [] }
        do throws(FederationError) {
            flow.moveNext(to: try startingPoint(after: cursor))
        } catch {
            return refuse(error, now: now)
        }
        if let index = flow.inFlight.firstIndex(where: { $0.start == cursor }), index > 0 {
            flow.inFlight.removeSubrange(index...)
        } else {
            flow.inFlight = []
            acknowledged = cursor?.epoch == epoch ? cursor : nil
        }
        phase = .flowing(flow)
        return [.note(.rewound(to: flow.next, because: reason))]
    }

    // MARK: - Going on by itself

    /// What is due on a flowing link: stop, give up, a heartbeat, the next change-set.
    mutating func proceedFlowing(_ now: UnixMilliseconds) -> [LinkDirective] {
        guard case .flowing(var flow) = phase else { return [] }
        if let stopBy = flow.stopBy, flow.inFlight.isEmpty || stopBy <= now { return [.disconnect] + finish() }
        if !flow.inFlight.isEmpty, flow.waitingSince + SyncLimits.acknowledgementTimeout <= now {
            sizer.quarter()
            return lose(
                LinkCode.acknowledgementTimeout,
                "has not acknowledged a change-set for "
                    + "\(SyncLimits.acknowledgementTimeout / 1_000) seconds", now: now)
        }
        var directives: [LinkDirective] = []
        if flow.heartbeatAt <= now {
            // While a change-set is in flight its own deadline decides, and separate requests wait for each other.
            if flow.inFlight.isEmpty && flow.heartbeatsMissed >= SyncLimits.heartbeatsMissedMax {
                return lose(LinkCode.silent, "has not answered \(flow.heartbeatsMissed) heartbeats", now: now)
            }
            flow.heartbeatAt = now + SyncLimits.heartbeatInterval
            if flow.mode == .stream || flow.inFlight.isEmpty {
                flow.heartbeatsMissed += 1
                flow.isToldLevel = isLevel(flow)
                directives.append(.heartbeat(isLevel: flow.isToldLevel))
            }
        }
        if let pausedUntil = flow.pausedUntil, pausedUntil <= now { flow.pausedUntil = nil }
        let lacksCursor = flow.inFlight.isEmpty && acknowledged != flow.next
        if preparing == nil, flow.stopBy == nil, flow.pausedUntil == nil, flow.hasMore(head: head) || lacksCursor,
            flow.inFlight.count < flow.mode.inFlightMax
        {
            let request = PrepareRequest(
                from: flow.next, rowsMax: sizer.rows, evenIfEmpty: lacksCursor,
                hasMark: receiverCapabilities.contains(Capability.historyMarks), schemaRevision: commonSchema)
            preparing = request
            directives.append(.prepare(request))
        }
        phase = .flowing(flow)
        return directives
    }

    private mutating func lose(_ code: String, _ what: String, now: UnixMilliseconds) -> [LinkDirective] {
        let error = FederationError(
            code, "\(policy.receiver) \(what)", hint: "the link is tried again by itself", isRetryable: true)
        return [.disconnect] + fail(error, now: now)
    }

    // MARK: - Status

    package var state: LinkState {
        switch phase {
        case .idle, .connecting, .opening:
            lastError == nil ? .connecting : .unreachable
        case .waiting(let waiting):
            waiting.needsPerson ? .refused : .unreachable
        case .ended: .paused
        case .flowing(let flow):
            if flow.pausedUntil != nil {
                .paused
            } else if isLevel(flow) {
                .level
            } else if acknowledged?.revision == policy.revision, acknowledged?.sweep == .complete,
                flow.next.sweep == .complete
            {
                .behind
            } else {
                isFirstSweep ? .bootstrapping : .sweeping
            }
        }
    }

    private func isLevel(_ flow: Flow) -> Bool {
        flow.inFlight.isEmpty && !flow.hasMore(head: head) && lost == 0
    }

    package var summary: LinkSummary {
        var reached = acknowledged?.seq ?? 0
        if case .flowing(let flow) = phase, flow.inFlight.isEmpty, flow.next.sweep == .complete {
            reached = max(reached, flow.clearThrough)
        }
        return LinkSummary(
            neighbour: policy.receiver, state: state, cursor: acknowledged, head: head,
            lagRows: max(0, head - reached), lastLevel: lastLevel, lastContact: lastContact,
            lastError: lastError, lost: lost, quarantined: quarantined)
    }
}

extension FederationError {
    fileprivate var retryable: FederationError { FederationError(code, message, hint: hint, isRetryable: true) }
}
