import FederationModel
import GRDB

/// What a person wants to know of one direction of one link. It is kept in the database, so that `status` works whether
/// the service runs or not, and whether the peer answers or not.
package struct LinkStatus: Hashable, Sendable {
    package var peer: NodeID
    package var direction: LinkDirection
    package var state: LinkState
    /// What the receiver has confirmed.
    package var cursor: Seq
    /// The sender's latest seq, as far as it is known here.
    package var head: Seq
    /// Changes of the sender that the receiver has not got yet, when `head` was seen.
    package var lagRows: Int64
    package var lastContact: UnixMilliseconds?
    /// When the cursor last stood at the head.
    package var levelAt: UnixMilliseconds?
    package var error: FederationError?
    package var errorAt: UnixMilliseconds?
    /// Rows that the receiver got from the sender and that the sender no longer has, as the receiver said last.
    package var lost: Int
    /// Rows of the sender that are put aside at the receiver, as that said last.
    package var quarantined: Int

    package init(
        peer: NodeID, direction: LinkDirection, state: LinkState, cursor: Seq = 0, head: Seq = 0, lagRows: Int64 = 0,
        lastContact: UnixMilliseconds? = nil, levelAt: UnixMilliseconds? = nil, error: FederationError? = nil,
        errorAt: UnixMilliseconds? = nil, lost: Int = 0, quarantined: Int = 0
    ) {
        self.quarantined = quarantined
        self.lost = lost
        self.peer = peer
        self.direction = direction
        self.state = state
        self.cursor = cursor
        self.head = head
        self.lagRows = lagRows
        self.lastContact = lastContact
        self.levelAt = levelAt
        self.error = error
        self.errorAt = errorAt
    }
}

extension NodeStore {
    package func save(_ status: LinkStatus) async throws {
        try await pool.write { db in
            try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO main.link_status VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            ).execute(arguments: [
                status.peer.code, status.direction.rawValue, status.state.rawValue, status.cursor, status.head,
                status.lagRows,
                status.lastContact, status.levelAt, status.error?.code, status.error?.message, status.error?.hint,
                status.errorAt, status.lost, status.quarantined,
            ])
        }
    }

    package func linkStatuses() async throws -> [LinkStatus] {
        try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM main.link_status ORDER BY peer, direction").compactMap { row in
                guard let peer = NodeID(row["peer"]), let direction = LinkDirection(rawValue: row["direction"]) else {
                    return nil
                }
                var error: FederationError?
                if let code: String = row["error_code"] {
                    error = FederationError(code, row["error_message"] ?? "", hint: row["error_hint"])
                }
                return LinkStatus(
                    peer: peer, direction: direction, state: LinkState(rawValue: row["state"]) ?? .connecting,
                    cursor: row["cursor"], head: row["head"],
                    lagRows: row["lag_rows"], lastContact: row["last_contact"], levelAt: row["level_at"], error: error,
                    errorAt: row["error_at"], lost: row["lost"],
                    quarantined: row["quarantined"])
            }
        }
    }

    /// Rows behind a seq that a link has to look at: a figure that a person can use, where the distance of two seqs is not, because a
    /// row that changed ten times is sent once.
    ///
    /// - Returns: nil when there are more than 10,000; nobody needs to know how many then.
    package func rowsWaiting(after seq: Seq, policy: LinkPolicy) async throws -> Int64? {
        try await pool.read { [visibility] db in
            let granted = try visibility.rows(grantedBy: policy, db)
            guard !granted.isEmpty else { return 0 }
            let feed = GrantedRows.feed(of: granted)
            let statement = try db.cachedStatement(
                sql: "SELECT count(*) FROM (SELECT seq FROM (\(feed)) LIMIT 10001)")
            let count = try statement.fetchInteger(["after": seq]) ?? 0
            return count > 10_000 ? nil : count
        }
    }

    /// Rows put aside, by the neighbour that sent them.
    package func quarantineCounts() async throws -> [NodeID: Int] {
        try await pool.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT sender, count(*) FROM main.quarantine GROUP BY sender")
            return Dictionary(
                uniqueKeysWithValues: rows.compactMap { row in NodeID(row[0]).map { ($0, row[1]) } })
        }
    }

    /// Rows of some resources that were put aside, by their origin; origins without any are absent.
    static func quarantineCounts(of resources: [ResourceName], _ db: Database) throws -> [NodeID: Int64] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT origin, count(*) FROM main.quarantine
                    WHERE resource IN (SELECT value FROM json_each(?)) GROUP BY origin
                    """), arguments: [jsonArray(resources.map(\.text))])
        return Dictionary(uniqueKeysWithValues: rows.compactMap { row in NodeID(row[0]).map { ($0, row[1]) } })
    }

    /// Keeps how fresh origins are, as their supplier says of what is here by now. Of those that are whole nothing is awaited any more
    /// (`LostRows.State.awaited`).
    ///
    /// - Parameter policy: under which the supplier has said it.
    /// - Returns: the head of the feed.
    package func save(
        freshness: [NodeID: OriginFreshness], under policy: LinkPolicy, now: UnixMilliseconds
    ) async throws -> Seq {
        try await writeFeed(now: now) { [tableOrder, retractionLimit, resources] writer in
            let db = writer.db
            for (origin, freshness) in freshness {
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.origin_freshness VALUES (?, ?, ?, ?, ?)")
                    .execute(
                        arguments: [
                            origin.code, freshness.asOf, freshness.complete, freshness.topology, freshness.level,
                        ])
            }
            // A sweep that has begun meanwhile waits for what is said after it.
            guard try LostRows.holdsAny(db), let cursor = try LinkCursorTable.cursor(of: policy.sender, db),
                cursor.sweep == .complete, cursor.revision == policy.revision
            else { return }
            for origin in freshness.filter(\.value.complete).keys
            where writer.standing.topology.supplier(of: origin, to: policy.receiver) == policy.sender {
                try UnlistedRows.settle(
                    awaitedOf: origin, policy: policy, tables: tableOrder, limit: retractionLimit, resources: resources,
                    writer)
            }
        }.head
    }

    /// Takes back that all of these origins is here: their supplier has begun another epoch.
    package func doubt(_ origins: Set<NodeID>) async throws {
        try await pool.write { db in try Self.doubt(origins, db) }
    }

    static func doubt(_ origins: Set<NodeID>, _ db: Database) throws {
        let statement = try db.cachedStatement(sql: "UPDATE main.origin_freshness SET complete = 0 WHERE origin = ?")
        for origin in origins { try statement.execute(arguments: [origin.code]) }
    }

    package func freshness() async throws -> [NodeID: OriginFreshness] {
        try await pool.read { db in try Self.freshness(db) }
    }

    /// The head of the feed, and how fresh the origins are whose rows stand in it up to there.
    package func headAndFreshness() async throws -> (head: Seq, freshness: [NodeID: OriginFreshness]) {
        try await pool.read { db in (try NodeValue.integer("seq", db), try Self.freshness(db)) }
    }

    static func freshness(_ db: Database) throws -> [NodeID: OriginFreshness] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT origin, as_of, complete, topology, level FROM main.origin_freshness"))
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in
                NodeID(row[0]).map {
                    ($0, OriginFreshness(asOf: row[1], complete: row[2], topology: row[3], level: row[4]))
                }
            })
    }
}
