import FederationModel
import GRDB

/// What an answer must know of the rows here beside what they come to. It is read at once: each reading costs a question two changes of
/// threads, which on a busy machine are most of its time.
package struct Holdings: Sendable {
    /// Whether all is derived that consumers of this database derive.
    package let isDerived: Bool
    /// Whether something is kept of questions (`wantRollups`).
    package let keepsRollups: Bool
    /// The live rows of each origin; nil while nobody counts them, and where some of them may have to be kept from a reader.
    package let liveRows: [String: Int64]?
    package let freshness: [NodeID: OriginFreshness]
    /// The newest of each; those of which none is here whole are left out.
    package let catalogs: [NodeID: Catalog]
    /// Rows that were put aside, by their origin; origins without any are absent.
    package let quarantined: [NodeID: Int64]
    /// Neighbours that hold rows which this node has lost, as they said last.
    package let lostAt: [NodeID]
}

extension NodeStore {
    /// - Parameters:
    ///   - resources: what an answer needs.
    ///   - covered: the resource whose live rows are wanted, if any are.
    ///   - readers: the nodes to which the answer goes.
    ///   - owners: whose catalogs are wanted.
    package func holdings(
        of resources: [ResourceName], covered: ResourceName? = nil, readers: [TopologyNode] = [],
        catalogs owners: Set<NodeID> = []
    ) async throws -> Holdings {
        try await pool.read { [self] db in
            let keepsRollups = try NodeValue.integer(NodeValue.rollups, db) != 0
            let counted = keepsRollups ? covered : nil
            return Holdings(
                isDerived: try isDerived(db), keepsRollups: keepsRollups,
                liveRows: try counted.flatMap { try liveRows(of: $0, readers: readers, db) },
                freshness: try Self.freshness(db), catalogs: try newestCatalogs(of: owners, db),
                quarantined: try Self.quarantineCounts(of: resources, db), lostAt: try Self.lostAt(db))
        }
    }

    private static func lostAt(_ db: Database) throws -> [NodeID] {
        let statement = try db.cachedStatement(
            sql: "SELECT peer FROM main.link_status WHERE direction = ? AND lost > 0")
        return try String.fetchAll(statement, arguments: [LinkDirection.sending.rawValue]).compactMap { NodeID($0) }
    }
}
