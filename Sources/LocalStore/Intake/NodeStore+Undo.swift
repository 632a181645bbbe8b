import ChangeSetFormat
import FederationModel
import Foundation
import GRDB

extension NodeStore {
    /// Brings back what rows were before an intake, as new versions, which go wherever the rows went.
    ///
    /// What was written on top of the intake stays on top of what was there before it: so several can be undone in any order. It
    /// goes on in steps, each of which is committed; when it is cut off, the same call does the rest.
    ///
    /// - Parameter isTrial: whether it is only counted what would be done.
    /// - Throws: `E_INTAKE_UNKNOWN`, `E_INTAKE_UNDONE`, `E_INTAKE_FORGOTTEN`.
    package func undo(intake number: Int64, isTrial: Bool, now: UnixMilliseconds) async throws -> UndoReport {
        var undo = try await pool.read { [self] db in
            try IntakeUndo(number, node: node, tables: tableOrder, db)
        }
        let tables = undo.tables
        // The request last: as long as it is there its image is logged for the records of its thread.
        for table in tables.filter({ $0.definition.name != BuiltInResources.serviceRequest.name })
            + tables.filter({ $0.definition.name == BuiltInResources.serviceRequest.name })
        {
            if !isTrial {
                let before = undo
                undo = try await writeFeed(isDurable: true, now: now) { writer in
                    var state = before
                    try state.settleLooks(of: table, writer.db)
                    return state
                }.value
            }
            let ids = try await pool.read { [node] db in
                try Int64.fetchAll(db, sql: table.idsOfIntake, arguments: [number, node.code])
            }
            for start in stride(from: 0, to: ids.count, by: IntakeUndo.rowsMax) {
                let some = Array(ids[start..<min(start + IntakeUndo.rowsMax, ids.count)])
                let before = undo
                if isTrial {
                    undo = try await pool.read { db in
                        var state = before
                        try state.step(some, of: table, db, writer: nil)
                        return state
                    }
                } else {
                    let (next, head) = try await writeFeed(isDurable: true, now: now) { writer in
                        var state = before
                        try state.step(some, of: table, writer.db, writer: writer)
                        return state
                    }
                    undo = next
                    undo.report.head = head
                }
            }
        }
        guard !isTrial else { return undo.report }
        let report = undo.report
        try await pool.write { db in
            try db.execute(
                sql: "UPDATE main.intake SET undone_at = ?, kept = ? WHERE id = ?",
                arguments: [now, report.kept, number])
            // What stays must be known when the rest is tried again.
            if report.kept > 0 { return }
            for table in tables { try db.execute(sql: table.forgetFormer, arguments: [number]) }
            try db.execute(sql: "DELETE FROM main.intake_settled WHERE intake = ?", arguments: [number])
        }
        return report
    }
}

/// The undoing of one intake.
private struct IntakeUndo: Sendable {
    /// Rows in one transaction: the writer must be free in between.
    static let rowsMax = 2_000
    private static let ticketsNamedMax = 20

    let number: Int64
    let node: NodeID
    let tables: [ResourceTable]
    private let threads: [ResourceTable]
    var report: UndoReport
    /// The later intakes that found something as they say, the earliest first.
    private let later: [Int64]
    private var settled: [Int64: DigestSet] = [:]
    /// Who has acted on tickets, as far as that was looked up.
    private var acted: [ExactText: Actors?] = [:]

    /// Who has acted on a ticket that this intake made.
    private enum Actors: Hashable {
        case intakes(earliest: Int64)
        /// Also a person, another node, or an intake that was undone and left something.
        case others
    }

    init(_ number: Int64, node: NodeID, tables: [ResourceTable], _ db: Database) throws {
        let entry = try Intakes.entry(number, db)
        if entry.undoneAt != nil, entry.kept == 0 {
            throw FederationError("E_INTAKE_UNDONE", "intake \(number) has been undone already")
        }
        guard entry.isRemembered else {
            throw FederationError(
                "E_INTAKE_FORGOTTEN", "it is no longer known what rows were before intake \(number)",
                hint: "import a corrected file; `undo-days` in node.yaml says how long intakes can be undone")
        }
        self.number = number
        self.node = node
        self.tables = tables.filter(\.keepsFormer)
        threads = self.tables.filter(\.definition.isThreadRecord)
        report = UndoReport(number: number)
        later = try Int64.fetchAll(
            db,
            sql: """
                SELECT id FROM main.intake WHERE id > ? AND undone_at IS NULL
                  AND id IN (SELECT intake FROM main.intake_settled) ORDER BY id
                """, arguments: [number])
    }

    /// Looks that later intakes keep of rows as this one left them: they keep what was before this one, unless another import between
    /// both has said what this one said.
    mutating func settleLooks(of table: ResourceTable, _ db: Database) throws {
        for row in try Row.fetchAll(db, sql: table.looksOfIntake, arguments: [number]) {
            let (intake, key, version): (Int64, String, Int64) = (row[0], row[1], row[2])
            if let next = try heir(of: RecordDigest(table.definition.name, key), before: intake, db) {
                try adopt(key, at: version, by: next, table, db)
            } else {
                try db.cachedStatement(sql: table.skipIntake).execute(arguments: [number, intake, key])
            }
        }
    }

    /// - Parameter writer: nil when it is only counted.
    mutating func step(_ ids: [Int64], of table: ResourceTable, _ db: Database, writer: FeedWriter?) throws {
        var restored: [(key: String, version: Int64)] = []
        var gone: [(id: Int64, key: String, version: Int64?)] = []
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: table.rowsOfIntake),
            arguments: [number, "[\(ids.map(String.init).joined(separator: ","))]"])
        for row in rows {
            let (id, key, version, state): (Int64, String, Int64, Int64) = (row[0], row[1], row[2], row[3])
            let (ticket, formerState, formerVersion): (String, Int64?, Int64?) = (row[4], row[5], row[6])
            let isLive = state == RowState.live.rawValue
            let wasLive = formerState == RowState.live.rawValue
            if let next = try heir(of: RecordDigest(table.definition.name, key), before: nil, db) {
                report.passedOn += isLive ? 1 : 0
                if writer != nil { try adopt(key, at: version, by: next, table, db) }
            } else if isLive, !wasLive, let others = try actors(on: ticket, db) {
                switch others {
                case .intakes(let earliest):
                    report.passedOn += 1
                    if writer != nil { try adopt(key, at: version, by: earliest, table, db) }
                case .others: keep(ticket)
                }
            } else if wasLive {
                restored.append((key, formerVersion ?? 0))
            } else if isLive {
                gone.append((id, key, formerVersion))
            } else if let formerVersion, writer != nil {
                try passOn(key, from: formerVersion, to: version, table, db)
            }
        }
        report.restored += restored.count
        report.removed += gone.count
        guard let writer else { return }
        let version = try writer.version().rawValue
        if !restored.isEmpty {
            try db.cachedStatement(sql: table.stageFormer).execute(
                arguments: [node.code, number, jsonArray(restored.map(\.key))])
            try writer.takeBack(staged: restored.count, to: table)
        }
        try writer.delete(gone.map(\.id), of: table)
        for (key, former) in restored { try passOn(key, from: former, to: version, table, db) }
        for case (_, let key, let former?) in gone { try passOn(key, from: former, to: version, table, db) }
    }

    private mutating func keep(_ ticket: String) {
        report.kept += 1
        guard report.keptTickets.count < Self.ticketsNamedMax,
            !report.keptTickets.contains(where: { $0.isSame(as: ticket) })
        else { return }
        report.keptTickets.append(ticket)
    }

    private func adopt(
        _ key: String, at version: Int64, by intake: Int64, _ table: ResourceTable, _ db: Database
    ) throws {
        try db.cachedStatement(sql: table.adoptRow).execute(arguments: [number, intake, key, version])
    }

    /// A row is again what some intake before this one had written, under a new version: that intake answers for it.
    private func passOn(
        _ key: String, from former: Int64, to version: Int64, _ table: ResourceTable, _ db: Database
    ) throws {
        guard former != 0 else { return }
        try db.cachedStatement(sql: table.adoptAgain).execute(arguments: [key, former, version])
        if db.changesCount == 0 {
            try db.cachedStatement(sql: table.adoptOwn).execute(arguments: [key, former, version])
        }
    }

    // MARK: - Others

    /// The next intake that found the record as this one left it, and said the same.
    private mutating func heir(of record: RecordDigest, before end: Int64?, _ db: Database) throws -> Int64? {
        for intake in later where end.map({ intake < $0 }) ?? true {
            let said = try settled[intake] ?? Intakes.settled(by: intake, db)
            settled[intake] = said
            if said.contains(record.value) { return intake }
        }
        return nil
    }

    /// - Returns: nil when nobody has, or the ticket was here before.
    private mutating func actors(on ticket: String, _ db: Database) throws -> Actors? {
        if let known = acted[ExactText(ticket)] { return known }
        let isNew =
            try Bool.fetchOne(
                db.cachedStatement(sql: Self.isTicketNew), arguments: [number, ticket]) ?? false
        guard isNew else {
            acted[ExactText(ticket)] = .some(nil)
            return nil
        }
        var intakes: [Int64?] = []
        for table in threads {
            intakes += try Row.fetchAll(
                db.cachedStatement(sql: table.othersOnTicket), arguments: [number, ticket]
            ).map { $0[0] as Int64? }
        }
        let actors: Actors? =
            intakes.isEmpty
            ? nil : intakes.contains(nil) ? .others : .intakes(earliest: intakes.compactMap(\.self).min() ?? 0)
        acted[ExactText(ticket)] = .some(actors)
        return actors
    }

    private static let isTicketNew = """
        SELECT EXISTS (SELECT 1 FROM main.service_request AS r
          LEFT JOIN main.former_service_request AS f ON f.intake = ?1 AND f."key" = r."key"
          WHERE r.global_id = ?2 AND r.supplier = 0 AND r.deleted = 0 AND coalesce(f.deleted, 1) <> 0
            AND \(ResourceTable.isOfIntake))
        """
}
