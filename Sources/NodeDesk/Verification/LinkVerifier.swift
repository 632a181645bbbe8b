import FederationModel
import LocalStore
import Verification

/// Holds one direction of a link at both ends against each other, from this end: from the whole it goes down to the rows, only where
/// both differ.
struct LinkVerifier {
    let store: NodeStore
    let peers: PeerClients
    let policy: LinkPolicy
    let scope: VerificationScope
    /// Of requests and answers.
    private(set) var bytes = 0
    /// What was compared at this end.
    private(set) var totals: [RangeTotal] = []
    private(set) var found: [VerificationReport.Difference] = []
    /// Whether it stopped before it had seen everything that differs.
    private(set) var isCut = false
    private var steps = 0

    init(store: NodeStore, peers: PeerClients, policy: LinkPolicy, scope: VerificationScope) {
        self.store = store
        self.peers = peers
        self.policy = policy
        self.scope = scope
    }

    /// With more of them a link needs a sweep, not a list.
    private static let differencesMax = 10_000
    /// A neighbour that says without end that something differs is left.
    private static let stepsMax = 5_000

    /// How many rows differ, as far as it has come.
    var rowsFound: Int { found.reduce(0) { $0 + $1.rows.count } }

    private var isSender: Bool { policy.sender == store.node }
    private var peer: NodeID { isSender ? policy.receiver : policy.sender }

    /// - Returns: where the receiver stood in the sender's feed when it began.
    /// - Throws: `E_VERIFY_NOT_READY` while the receiver does not have everything yet; `E_PEER_…`, and what the neighbour answers.
    mutating func compare() async throws -> Seq {
        let parted = try await store.partedRanges(of: policy, scope)
        totals = parted.map(\.total)
        let (answer, position) = try await ask(.totals(totals), from: try await ownPosition())
        let ranges = Dictionary(parted.map { ($0.range, $0) }) { $1 }
        for range in answer.ranges {
            guard policy.resources.contains(range.resource), policy.origins.contains(range.origin),
                range == KeyRange(range.resource, range.origin)
            else { throw badAnswer }
            let none = PartedRange(range: range, parts: [.init(through: nil, fingerprint: Fingerprint())])
            try await descend(ranges[range] ?? none)
        }
        return position.seq
    }

    /// Brings both ends together where they differ: the sender sends again what it grants, the receiver lets go of what it does not, and
    /// gives back what it has lost.
    ///
    /// - Parameter commit: writes to this node's feed and wakes its links.
    /// - Returns: how many rows, and the head of the sender's feed after that; 0 when it has nothing to send.
    mutating func repair(
        now: UnixMilliseconds, _ commit: (() async throws -> (rows: Int, head: Seq)) async throws -> (Int, Seq)
    ) async throws -> (rows: Int, head: Seq) {
        var (repaired, latest): (Int, Seq) = (0, 0)
        for part in found {
            for start in stride(from: 0, to: part.rows.count, by: VerificationRequest.rowsMax) {
                let rows = part.rows[start..<min(start + VerificationRequest.rowsMax, part.rows.count)]
                func keys(_ verdict: RowVerdict) -> [String] { rows.filter { $0.verdict == verdict }.map(\.key) }
                let (granted, withdrawn, lost) = (keys(.granted), keys(.withdrawn), keys(.unknown))
                if !granted.isEmpty {
                    let (sent, head) =
                        isSender
                        ? try await commit { [store, policy] in
                            try await store.resend(
                                granted, of: part.resource, origin: part.origin, policy: policy, now: now)
                        } : try await change(.resend(part.resource, part.origin, keys: granted))
                    repaired += sent
                    latest = max(latest, head)
                }
                guard !withdrawn.isEmpty || !lost.isEmpty else { continue }
                let (released, _) =
                    isSender
                    ? try await change(.release(part.resource, part.origin, withdrawn: withdrawn, lost: lost))
                    : try await commit { [store, policy] in
                        try await store.release(
                            withdrawn: withdrawn, lost: lost, of: part.resource, origin: part.origin,
                            from: policy.sender, now: now)
                    }
                repaired += released
            }
        }
        return (repaired, latest)
    }

    /// Has the other end show what was found: only the one that asked has seen it. A neighbour of an earlier release does not know the step,
    /// and finds out by its own comparison.
    mutating func tellDifferences() async {
        if rowsFound > 0 { _ = try? await ask(.outcome(differences: rowsFound), from: try await ownPosition()) }
    }

    // MARK: - Steps

    private mutating func descend(_ parted: PartedRange) async throws {
        if parted.total.fingerprint.rows <= VerificationRequest.rowsUnparted {
            return try await compareRows(of: parted.range)
        }
        let (answer, _) = try await ask(.parts(parted), from: try await ownPosition())
        let ranges = Set(parted.ranges)
        for range in answer.ranges {
            guard ranges.contains(range) else { throw badAnswer }
            try await descend(try await store.parted(range, of: policy, scope))
        }
    }

    private mutating func compareRows(of whole: KeyRange) async throws {
        var range = whole
        while true {
            if rowsFound >= Self.differencesMax { isCut = true }
            if isCut { return }
            let head = try await store.head()
            let (rows, ownPosition) = try await store.rows(
                in: range, limit: VerificationRequest.rowsMax, of: policy, scope)
            // More have come since they were counted: what is listed goes to the last of them.
            let isFull = rows.count == VerificationRequest.rowsMax
            let listed =
                isFull ? KeyRange(range.resource, range.origin, after: range.after, through: rows.last?.key) : range
            let (answer, position) = try await ask(.rows(listed, has: rows), from: ownPosition)
            var differing = answer.rows
            if isSender {
                let verdicts = try await store.verdicts(
                    on: differing.map(\.key), of: range.resource, origin: range.origin, policy: policy,
                    seen: min(head, position.seq))
                for (index, verdict) in verdicts.enumerated() { differing[index].verdict = verdict }
            }
            differing.removeAll { $0.verdict == .onItsWay }
            if !differing.isEmpty {
                found.append(.init(resource: range.resource, origin: range.origin, rows: differing))
            }
            guard let upTo = answer.upTo ?? (isFull ? rows.last?.key : nil) else { return }
            guard (range.after ?? "").utf8.lexicographicallyPrecedes(upTo.utf8) else { throw badAnswer }
            range = range.rest(after: upTo)
        }
    }

    private func ownPosition() async throws -> ReceiverPosition? {
        isSender ? nil : try await store.position(in: policy.sender)
    }

    /// - Returns: the answer, and where the receiver stands.
    private mutating func ask(
        _ step: VerificationRequest.Step, from own: ReceiverPosition?
    ) async throws -> (answer: VerificationAnswer, position: ReceiverPosition) {
        if !isSender && own == nil { throw FederationError.notReady(policy) }
        let answer = try await exchange(step, from: own)
        guard let position = isSender ? answer.position : own else { throw badAnswer }
        if isSender { try store.requireReady(position, policy) }
        return (answer, position)
    }

    private mutating func change(_ step: VerificationRequest.Step) async throws -> (rows: Int, head: Seq) {
        let answer = try await exchange(step, from: try await ownPosition())
        return (answer.changed, answer.head)
    }

    private mutating func exchange(
        _ step: VerificationRequest.Step, from position: ReceiverPosition?
    ) async throws -> VerificationAnswer {
        steps += 1
        guard steps <= Self.stepsMax else {
            throw FederationError(
                "E_VERIFY_STEPS", "node \(peer) and \(store.node) differ in more places than can be looked at",
                hint: "wait until the link is level and try again; `--repair` brings together what was found")
        }
        let body = try WireJSON.encode(VerificationRequest(scope: scope, step: step, position: position))
        let answer = try await peers.ask(
            peer, PeerQuestion(.verification, body: body, deadlineMS: PeerQuestion.deadlineMax))
        bytes += body.count + answer.body.count
        do {
            return try answer.value(VerificationAnswer.self)
        } catch let error as FederationError {
            throw error
        } catch {
            throw badAnswer
        }
    }

    private var badAnswer: FederationError {
        FederationError(
            "E_PEER_ANSWER", "node \(peer) answered a comparison with something else",
            hint: "run the same release on both nodes")
    }
}

extension FederationError {
    static func notReady(_ policy: LinkPolicy) -> FederationError {
        FederationError(
            "E_VERIFY_NOT_READY",
            "\(policy.receiver) does not have everything yet that \(policy.sender) had when their link began, or changed",
            hint: "see `federation-node link list`; verify when the link is level", isRetryable: true)
    }
}

extension NodeStore {
    /// Whether a receiver of this node stands where what it has can be held against what is here.
    ///
    /// - Throws: `E_VERIFY_NOT_READY`.
    func requireReady(_ position: ReceiverPosition?, _ policy: LinkPolicy) throws(FederationError) {
        guard let position, position.epoch == epoch.description, position.revision == policy.revision.description
        else { throw .notReady(policy) }
    }
}
