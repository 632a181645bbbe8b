import ChangeSetFormat
import FederationModel
import Foundation
import GRDB

import struct FederationModel.Cursor

extension NodeStore {
    /// Tries rows again that were put aside: after an upgrade their rule may be another.
    ///
    /// - Parameters:
    ///   - ids: of `QuarantinedRow`; nil for all of them.
    ///   - policies: what each neighbour may send here.
    package func retryQuarantined(
        _ ids: [Int64]?, policies: [NodeID: LinkPolicy], now: UnixMilliseconds
    ) async throws -> QuarantineRetry {
        do {
            return try await retry(ids, policies: policies, now: now)
        } catch let error as FederationError where error.code == FederationError.statementRefusedCode {
            // One that the database refuses must not hold back the others.
            var sum = QuarantineRetry()
            sum.head = try await head()
            for id in try await quarantinedIDs(among: ids) {
                do {
                    let single = try await retry([id], policies: policies, now: now)
                    sum.taken += single.taken
                    sum.kept += single.kept
                    sum.head = single.head
                } catch let error as FederationError where error.code == FederationError.statementRefusedCode {
                    sum.kept += 1
                }
            }
            return sum
        }
    }

    private func quarantinedIDs(among ids: [Int64]?) async throws -> [Int64] {
        if let ids { return ids }
        return try await pool.read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM main.quarantine ORDER BY version")
        }
    }

    private func retry(
        _ ids: [Int64]?, policies: [NodeID: LinkPolicy], now: UnixMilliseconds
    ) async throws -> QuarantineRetry {
        let wanted = ids.map { "[\($0.map(String.init).joined(separator: ","))]" }
        var (retry, head) = try await writeFeed(now: now) { [self] writer in
            var retry = QuarantineRetry()
            let rows = try Row.fetchAll(
                writer.db,
                sql: """
                    SELECT id, sender, resource, origin, row, rule FROM main.quarantine
                    WHERE ?1 IS NULL OR id IN (SELECT value FROM json_each(?1)) ORDER BY version
                    """, arguments: [wanted])
            for row in rows {
                guard let sender = NodeID(row["sender"]), let policy = policies[sender],
                    let table = tables[ResourceName(row["resource"])], policy.grants(table.definition.name),
                    policy.origins.contains(where: { $0.code == row["origin"] as String }),
                    policy.isInForce(under: writer.standing), adopting.map({ policy.isInForce(under: $0) }) ?? true,
                    // What is kept of such a text is not what was sent.
                    row["rule"] as String != RowRejection.Rule.badText.rawValue
                else {
                    retry.kept += 1
                    continue
                }
                if try Self.take(Quarantine.fields(row["row"]), id: row["id"], of: table, sender: sender, writer) {
                    retry.taken += 1
                } else {
                    retry.kept += 1
                }
            }
            return retry
        }
        retry.head = head
        return retry
    }

    /// Tries those rows again that were put aside because no clock showed their time yet, and whose time has come: this node's clock was
    /// behind, or that of their origin ahead.
    ///
    /// - Parameter policies: what each neighbour may send here.
    package func retryEarlyRows(policies: [NodeID: LinkPolicy], now: UnixMilliseconds) async throws -> QuarantineRetry {
        let limit = HybridTime(milliseconds: now + SyncLimits.clockSkewMax + 1, counter: 0).rawValue
        let ids = try await pool.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM main.quarantine WHERE rule = ? AND field = ? AND version < ?",
                arguments: [RowRejection.Rule.badTime.rawValue, EnvelopeColumn.version, limit])
        }
        return ids.isEmpty ? QuarantineRetry() : try await retryQuarantined(ids, policies: policies, now: now)
    }

    /// - Returns: whether the row keeps all rules now; else what it breaks is noted.
    private static func take(
        _ fields: [String: FieldValue], id: Int64, of table: ResourceTable, sender: NodeID, _ writer: FeedWriter
    ) throws -> Bool {
        // The way of every row from a neighbour: as bytes, so that nothing is checked twice or otherwise.
        let definition = table.definition
        var block = BlockWriter(resource: definition, kind: .tail)
        let columns =
            EnvelopeColumn.all.map { ($0.name, $0.storage) } + definition.columns.map { ($0.name, $0.type.storage) }
        for (index, (name, storage)) in columns.enumerated() {
            let value = fields[name] ?? .null
            switch (value, storage) {
            case (.text, .text), (.integer, .integer), (.real, .real): block.columns[index].append(value)
            case (.integer(let integer), .real): block.columns[index].append(real: Double(integer))
            default:
                block.columns[index].appendNull()
                block.carry(name, value)
            }
        }
        let known = Set(columns.map(\.0))
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            block.carry(name, value)
        }
        block.finishRow()
        let nowhere = Cursor(
            epoch: Epoch(counter: 0, nonce: 0), seq: 0, revision: LinkRevision(topology: 0, policy: 0), sweep: .complete
        )
        let header = ChangeSetHeader(
            sender: sender, receiver: writer.node, start: nowhere, end: nowhere, head: 0,
            schemaRevision: BuiltInResources.schemaRevision, rowCount: 1, payloadBytes: 0, createdAt: writer.now)
        let payload = changeSetPayload(digest: header.digest, blocks: [block])
        return try payload.withUnsafeBytes { payload in
            let blocks = try PayloadReader { $0 == definition.name ? definition : nil }.blocks(
                of: payload, header: header)
            if let violation = blocks[0].faults(payload: payload, now: writer.now).first?.violation {
                try writer.db.execute(
                    sql: "UPDATE main.quarantine SET field = ?, rule = ?, detail = ? WHERE id = ?",
                    arguments: [violation.field ?? "", violation.code, violation.reason, id])
                return false
            }
            let staged = try RowStager(table: table, db: writer.db).stage(blocks[0], payload: payload, skipping: [])
            // It also takes the row out of the quarantine.
            _ = try writer.apply(staged, to: table, supplier: sender)
            return true
        }
    }

    /// A row that was put aside, and its fields; nil when there is none with that number.
    package func quarantinedRow(
        _ id: Int64
    ) async throws -> (row: QuarantinedRow, fields: [String: FieldValue])? {
        try await pool.read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM main.quarantine WHERE id = ?", arguments: [id])
            else { return nil }
            return (QuarantinedRow(row), try Quarantine.fields(row["row"]))
        }
    }

    /// Gives rows up that were put aside.
    ///
    /// - Returns: how many of them there were.
    package func dropQuarantined(_ ids: [Int64]) async throws -> Int {
        try await pool.write { db in
            try ids.reduce(0) { dropped, id in
                try db.execute(sql: "DELETE FROM main.quarantine WHERE id = ?", arguments: [id])
                return dropped + db.changesCount
            }
        }
    }
}

extension Quarantine {
    /// The fields that `put` has kept.
    static func fields(_ json: String) throws -> [String: FieldValue] {
        try JSONDecoder().decode([String: FieldValue].self, from: Data(json.utf8))
    }
}

extension QuarantinedRow {
    init(_ row: Row) {
        self.init(
            id: row["id"], sender: row["sender"], resource: row["resource"], origin: row["origin"], key: row["key"],
            field: row["field"], rule: row["rule"], detail: row["detail"], receivedAt: row["received_at"])
    }
}
