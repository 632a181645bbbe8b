import ChangeSetFormat
import FederationModel
import GRDB

/// What became of one row of an intake.
package enum IntakeOutcome: Hashable, Sendable {
    case accepted
    /// All of its records were here already with the same fields.
    case unchanged
    case refused(IntakeRefusal)
}

/// What became of an intake.
package struct IntakeReport: Sendable {
    /// One for each row, in order.
    package var outcomes: [IntakeOutcome]
    /// The head after the commit; links are woken with it.
    package var head: Seq
}

extension NodeStore {
    /// Stores rows of this node in one durable transaction (`synchronous=FULL`): when this returns, a ticket that was
    /// acknowledged to a citizen is on disk.
    ///
    /// A row is stored whole or not at all; a refused one stops no other. A record that is here already with the same
    /// fields changes nothing, so a batch may be repeated. Of two records with one key the later wins.
    ///
    /// - Parameters:
    ///   - rows: the records that each row of the source became.
    ///   - isGuarded: whether records of a ticket's thread must be legal at their place (`TicketGuard`). Events that happen
    ///     now are guarded; the history of another system is stored as it is, and what is illegal in it becomes a conflict
    ///     record.
    package func intake(
        rows: [[IntakeRecord]], isGuarded: Bool, now: UnixMilliseconds
    ) async throws -> IntakeReport {
        try await pool.writeWithoutTransaction { [node, tables, tableOrder, rules, scopeLog] db in
            try db.execute(sql: "PRAGMA main.synchronous = FULL")
            defer { try? db.execute(sql: "PRAGMA main.synchronous = NORMAL") }
            var report = IntakeReport(outcomes: [], head: 0)
            try db.inTransaction(.immediate) {
                let version = try NodeValue.nextVersion(now: now, db)
                var refusals = rows.map { Self.violation(of: $0, tables: tables) }
                if isGuarded {
                    var check = try LifecycleCheck(
                        rules: rules, node: node, version: version, rows: rows,
                        reader: ThreadReader(tables: tableOrder, columns: TicketGuard.columns), db)
                    for index in rows.indices where refusals[index] == nil {
                        refusals[index] = check.refusal(of: rows[index])
                    }
                }
                var accepted: [IntakeRecord] = []
                for (row, refusal) in zip(rows, refusals) where refusal == nil { accepted += row }
                var changed: [ResourceName: Set<String>] = [:]
                for (resource, group) in Dictionary(grouping: accepted, by: \.resource) {
                    guard let table = tables[resource] else { continue }
                    changed[resource] = try Self.write(group, version: version, node: node, table: table, db)
                    try scopeLog.touchThreads(db)
                }
                report.outcomes = zip(rows, refusals).map { row, refusal in
                    if let refusal { return .refused(refusal) }
                    return row.contains { changed[$0.resource]?.contains($0.key) == true } ? .accepted : .unchanged
                }
                report.head = try NodeValue.integer("seq", db)
                return .commit
            }
            return report
        }
    }

    /// Stores records that are known to be right, each as a row of its own, unguarded.
    ///
    /// - Throws: `E_RECORD_INVALID` when one of them is not after all; the others are stored then.
    package func intake(_ records: [IntakeRecord], now: UnixMilliseconds) async throws -> IntakeReport {
        let report = try await intake(rows: records.map { [$0] }, isGuarded: false, now: now)
        for (record, outcome) in zip(records, report.outcomes) {
            guard case .refused(let refusal) = outcome else { continue }
            throw FederationError(
                "E_RECORD_INVALID",
                "a record of \(record.resource): \(refusal.code): \(refusal.field ?? ""): \(refusal.reason)")
        }
        return report
    }

    private static func violation(
        of row: [IntakeRecord], tables: [ResourceName: ResourceTable]
    ) -> IntakeRefusal? {
        for record in row {
            guard let table = tables[record.resource] else {
                return IntakeRefusal(
                    code: "E_RESOURCE_UNKNOWN", reason: "this node has no resource \(record.resource)",
                    hint: "see `federation-node resource list`")
            }
            if let violation = record.violation(in: table.definition) { return IntakeRefusal(violation) }
        }
        return nil
    }

    private static func write(
        _ group: [IntakeRecord], version: HybridTime, node: NodeID, table: ResourceTable, _ db: Database
    ) throws -> Set<String> {
        let records = latest(of: group)
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

    /// One record for each key, the last. A look that was replaced in the batch was never there, so nobody is told of it.
    private static func latest(of records: [IntakeRecord]) -> [IntakeRecord] {
        var last: [String: Int] = [:]
        for (index, record) in records.enumerated() { last[record.key] = index }
        if last.count == records.count { return records }
        return records.enumerated().filter { last[$1.key] == $0 }.map(\.element)
    }
}
