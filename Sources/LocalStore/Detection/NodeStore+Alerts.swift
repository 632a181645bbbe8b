import FederationModel
import GRDB

/// What rules found when they judged, as it is written.
package struct Judgements: Sendable {
    /// An alert as a record of this node.
    package struct Found: Sendable {
        package let record: IntakeRecord
        package let rule: String
        package let subject: UInt64
        package let place: String?
        package let decidedAt: UnixMilliseconds

        package init(
            _ record: IntakeRecord, rule: String, subject: UInt64, place: String?, decidedAt: UnixMilliseconds
        ) {
            self.record = record
            self.rule = rule
            self.subject = subject
            self.place = place
            self.decidedAt = decidedAt
        }
    }

    /// What was looked at whole: an alert of it that is not among the found ones is found by nobody any more.
    package enum Judged: Hashable, Sendable {
        /// One subject (``AlertSubject/digest(under:)``) in a time.
        case subject(UInt64, ClosedRange<UnixMilliseconds>)
        /// All subjects of a rule at a place.
        case place(rule: String, String?, ClosedRange<UnixMilliseconds>)
    }

    package var found: [Found] = []
    package var judged: Set<Judged> = []

    package init() {}
}

/// What a write of judgements changed.
package struct JudgementReport: Sendable {
    /// Alerts that this node had not raised before.
    package fileprivate(set) var raised: [String] = []
    package fileprivate(set) var withdrawn: [String] = []
    package fileprivate(set) var head: Seq = 0
}

extension NodeStore {
    /// As `status` names what judges the feed, with its cursor.
    private static let detection = "detection"

    /// Up to where changes were judged.
    package func detectionCursor() async throws -> Seq {
        try await pool.read { db in
            try db.cachedStatement(sql: "SELECT cursor FROM main.consumer WHERE name = ?").fetchInteger([
                Self.detection
            ]) ?? 0
        }
    }

    /// Writes what rules found; an alert that is here as it was found changes nothing.
    ///
    /// - Parameter cursor: up to where changes are judged then; nil when it was something else that was judged.
    package func write(
        _ judgements: Judgements, upto cursor: Seq?, now: UnixMilliseconds
    ) async throws -> JudgementReport {
        if judgements.found.isEmpty && judgements.judged.isEmpty {
            if let cursor { try await note(cursor) }
            return JudgementReport(head: try await head())
        }
        let (report, head) = try await writeFeed(isDurable: !judgements.found.isEmpty, now: now) { writer in
            let db = writer.db
            var report = JudgementReport()
            for found in judgements.found {
                var record = found.record
                let known = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT raised_at, is_withdrawn FROM main.raised_alert WHERE alert = ?"),
                    arguments: [record.key])
                let raisedAt = (known?[0] as Int64?) ?? now
                if (known?[1] as Bool?) != false { report.raised.append(record.key) }
                record.fields["occurred_at"] = .integer(raisedAt)
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.raised_alert VALUES (?, ?, ?, ?, ?, ?, 0)")
                    .execute(arguments: [
                        record.key, found.rule, Int64(bitPattern: found.subject), found.place, found.decidedAt,
                        raisedAt,
                    ])
                try writer.store([record])
            }
            let keys = jsonArray(judgements.found.map(\.record.key))
            for judged in judgements.judged {
                for alert in try Self.notFound(judged, among: keys, db) {
                    try Self.withdraw(alert, writer)
                    report.withdrawn.append(alert)
                }
            }
            if let cursor {
                try Self.save(cursor, of: Self.detection, basis: Self.externalBasis, db)
                try db.cachedStatement(sql: "DELETE FROM main.observation_former WHERE seq <= ?").execute(
                    arguments: [cursor])
            }
            return report
        }
        var written = report
        written.head = head
        return written
    }

    private func note(_ cursor: Seq) async throws {
        try await pool.write { db in try Self.save(cursor, of: Self.detection, basis: Self.externalBasis, db) }
    }

    private static func notFound(_ judged: Judgements.Judged, among keys: String, _ db: Database) throws -> [String] {
        let rest = "decided_at BETWEEN ? AND ? AND is_withdrawn = 0 AND alert NOT IN (SELECT value FROM json_each(?))"
        switch judged {
        case .subject(let subject, let time):
            return try String.fetchAll(
                db.cachedStatement(sql: "SELECT alert FROM main.raised_alert WHERE subject = ? AND \(rest)"),
                arguments: [Int64(bitPattern: subject), time.lowerBound, time.upperBound, keys])
        case .place(let rule, let place, let time):
            return try String.fetchAll(
                db.cachedStatement(
                    sql: "SELECT alert FROM main.raised_alert WHERE rule = ? AND place IS ? AND \(rest)"),
                arguments: [rule, place, time.lowerBound, time.upperBound, keys])
        }
    }

    private static func withdraw(_ alert: String, _ writer: FeedWriter) throws {
        let db = writer.db
        try db.cachedStatement(sql: "UPDATE main.raised_alert SET is_withdrawn = 1 WHERE alert = ?").execute(
            arguments: [alert])
        guard let table = writer.resources.first(where: { $0.definition.name == CaseResources.alert.name }) else {
            return
        }
        for record in try records(of: table, where: "origin = ? AND \"key\" = ?", [writer.node.code, alert], db) {
            var fields = record.fields
            fields["withdrawn_at"] = .integer(writer.now)
            try writer.store([IntakeRecord(resource: table.definition.name, key: alert, fields: fields)], in: table)
        }
    }
}

extension NodeStore {
    /// The states of tickets, as far as they are here and folded.
    package func ticketStates(of tickets: Set<String>) async throws -> [String: TicketState] {
        try await pool.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM main.ticket_state WHERE global_id IN (SELECT value FROM json_each(?))",
                arguments: [jsonArray(tickets.sorted())])
            return Dictionary(rows.map { ($0["global_id"], TicketState(row: $0)) }) { first, _ in first }
        }
    }

    /// Which of these keys are live rows of a resource here, of whatever node.
    package func keys(_ keys: [String], of resource: ResourceName) async throws -> Set<String> {
        guard tables[resource] != nil else { return [] }
        return try await pool.read { db in
            Set(
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT "key" FROM main.\(quoted(resource.text))
                        WHERE deleted = 0 AND "key" IN (SELECT value FROM json_each(?))
                        """, arguments: [jsonArray(keys)]))
        }
    }
}
