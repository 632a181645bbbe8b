import ChangeSetFormat
import FederationModel
import GRDB

/// What became of one row of an intake.
package enum IntakeOutcome: Hashable, Sendable {
    case accepted(IntakeChange)
    /// All of its records were here already with the same fields.
    case unchanged
    case refused(RowRejection)

    package var isAccepted: Bool {
        if case .accepted = self { true } else { false }
    }
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
    /// fields changes nothing, so a batch may be repeated. Of two records with one key the later wins. Records that a row is
    /// no longer become tombstones.
    ///
    /// - Parameter source: the intake of which they are, so that it can be undone; nil for what persons write.
    package func intake(
        _ rows: CheckedRows, of source: IntakeSource? = nil, now: UnixMilliseconds
    ) async throws -> IntakeReport {
        try await intake(rows, of: source, isTrial: false, now: now)
    }

    /// What would become of the rows; nothing is stored.
    package func trial(of rows: CheckedRows, now: UnixMilliseconds) async throws -> [IntakeOutcome] {
        try await intake(rows, of: nil, isTrial: true, now: now).outcomes
    }

    /// The same of rows that were not checked yet.
    package func intake(
        _ rows: [SourceRow], of source: IntakeSource? = nil, isGuarded: Bool, now: UnixMilliseconds
    ) async throws -> IntakeReport {
        try await intake(check(rows, isGuarded: isGuarded), of: source, now: now)
    }

    /// The same of rows that take nothing back.
    package func intake(
        rows: [[IntakeRecord]], isGuarded: Bool, now: UnixMilliseconds
    ) async throws -> IntakeReport {
        try await intake(rows.map { SourceRow($0) }, isGuarded: isGuarded, now: now)
    }

    /// Checks rows by the declarations and the reference data as they are now.
    ///
    /// - Parameters:
    ///   - isGuarded: whether records of a ticket's thread must be legal at their place (`TicketGuard`). Events that happen
    ///     now are guarded; the history of another system is stored as it is, and what is illegal in it becomes a conflict
    ///     record.
    ///   - areFieldsRight: whether it is known that nothing is wrong with the records by the declarations alone.
    package func check(_ rows: [SourceRow], isGuarded: Bool, areFieldsRight: Bool = false) -> CheckedRows {
        let checker = RowChecker(tables: tables, mayHoldReference: false, areFieldsRight: areFieldsRight)
        return check(rows, by: checker, isGuarded: isGuarded)
    }

    private func check(_ rows: [SourceRow], by checker: RowChecker, isGuarded: Bool) -> CheckedRows {
        let reference = standing.reference
        var checker = checker
        return CheckedRows(
            rows, violations: rows.map { checker.violation(of: $0.records, by: reference) }, isGuarded: isGuarded,
            tables: tables)
    }

    private func intake(
        _ rows: CheckedRows, of source: IntakeSource?, isTrial: Bool, now: UnixMilliseconds
    ) async throws -> IntakeReport {
        if let obstacle = space.obstacleToIntake(at: pool.path) { throw obstacle }
        // Else the writer's thread would be the last to hold them and would clear them away in its turn.
        let spent = Spent()
        defer { Task.detached { withExtendedLifetime((rows, spent)) {} } }
        do {
            let (outcomes, head) = try await writeFeed(isDurable: true, now: now) { [self] writer in
                try writer.requirePlausibleClock()
                let number = try source.map { try Intakes.note($0, writer) }
                let (outcomes, settled) = try take(rows, writer, spent)
                if let number { try Intakes.note(settled, of: number, writer) }
                if case .push? = source, let number { try Intakes.add(IntakeCounts(outcomes), to: number, writer.db) }
                if isTrial { throw Trial(outcomes: outcomes) }
                return outcomes
            }
            return IntakeReport(outcomes: outcomes, head: head)
        } catch let trial as Trial {
            return IntakeReport(outcomes: trial.outcomes, head: try await self.head())
        }
    }

    /// What a write leaves to be cleared away, thousands of objects: 6 % of what the writer did in an import.
    ///
    /// `@unchecked Sendable`: the writer fills it in its turn, and nobody looks into it.
    private final class Spent: @unchecked Sendable {
        var check: LifecycleCheck?
    }

    /// Ends a transaction that only finds out.
    private struct Trial: Error {
        let outcomes: [IntakeOutcome]
    }

    private func take(
        _ checked: CheckedRows, _ writer: FeedWriter, _ spent: Spent
    ) throws -> (outcomes: [IntakeOutcome], settled: [RecordDigest]) {
        let (db, standing, rows) = (writer.db, writer.standing, checked.rows)
        var refusals = checked.violations
        let records = rows.map(\.records)
        for (index, refusal) in try RemovedRecords.refusals(of: records, node: node, db) where refusals[index] == nil {
            refusals[index] = refusal
        }
        if standing.topology.node(node)?.isDraining == true {
            for index in rows.indices where try refusals[index] == nil && Self.opensTicket(records[index], node, db) {
                refusals[index] = .draining
            }
        }
        if let guarded = checked.guarded {
            let check = try LifecycleCheck(
                TicketGuard(standing.rules, topology: standing.topology), rows: guarded, memory: threadMemory.take(),
                writer)
            spent.check = check
            for index in rows.indices where refusals[index] == nil {
                refusals[index] = try check.refusal(ofRow: index, absent: rows[index].absent)
            }
            writer.afterCommit { [threadMemory] head in
                let remembered = check.remembered(upTo: head)
                return { threadMemory.put(remembered) }
            }
        }
        let written = try RowChanges(writing: checked, isTaken: refusals.map { $0 == nil }, tables: tables, writer)
        let outcomes = zip(refusals, written.changes).map { refusal, change -> IntakeOutcome in
            refusal.map { .refused($0) } ?? change.map { .accepted($0) } ?? .unchanged
        }
        return (outcomes, written.settled)
    }

    /// One transaction at `synchronous=FULL`: what it wrote is on disk when this returns.
    func writeDurably<Value: Sendable>(
        _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA main.synchronous = FULL")
            defer { try? db.execute(sql: "PRAGMA main.synchronous = NORMAL") }
            var result: Result<Value, any Error>?
            try db.inTransaction(.immediate) {
                result = .success(try work(db))
                return .commit
            }
            guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
            return try result.get()
        }
    }

    /// Stores records that are known to be right, each as a row of its own, unguarded; a release of reference data or of
    /// the catalog among them, which no other intake takes.
    ///
    /// - Throws: `E_RECORD_INVALID` when one of them is not after all; the others are stored then.
    package func intake(_ records: [IntakeRecord], now: UnixMilliseconds) async throws -> IntakeReport {
        let checker = RowChecker(tables: tables, mayHoldReference: true, areFieldsRight: false)
        let report = try await intake(
            check(records.map { SourceRow([$0]) }, by: checker, isGuarded: false), now: now)
        for (record, outcome) in zip(records, report.outcomes) {
            guard case .refused(let refusal) = outcome else { continue }
            throw FederationError(
                "E_RECORD_INVALID",
                "a record of \(record.resource): \(refusal.code): \(refusal.field ?? ""): \(refusal.reason)")
        }
        return report
    }

    /// Whether a row brings a ticket that is not here yet.
    private static func opensTicket(_ row: [IntakeRecord], _ node: NodeID, _ db: Database) throws -> Bool {
        try row.contains { record in
            guard record.resource == BuiltInResources.serviceRequest.name else { return false }
            return try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT NOT EXISTS (SELECT 1 FROM main.service_request WHERE origin = ? AND \"key\" = ?)"),
                arguments: [node.code, record.key]) ?? false
        }
    }
}

/// Holds rows against the declarations and the reference data.
private struct RowChecker {
    let tables: [ResourceName: ResourceTable]
    let mayHoldReference: Bool
    let areFieldsRight: Bool
    /// What was found for each resource of the rows, few of which there are: so nothing is looked up for each record.
    private var known: [(name: ResourceName, table: ResourceTable?, obstacle: RowRejection?)] = []

    init(tables: [ResourceName: ResourceTable], mayHoldReference: Bool, areFieldsRight: Bool) {
        self.tables = tables
        self.mayHoldReference = mayHoldReference
        self.areFieldsRight = areFieldsRight
    }

    mutating func violation(of row: [IntakeRecord], by reference: ReferenceData) -> RowRejection? {
        for record in row {
            let place = place(of: record.resource)
            if let obstacle = known[place].obstacle { return obstacle }
            guard let table = known[place].table else { continue }
            if !areFieldsRight, let violation = record.violation(in: table.definition, lists: reference.lists) {
                return violation
            }
            // Invented tickets have faults on purpose.
            if !mayHoldReference, let violation = reference.violation(of: record) { return violation }
        }
        return nil
    }

    private mutating func place(of resource: ResourceName) -> Int {
        if let place = known.firstIndex(where: { $0.name == resource }) { return place }
        known.append((resource, tables[resource], obstacle(to: resource)))
        return known.endIndex - 1
    }

    /// Why no record of a resource may be taken in; nil when some may.
    private func obstacle(to resource: ResourceName) -> RowRejection? {
        guard let table = tables[resource] else {
            return RowRejection(
                code: "E_RESOURCE_UNKNOWN", reason: "this node has no resource \(resource)",
                hint: "see `federation-node resource list`")
        }
        if table.definition.isReference && !mayHoldReference { return .reference(resource) }
        if CatalogResources.names.contains(resource) && !mayHoldReference { return .catalog(resource) }
        return RemovalResources.names.contains(resource) ? .removal(resource) : nil
    }
}

extension RowRejection {
    /// What is open at such a node still goes on: only a ticket that is new here is refused.
    package static let draining = RowRejection(
        code: "E_NODE_DRAINING",
        reason: "the topology has this node drain before it is removed: it takes no new tickets",
        hint: "take the ticket in at the node that follows it")

    /// Reference data come as a whole release, checked as one, or they would contradict each other.
    package static func reference(_ resource: ResourceName) -> RowRejection {
        RowRejection(
            code: "E_REFERENCE_RECORD",
            reason: "\(resource) is reference data, which no intake of single records takes",
            hint: "publish a release with `federation-node reference load` at the top node")
    }

    /// A catalog comes as a whole release too, and decides what leaves: no other system may write it.
    package static func catalog(_ resource: ResourceName) -> RowRejection {
        RowRejection(
            code: "E_CATALOG_RECORD",
            reason: "\(resource) is a part of the catalog, which no intake of single records takes",
            hint: "change catalog.yaml and publish it with `federation-node catalog publish`")
    }
}
