import FederationModel
import GRDB
import LogicalQuery

extension NodeStore {
    /// Runs a compiled query on one reader.
    package func rows(sql: String, arguments: [FieldValue]) async throws -> [[FieldValue]] {
        try await pool.read { db in try Self.rows(sql: sql, arguments: arguments, db) }
    }

    private static func rows(sql: String, arguments: [FieldValue], _ db: Database) throws -> [[FieldValue]] {
        let statement = try db.makeStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments.map(\.databaseValue)))
        var result: [[FieldValue]] = []
        while let row = try rows.next() { result.append((0..<row.count).map { row.fieldValue(at: $0) }) }
        return result
    }

    /// Runs a compiled query over the tickets, or calls, that may be told.
    ///
    /// - Parameters:
    ///   - filter: what the asker is granted.
    ///   - readers: the nodes to which the answer goes; empty when it stays. What was recalled, or accuses one of them, does not count.
    package func rows(
        of query: CompiledQuery, within filter: GrantFilter, readers: [TopologyNode]
    ) async throws -> [[FieldValue]] {
        try await pool.read { [self] db in try rows(of: query, within: filter, readers: readers, db) }
    }

    func rows(
        of query: CompiledQuery, within filter: GrantFilter, readers: [TopologyNode], _ db: Database
    ) throws -> [[FieldValue]] {
        let readers = try guarded(readers, db)
        guard !filter.isEmpty || !readers.isEmpty else {
            return try Self.rows(sql: query.sql, arguments: query.arguments, db)
        }
        guard let resource = BuiltInResources.named(query.resource) else { return [] }
        let isGiven = Visibility.isWithin(filter, resource, readers: readers)
        // In the place of the table of that name; SQLite puts the two together into one (https://sqlite.org/optoverview.html#flattening).
        let given = "WITH \(resource.name) AS (SELECT * FROM main.\(resource.name) AS r WHERE \(isGiven))\n"
        return try Self.rows(sql: given + query.sql, arguments: query.arguments, db)
    }

    /// Those of `readers` from whom rows may have to be kept: looking at each row for that costs more than most questions. Nobody, while
    /// nothing was recalled, as far as tickets are known to name none of them (`RespondentNodes`).
    func guarded(_ readers: [TopologyNode], _ db: Database) throws -> [TopologyNode] {
        guard !readers.isEmpty else { return [] }
        let isOpen = try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM main.removed_row)
                      OR EXISTS (SELECT 1 FROM main.adoption_step WHERE resource = '\(Self.meetingStep)')
                    """))
        if isOpen != false { return readers }
        let neighbours = Set(standing.topology.neighbours(of: node))
        return try readers.filter { try !neighbours.contains($0.id) || RespondentNodes.entry(of: $0.id, db) != nil }
    }

    /// Live rows of a resource, by origin.
    package func rowCounts(of resource: ResourceName) async throws -> [String: Int] {
        guard tables[resource] != nil else { return [:] }
        return try await pool.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT origin, count(*) FROM main.\(quoted(resource.text)) WHERE deleted = 0 GROUP BY origin")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
        }
    }

    /// The tickets that this node holds, those requested last first.
    ///
    /// - Parameter now: decides what is overdue.
    package func tickets(_ filter: TicketFilter, limit: Int, now: UnixMilliseconds) async throws -> [TicketSummary] {
        var conditions = ["r.deleted = 0"]
        var arguments: StatementArguments = []
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            for _ in 0..<condition.count(where: { $0 == "?" }) { arguments += [value] }
        }
        add("r.origin = ?", filter.origin?.code)
        add("s.status = ?", filter.status?.rawValue)
        add("(r.service_request_id = ? OR r.source_request_id = ?)", filter.number)
        add("s.unit = ?", filter.unit)
        add("r.requested_datetime >= ?", filter.since)
        if filter.isOverdue {
            add("s.due_at < ?", now)
            let handled = TicketStatus.allCases.filter(\.isBeingHandled).map { "'\($0.rawValue)'" }
            conditions.append("s.status IN (\(handled.joined(separator: ", ")))")
            conditions.append("s.merged_into IS NULL AND s.suspended = 0")
        }
        arguments += [limit]
        return try await pool.read { [conditions, arguments] db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.global_id, r.service_request_id, r.origin, r.title, r.requested_datetime, s.status
                    FROM main.service_request r LEFT JOIN main.ticket_state s ON s.global_id = r.global_id
                    WHERE \(conditions.joined(separator: " AND "))
                    ORDER BY r.requested_datetime DESC, r.global_id DESC LIMIT ?
                    """, arguments: arguments
            ).map { row in
                TicketSummary(
                    globalID: row["global_id"], number: row["service_request_id"], origin: row["origin"],
                    title: row["title"], requestedAt: row["requested_datetime"] ?? 0,
                    status: (row["status"] as String?).flatMap(TicketStatus.init))
            }
        }
    }

    /// The global ids of the open tickets that `node` handles, as far as they are here.
    package func openTickets(handledBy node: NodeID) async throws -> [String] {
        let open = TicketStatus.allCases.filter(\.isOpen).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try await pool.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT r.global_id FROM main.ticket_state s JOIN main.service_request r ON r.global_id = s.global_id
                    WHERE r.deleted = 0 AND s.status IN (\(open)) AND coalesce(s.owner, r.origin) = ?
                    ORDER BY r.global_id
                    """, arguments: [node.code])
        }
    }

    /// A ticket by its global id, or by a number: its own (工单编号), the one that it came with (来源工单编号), or the one that a
    /// receiver gave it. Numbers are labels, so several tickets may have one.
    ///
    /// - Throws: `E_TICKET_UNKNOWN`; `E_TICKET_AMBIGUOUS`, which names the tickets.
    package func ticket(_ id: String) async throws -> TicketThread {
        try await pool.read { [tables, tableOrder] db in
            try Self.thread(of: Self.globalID(of: id, db), tables: tables, tableOrder: tableOrder, db)
        }
    }

    static func thread(
        of globalID: String, tables: [ResourceName: ResourceTable], tableOrder: [ResourceTable], _ db: Database
    ) throws -> TicketThread {
        var records: [TicketThread.Record] = []
        for table in tableOrder where table.columns.contains("global_id") {
            records += try Self.records(of: table, where: "global_id = ?", [globalID], db)
        }
        var state = try Row.fetchOne(
            db, sql: "SELECT * FROM main.ticket_state WHERE global_id = ?", arguments: [globalID]
        ).map { TicketState(row: $0) }
        state?.findings = try Row.fetchAll(
            db, sql: "SELECT * FROM main.ticket_conflict WHERE global_id = ? ORDER BY ordinal",
            arguments: [globalID]
        ).compactMap { TicketFinding(row: $0) }
        // Sorting keeps the order of the stages for records of one instant.
        let ordered = records.enumerated().sorted { ($0.1.occurredAt, $0.0) < ($1.1.occurredAt, $1.0) }.map(\.1)
        let request = ordered.first { $0.resource.stage == .acceptance }
        let calls = try request.map { try Self.calls(of: $0, table: tables["call_record"], db) } ?? []
        let recordings = try calls.flatMap { try Self.recordings(of: $0, table: tables["recording"], db) }
        return TicketThread(
            globalID: globalID, state: state, records: ordered, calls: calls, recordings: recordings)
    }

    /// Ticket and call name each other by key; where another system wrote the link, by the key without the node's code.
    private static func calls(
        of request: TicketThread.Record, table: ResourceTable?, _ db: Database
    ) throws -> [TicketThread.Record] {
        guard let table else { return [] }
        let call = request.fields["call_id"]?.text
        return try records(
            of: table,
            where: """
                linked_request = ?1 OR linked_request = ?2 AND origin = ?3
                OR origin = ?3 AND "key" IN (?4, ?3 || '-' || ?4)
                """,
            [request.key, sourceKey(of: request), request.origin, call], db)
    }

    private static func recordings(
        of call: TicketThread.Record, table: ResourceTable?, _ db: Database
    ) throws -> [TicketThread.Record] {
        guard let table else { return [] }
        return try records(
            of: table, where: "call_id IN (?, ?) AND +origin = ?", [call.key, sourceKey(of: call), call.origin], db)
    }

    static func sourceKey(of record: TicketThread.Record) -> String {
        record.key.utf8.starts(with: "\(record.origin)-".utf8)
            ? String(decoding: record.key.utf8.dropFirst(record.origin.utf8.count + 1), as: UTF8.self) : record.key
    }

    /// Tickets that a message names at most.
    private static let namedMax = 10

    static func globalID(of id: String, _ db: Database) throws -> String {
        let known = try String.fetchOne(
            db, sql: "SELECT global_id FROM main.service_request WHERE global_id = ? AND deleted = 0", arguments: [id])
        if let known { return known }
        let ids = try String.fetchAll(
            db,
            sql: """
                SELECT global_id FROM main.service_request
                WHERE deleted = 0 AND (service_request_id = ?1 OR source_request_id = ?1)
                UNION SELECT global_id FROM main.transfer WHERE deleted = 0 AND target_request_id = ?1
                ORDER BY 1 LIMIT \(namedMax + 1)
                """,
            arguments: [id])
        guard let first = ids.first else {
            throw FederationError(
                "E_TICKET_UNKNOWN", "this node holds no ticket with that id or number",
                hint: "a ticket of a logical node is only there")
        }
        guard ids.count == 1 else {
            let names = ids.prefix(namedMax).joined(separator: ", ") + (ids.count > namedMax ? ", …" : "")
            throw FederationError(
                "E_TICKET_AMBIGUOUS", "more than one ticket has that number: \(names)",
                hint: "name it by its global id")
        }
        return first
    }

    static func records(
        of table: ResourceTable, where condition: String, _ arguments: StatementArguments, _ db: Database
    ) throws -> [TicketThread.Record] {
        let time = table.definition.timeColumn ?? "version"
        return try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM main.\(quoted(table.definition.name.text)) WHERE (\(condition)) AND deleted = 0
                ORDER BY \(time), version, "key"
                """, arguments: arguments
        ).map { row in
            var fields: [String: FieldValue] = [:]
            for (index, name) in row.columnNames.enumerated() where table.columns.contains(name) {
                let value = row.fieldValue(at: index)
                if !value.isNull { fields[name] = value }
            }
            return TicketThread.Record(
                resource: table.definition, origin: row["origin"], key: row["key"], occurredAt: row[time] ?? 0,
                round: row.hasColumn("round") ? row["round"] : nil, fields: fields)
        }
    }
}

extension FieldValue {
    var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let integer): integer.databaseValue
        case .real(let real): real.databaseValue
        case .text(let text): text.databaseValue
        }
    }
}

extension TicketState {
    init(row: Row) {
        self.init()
        status = TicketStatus(rawValue: row["status"]) ?? .received
        round = row["round"]
        unit = row["unit"]
        dispatchedAt = row["dispatched_at"]
        dueAt = row["due_at"]
        acknowledgedAt = row["acknowledged_at"]
        repliedAt = row["replied_at"]
        closedAt = row["closed_at"]
        calledBackAt = row["called_back_at"]
        evaluatedAt = row["evaluated_at"]
        score = row["score"]
        resolved = row["resolved"]
        returns = row["returns"]
        extensions = row["extensions"]
        supervision = Supervision(rawValue: row["supervision"]) ?? .none
        owner = row["owner"]
        category = row["category"]
        confidential = Confidentiality(rawValue: row["confidential"]) ?? .none
        isHeld = row["held"]
        isSuspended = row["suspended"]
        mergedInto = row["merged_into"]
    }
}

extension TicketFinding {
    /// Nil for a code of a newer release.
    init?(row: Row) {
        guard let code = Code(rawValue: row["code"]) else { return nil }
        self.init(
            code: code,
            event: TicketEvent.ID(resource: ResourceName(row["resource"]), origin: row["origin"], key: row["key"]))
    }
}
