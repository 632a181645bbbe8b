import ChangeSetFormat
import FederationModel
import GRDB

/// What became of one batch of records.
package struct IntakeReport: Sendable {
    /// For each record, in order, whether it changed anything.
    package var changed: [Bool]
    /// The head after the commit; links are woken with it.
    package var head: Seq
}

extension NodeStore {
    /// Stores records of this node in one durable transaction (`synchronous=FULL`): when this returns, a ticket that was
    /// acknowledged to a citizen is on disk.
    ///
    /// A record that is here already with the same fields changes nothing, so a batch may be repeated. Within a batch the
    /// later of two records with one key wins.
    ///
    /// - Throws: `E_RESOURCE_UNKNOWN`, or the first `FieldViolation` as `E_RECORD_INVALID`: check records with
    ///   `violation(of:)` before, where one bad record must not stop the others.
    package func intake(_ records: [IntakeRecord], now: UnixMilliseconds) async throws -> IntakeReport {
        for record in records {
            if let violation = try violation(of: record) {
                throw FederationError("E_RECORD_INVALID", "a record of \(record.resource): \(violation)")
            }
        }
        return try await writeDurably { [node, tables] db in
            var changedKeys: [ResourceName: Set<String>] = [:]
            let version = try NodeValue.nextVersion(now: now, db)
            for (resource, group) in Dictionary(grouping: records, by: \.resource) {
                guard let table = tables[resource] else { continue }
                changedKeys[resource] = try Self.write(group, version: version, node: node, table: table, db)
            }
            return IntakeReport(
                changed: records.map { changedKeys[$0.resource]?.contains($0.key) == true },
                head: try NodeValue.integer("seq", db))
        }
    }

    /// One transaction at `synchronous=FULL`: what it wrote is on disk when this returns.
    func writeDurably<Value: Sendable>(
        _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA main.synchronous = FULL")
            defer { try? db.execute(sql: "PRAGMA main.synchronous = NORMAL") }
            var value: Value?
            try db.inTransaction(.immediate) {
                value = try work(db)
                return .commit
            }
            guard let value else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
            return value
        }
    }

    /// What is wrong with a record that a local system hands in; nil when it may be stored.
    ///
    /// - Throws: `E_RESOURCE_UNKNOWN`.
    package func violation(of record: IntakeRecord) throws -> FieldViolation? {
        guard let table = tables[record.resource] else {
            throw FederationError(
                "E_RESOURCE_UNKNOWN", "this node has no resource \(record.resource)",
                hint: "see `federation-node resource list`")
        }
        return record.violation(in: table.definition)
    }

    private static func write(
        _ records: [IntakeRecord], version: HybridTime, node: NodeID, table: ResourceTable, _ db: Database
    ) throws -> Set<String> {
        try RowStager(table: table, db: db).stage(records, origin: node)
        let base = try NodeValue.draw(seqs: records.count, db)
        try db.cachedStatement(sql: table.intake).execute(arguments: [base, version.rawValue])
        let changes = db.changesCount
        try db.cachedStatement(sql: table.clearBatch).execute()
        if changes == 0 {
            try NodeValue.putBack(seqs: records.count, db)
            return []
        }
        if changes == records.count { return Set(records.map(\.key)) }
        return try Set(String.fetchAll(try db.cachedStatement(sql: table.keysChangedAfter), arguments: [base]))
    }
}
