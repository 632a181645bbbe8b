import ChangeSetFormat
import FederationModel
import Foundation
import GRDB

/// Rows that break a rule (隔离). They are kept whole, so that they can be tried again after a schema upgrade, and they
/// never block the link: its cursor moves on.
enum Quarantine {
    static func put(
        _ fault: RowFault, of block: DecodedBlock, payload: UnsafeRawBufferPointer, sender: NodeID,
        now: UnixMilliseconds, _ db: Database
    ) throws {
        var row: [String: any Encodable] = [:]
        for column in block.columns + block.foreign where !column.isNull(fault.row) {
            switch column.value(fault.row, payload: payload) {
            case .text(let text): row[column.name] = text
            case .integer(let integer): row[column.name] = integer
            // JSON has no word for one that is not finite; as a text it breaks the rule again when it is tried again.
            case .real(let real): row[column.name] = real.isFinite ? real : "\(real)"
            case .null: break
            }
        }
        func text(_ column: String) -> String { row[column] as? String ?? "" }
        let json = try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys])
        try db.cachedStatement(
            sql: """
                INSERT INTO main.quarantine
                  (sender, resource, origin, "key", version, field, rule, detail, received_at, row)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (resource, origin, "key") DO UPDATE SET sender = excluded.sender, version = excluded.version,
                  field = excluded.field, rule = excluded.rule, detail = excluded.detail,
                  received_at = excluded.received_at, row = excluded.row
                """
        ).execute(arguments: [
            sender.code, block.resource.name.text, text(EnvelopeColumn.origin), text(EnvelopeColumn.key),
            row[EnvelopeColumn.version] as? Int64 ?? 0, fault.violation.field ?? "", fault.violation.code,
            fault.violation.reason, now, String(decoding: json, as: UTF8.self),
        ])
    }

    static func count(of sender: NodeID, _ db: Database) throws -> Int {
        let statement = try db.cachedStatement(sql: "SELECT count(*) FROM main.quarantine WHERE sender = ?")
        return Int(try statement.fetchInteger([sender.code]) ?? 0)
    }

    static func holds(_ resource: ResourceName, _ db: Database) throws -> Bool {
        try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.quarantine WHERE resource = ?)").fetchInteger([
            resource.text
        ]) == 1
    }

    /// Forgets rows whose good look is among those just staged.
    static func release(resource: ResourceName, _ db: Database) throws {
        guard try holds(resource, db) else { return }
        try db.cachedStatement(
            sql: """
                DELETE FROM main.quarantine WHERE resource = ?1 AND EXISTS (
                  SELECT 1 FROM batch.\(quoted(resource.text)) AS b
                  WHERE b.origin = quarantine.origin AND b."key" = quarantine."key")
                """
        ).execute(arguments: [resource.text])
    }
}

extension FederationError {
    static func quarantineFull(of sender: NodeID, at receiver: NodeID) -> FederationError {
        FederationError(
            "E_QUARANTINE_FULL",
            "\(receiver) has put aside more than \(SyncLimits.quarantineRowsMax) rows of \(sender); their link pauses",
            hint: "see `federation-node quarantine list` at \(receiver); mend what is wrong where the rows "
                + "come from, or give them up with `federation-node quarantine drop`", isRetryable: true)
    }
}

extension NodeStore {
    package func quarantinedRows(limit: Int) async throws -> [QuarantinedRow] {
        try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM main.quarantine ORDER BY id LIMIT ?", arguments: [limit])
                .map(QuarantinedRow.init)
        }
    }
}
