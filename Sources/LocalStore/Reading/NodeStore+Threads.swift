import FederationModel
import GRDB

/// A thread as a line of a list.
package struct ThreadSummary: Hashable, Sendable {
    package let id: String
    /// The word of its state.
    package let state: String
    /// Since when; nil when no record says so.
    package let since: UnixMilliseconds?
}

/// A thread with its records, as this node holds them.
package struct HeldThread<State: ThreadState>: Sendable {
    package let id: String
    package let state: State
    /// Resource by resource, then in the order of time.
    package let records: [TicketThread.Record]
    /// Who must see it.
    package let audience: Set<NodeID>
}

extension NodeStore {
    /// What every node folds, shares, lists and shows as threads.
    package static let builtInThreadKinds: [any ThreadKind] = [
        TicketKind(), AnnouncementKind(), AlertKind(), SituationKind(), FindingKind(), EvaluationKind(),
        ReportSeriesKind(),
    ]

    /// The threads of a kind, those that changed last first; as far as they are folded. Tickets have a list of their own,
    /// `tickets`, which knows more of them.
    ///
    /// - Parameter state: only those in the state with this word.
    package func threads(
        of kind: some ThreadKind, inState state: String? = nil, limit: Int
    ) async throws -> [ThreadSummary] {
        try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT thread, state, since FROM main.thread_state WHERE kind = ?1 AND (?2 IS NULL OR state = ?2)
                    ORDER BY since DESC, thread LIMIT ?3
                    """, arguments: [kind.name, state, limit]
            ).map { ThreadSummary(id: $0[0], state: $0[1], since: $0[2]) }
        }
    }

    /// A thread by its id, folded from the records that are here now; nil when there is none.
    package func thread<Kind: ThreadKind>(_ id: String, of kind: Kind) async throws -> HeldThread<Kind.State>? {
        try await pool.read { [node, standing, tables] db in
            guard let records = try ThreadReader(kind).threads(of: [ExactText(id)], db)[ExactText(id)] else {
                return nil
            }
            let rows = try kind.forms.compactMap { tables[$0.resource] }.flatMap {
                try Self.records(of: $0, where: "\(quoted(kind.key)) = ?", [id], db)
            }
            return HeldThread(
                id: id, state: kind.fold(records, rules: standing.rules), records: rows,
                audience: kind.audience(records, at: node, topology: standing.topology))
        }
    }
}
