import FederationModel
import LocalStore

/// The one door to a node, for people and for systems: everything that they do there and everything that they are told, as
/// values. Command line and HTTP interface are shells over it, which parse, print, decode and encode; none of them opens the
/// database.
///
/// Operations and reports are extensions by subject, each in a file of its own. A desk is for one actor; `acting(as:)` makes
/// that of another one over the same node.
package struct NodeDesk: Sendable {
    /// On whose behalf everything at this desk is done.
    package let actor: Actor
    package let local: LocalNode
    /// Connections to other nodes; nil makes them for each question.
    let peers: PeerClients?
    let clock: @Sendable () -> UnixMilliseconds
    private let announce: @Sendable (Seq) -> Void

    /// - Parameters:
    ///   - peers: connections to other nodes that are kept; nil for a desk that asks seldom.
    ///   - clock: what time it is.
    ///   - announce: tells links and consumers of a new head of the feed; nil rings the doorbell of the service, in whatever
    ///     process it runs.
    package init(
        _ local: LocalNode, as actor: Actor, peers: PeerClients? = nil,
        clock: @escaping @Sendable () -> UnixMilliseconds = wallClock,
        announce: (@Sendable (Seq) -> Void)? = nil
    ) {
        self.local = local
        self.actor = actor
        self.peers = peers
        self.clock = clock
        self.announce = announce ?? { _ in Doorbell.ring(databasePath: local.settings.databasePath) }
    }

    private init(_ desk: NodeDesk, as actor: Actor) {
        self.actor = actor
        local = desk.local
        peers = desk.peers
        clock = desk.clock
        announce = desk.announce
    }

    /// The desk of somebody else at the same node.
    package func acting(as actor: Actor) -> NodeDesk { NodeDesk(self, as: actor) }

    /// Opens a node's files.
    ///
    /// - Throws: what `LocalNode` throws.
    package static func open(_ settings: NodeSettings, as actor: Actor) throws -> NodeDesk {
        NodeDesk(try LocalNode(settings: settings), as: actor)
    }

    package var id: NodeID { local.id }
    package var settings: NodeSettings { local.settings }
    /// What the node goes by now.
    package var standing: Standing { store.standing }
    package var topology: Topology { standing.topology }
    package var reference: ReferenceData { standing.reference }

    /// Finds a node by its code or by a prefix of its name that only it has.
    ///
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`.
    package func node(named text: String) throws -> TopologyNode { try local.node(named: text) }

    // MARK: - What every operation and every report goes through

    var store: NodeStore { local.store }
    var rules: LifecycleRules { standing.rules }

    /// The one place through which every operation and every report passes, with the actor and the word for what he does. Here
    /// it will be decided whether he may, before the work, and entered into the audit trail that he did; so there is no way
    /// around either.
    ///
    /// - Parameter work: gets the time at which it happens.
    func perform<Value>(
        _ act: Act, _ work: (_ now: UnixMilliseconds) async throws -> Value
    ) async throws -> Value {
        try await work(clock())
    }

    /// Writes to the feed, then wakes who follows it. Whoever wrote without this would leave links and consumers asleep.
    ///
    /// - Parameter head: that of the feed after the write.
    func commit<Report>(_ head: (Report) -> Seq, _ write: () async throws -> Report) async throws -> Report {
        let report = try await write()
        announce(head(report))
        return report
    }

    /// Brings everything that is derived from the feed to its head, so that a report shows what was just written.
    func catchUp(now: UnixMilliseconds) async throws { try await store.catchUpConsumers(now: now) }

    /// Stores one record that happens now, if it is legal at its place in the ticket's thread.
    ///
    /// - Throws: the code of `IntakeRefusal`.
    func take(_ record: IntakeRecord, now: UnixMilliseconds) async throws {
        let report = try await commit(\.head) { try await store.intake(rows: [[record]], isGuarded: true, now: now) }
        if case .refused(let refusal) = report.outcomes.first { throw FederationError(refusal) }
    }

    /// An identity that no other record has.
    func identity(now: UnixMilliseconds) -> ULID {
        var chance = SystemRandomNumberGenerator()
        return ULID(now: now, using: &chance)
    }
}

extension FederationError {
    /// A refusal of a single record, as the error of an operation.
    init(_ refusal: IntakeRefusal) {
        let reason = refusal.field.map { "\($0): \(refusal.reason)" } ?? refusal.reason
        self.init(refusal.code, reason, hint: refusal.hint.isEmpty ? nil : refusal.hint)
    }
}
