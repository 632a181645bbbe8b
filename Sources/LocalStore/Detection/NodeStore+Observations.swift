import Detection
import FederationModel
import GRDB

/// Tickets that changed in a way that rules look at.
package struct ObservationChanges: Sendable {
    /// As they are now, with their texts.
    package fileprivate(set) var tickets: [ObservedTicket] = []
    /// As they were, without.
    package fileprivate(set) var former: [ObservedTicket] = []
    /// Up to which seq these are all.
    package fileprivate(set) var upto: Seq
    /// Whether there are no more.
    package fileprivate(set) var isEnd = true
}

/// Tickets of one person, place or county around a time.
package struct ObservationWindow: Hashable, Sendable {
    package enum Key: Hashable, Sendable {
        /// `ObservedTicket.person`.
        case person(String)
        /// `ObservedTicket.place`.
        case place(String)
    }

    package let key: Key
    package let first: UnixMilliseconds
    package let last: UnixMilliseconds
    /// They go on, both ways, until so long nothing came.
    package let pause: UnixMilliseconds

    package init(_ key: Key, from first: UnixMilliseconds, to last: UnixMilliseconds, pause: UnixMilliseconds) {
        self.key = key
        self.first = first
        self.last = last
        self.pause = pause
    }
}

extension NodeStore {
    /// At most so many at once, but never a part of what has one seq.
    private static let changesMax = 2_000
    /// A subject that never pauses is followed no further.
    private static let windowTicketsMax = 5_000

    /// What changed after a seq, as far as it is observed.
    package func changedObservations(after: Seq) async throws -> ObservationChanges {
        try await pool.read { db in
            let observed =
                try db.cachedStatement(sql: "SELECT cursor FROM main.consumer WHERE name = ?").fetchInteger([
                    ObservationConsumer.title
                ]) ?? 0
            let seqs = try Int64.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT seq FROM main.observation WHERE seq > ?1
                        UNION ALL SELECT seq FROM main.observation_former WHERE seq > ?1
                        ORDER BY seq LIMIT \(Self.changesMax)
                        """), arguments: [after])
            var changes = ObservationChanges(upto: max(after, observed))
            guard let last = seqs.last else { return changes }
            if seqs.count == Self.changesMax { (changes.upto, changes.isEnd) = (last, false) }
            changes.tickets = try Self.tickets(
                "o.seq > ?1 AND o.seq <= ?2", [after, changes.upto], withText: true, db)
            changes.former = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT ticket, at, region, category, NULL, person, place FROM main.observation_former
                        WHERE seq > ?1 AND seq <= ?2
                        """), arguments: [after, changes.upto]
            ).map { Self.ticket($0) }
            return changes
        }
    }

    /// The tickets of each window, by time; without their texts.
    package func observations(in windows: [ObservationWindow]) async throws -> [[ObservedTicket]] {
        try await pool.read { db in try windows.map { try Self.tickets(in: $0, db) } }
    }

    /// The tickets of a county in a time, with their texts.
    package func observations(
        inCounty county: String?, _ time: Range<UnixMilliseconds>
    ) async throws -> [ObservedTicket] {
        try await pool.read { db in
            try Self.tickets(
                "o.county IS ?1 AND o.at >= ?2 AND o.at < ?3", [county, time.lowerBound, time.upperBound],
                withText: true, db)
        }
    }

    /// The tickets that a count is of, at most so many; without their texts.
    package func observations(
        of series: CountSubject, _ time: Range<UnixMilliseconds>, limit: Int
    ) async throws -> [ObservedTicket] {
        try await pool.read { db in
            let region = RegionRange(series.region).prefix
            let counties = try String.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT DISTINCT region FROM main.observation_hour
                        WHERE hour >= ?1 AND hour <= ?2 AND category = '' AND substr(region, 1, length(?3)) = ?3
                        ORDER BY region
                        """),
                arguments: [
                    time.lowerBound.flooredQuotient(by: 3_600_000),
                    (time.upperBound - 1).flooredQuotient(by: 3_600_000),
                    region,
                ])
            return try counties.flatMap { county in
                try Self.tickets(
                    "o.county = ?1 AND o.at >= ?2 AND o.at < ?3 AND (?4 = '' OR o.category = ?4 OR o.category LIKE ?4 || '.%')",
                    [county, time.lowerBound, time.upperBound, series.category], limit: limit, db)
            }
        }
    }

    /// All tickets of a time, by time, with their texts.
    package func observations(_ time: Range<UnixMilliseconds>) async throws -> [ObservedTicket] {
        try await pool.read { db in
            try Self.tickets("o.at >= ?1 AND o.at < ?2", [time.lowerBound, time.upperBound], withText: true, db)
        }
    }

    // MARK: - Counts

    /// Hourly counts of a series at these hours, since the first that is known of its region.
    package func hourCounts(_ requests: [(series: CountSubject, hours: Set<Int64>)]) async throws -> [CountSeries] {
        try await pool.read { db in
            try requests.map { series, hours in
                let rows = try Row.fetchAll(
                    db.cachedStatement(
                        sql: """
                            SELECT hour, tickets FROM json_each(?3)
                            CROSS JOIN main.observation_hour ON region = ?1 AND category = ?2 AND hour = value
                            """), arguments: [series.region, series.category, "\(hours.sorted())"])
                return try Self.series(series, rows, db) { $0 }
            }
        }
    }

    /// Which series have tickets in a time, each with its daily counts since another day (both as days since 1970).
    package func dayCounts(on days: Range<Int64>, since first: Int64) async throws -> [CountSeries] {
        try await pool.read { db in
            let series = try Row.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT region, category FROM main.observation_hour WHERE hour >= ? AND hour < ? AND tickets > 0
                    ORDER BY region, category
                    """, arguments: [days.lowerBound * 24 - 8, days.upperBound * 24 - 8]
            ).map { CountSubject(region: $0[0], category: $0[1]) }
            return try series.map { try Self.dayCounts(of: $0, since: first, db) }
        }
    }

    /// The daily counts of one series.
    package func dayCounts(of series: CountSubject, since first: Int64) async throws -> CountSeries {
        try await pool.read { db in try Self.dayCounts(of: series, since: first, db) }
    }

    private static func dayCounts(of series: CountSubject, since first: Int64, _ db: Database) throws -> CountSeries {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT (hour + 8) / 24, sum(tickets) FROM main.observation_hour
                    WHERE region = ?1 AND category = ?2 AND hour >= ?3 GROUP BY 1
                    """), arguments: [series.region, series.category, first * 24 - 8])
        return try self.series(series, rows, db) { ($0 + 8).flooredQuotient(by: 24) + 1 }
    }

    /// - Parameter step: the first whole one after the hour in which the region's tickets begin.
    private static func series(
        _ series: CountSubject, _ rows: [Row], _ db: Database, step: (Int64) -> Int64
    ) throws -> CountSeries {
        let first = try db.cachedStatement(
            sql: "SELECT min(hour) FROM main.observation_hour WHERE region = ? AND category = ''"
        ).fetchInteger([series.region])
        return CountSeries(
            series.subject, counts: Dictionary(rows.map { ($0[0], $0[1]) }) { first, _ in first },
            start: first.map(step) ?? .max)
    }

    // MARK: - Who was heard

    /// When tickets of nodes, or news of them, were taken in here, in minutes since 1970.
    package func arrivalMinutes(of origins: [NodeID]) async throws -> [Int64] {
        try await pool.read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT minute FROM main.observation_minute WHERE origin IN (SELECT value FROM json_each(?))
                    ORDER BY minute
                    """, arguments: [jsonArray(origins.map(\.code))])
        }
    }

    /// Counties of which anything came since a time; nil among them for tickets without one.
    package func countiesObserved(since time: UnixMilliseconds) async throws -> Set<String?> {
        try await pool.read { db in
            Set(
                try Row.fetchAll(
                    db, sql: "SELECT DISTINCT county FROM main.observation WHERE at >= ?", arguments: [time]
                ).map { $0[0] as String? })
        }
    }

    // MARK: - Rows

    private static func tickets(in window: ObservationWindow, _ db: Database) throws -> [ObservedTicket] {
        let (column, value): (String, any DatabaseValueConvertible) =
            switch window.key {
            case .person(let person): ("person", Int64(person))
            case .place(let place): ("place", place)
            }
        func read(_ from: UnixMilliseconds, _ to: UnixMilliseconds) throws -> [ObservedTicket] {
            try tickets(
                "o.\(column) = ?1 AND o.at >= ?2 AND o.at <= ?3", [value, from, to], limit: windowTicketsMax, db)
        }
        var (from, to) = (window.first - window.pause, window.last + window.pause)
        var found = try read(from, to)
        while let first = found.first?.at, let last = found.last?.at, found.count < windowTicketsMax,
            first - window.pause < from || last + window.pause > to
        {
            let known = found.count
            (from, to) = (min(from, first - window.pause), max(to, last + window.pause))
            found = try read(from, to)
            if found.count == known { break }
        }
        return found
    }

    private static func tickets(
        _ condition: String, _ arguments: StatementArguments, withText: Bool = false, limit: Int = -1, _ db: Database
    ) throws -> [ObservedTicket] {
        let text = "coalesce(r.title, '') || char(10) || coalesce(r.description, '')"
        return try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT o.ticket, o.at, o.region, o.category, s.unit, o.person, o.place\(withText ? ", \(text)" : "")
                    FROM main.observation AS o LEFT JOIN main.ticket_state AS s ON s.global_id = o.ticket
                    \(withText ? "LEFT JOIN main.service_request AS r ON r.id = o.\"row\"" : "")
                    WHERE \(condition) ORDER BY o.at, o.ticket LIMIT \(limit)
                    """), arguments: arguments
        ).map { ticket($0, hasText: withText) }
    }

    private static func ticket(_ row: Row, hasText: Bool = false) -> ObservedTicket {
        ObservedTicket(
            id: row[0], at: row[1], region: row[2], category: row[3], unit: row[4],
            person: (row[5] as Int64?).map { "\($0)" }, place: row[6], text: hasText ? row[7] : "")
    }
}
