import FederationModel
import GRDB
import Verification

extension NodeStore {
    /// Keeps the outcome of a comparison of everything that one direction of a link carries.
    ///
    /// - Parameter seq: where the receiver stood.
    package func note(
        differences: Int, at seq: Seq, with peer: NodeID, _ direction: LinkDirection, now: UnixMilliseconds
    ) async throws {
        let isEqual = differences == 0
        try await pool.write { db in
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.link_verification VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (peer, direction) DO UPDATE SET at = excluded.at, differences = excluded.differences,
                      equal_at = ifnull(excluded.equal_at, equal_at), equal_seq = ifnull(excluded.equal_seq, equal_seq)
                    """
            ).execute(arguments: [
                peer.code, direction.rawValue, now, differences, isEqual ? now : nil, isEqual ? seq : nil,
            ])
        }
    }

    package func linkVerifications() async throws -> [NodeID: [LinkDirection: LinkVerification]] {
        try await pool.read { db in
            var found: [NodeID: [LinkDirection: LinkVerification]] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM main.link_verification") {
                guard let peer = NodeID(row["peer"]), let direction = LinkDirection(rawValue: row["direction"]) else {
                    continue
                }
                found[peer, default: [:]][direction] = LinkVerification(
                    at: row["at"], differences: row["differences"], equalAt: row["equal_at"],
                    equalSeq: row["equal_seq"])
            }
            return found
        }
    }
}
