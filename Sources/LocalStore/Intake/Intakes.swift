import FederationModel
import Foundation
import GRDB

extension IntakeCounts {
    init(_ outcomes: [IntakeOutcome]) {
        self.init()
        read = outcomes.count
        for outcome in outcomes {
            switch outcome {
            case .accepted(let change): changes[change, default: 0] += 1
            case .unchanged: unchanged += 1
            case .refused: rejected += 1
            }
        }
    }
}

extension NodeStore {
    /// Begins an import: it gets a number.
    package func beginImport(
        source: String, resource: ResourceName, file: String, now: UnixMilliseconds
    ) async throws -> Int64 {
        try await pool.write { db in
            try db.execute(
                sql: "INSERT INTO main.intake (kind, source, resource, file, began_at) VALUES ('import', ?, ?, ?, ?)",
                arguments: [source, resource.text, file, now])
            return db.lastInsertedRowID
        }
    }

    /// Ends an import.
    ///
    /// - Parameter tickets: by the digest of the global id (`RowIdentity.ticket`), those of its file.
    /// - Returns: how many tickets of the source's import before are not in this one's file; nil for the first.
    package func endImport(
        _ number: Int64, _ counts: IntakeCounts, tickets: [UInt64], now: UnixMilliseconds
    ) async throws -> Int? {
        try await pool.write { db in
            try Intakes.add(counts, to: number, db)
            let file = DigestSet(tickets)
            let former = try Data.fetchOne(
                db,
                sql: """
                    SELECT p.tickets FROM main.intake AS p JOIN main.intake AS i ON i.id = ?
                    WHERE p.id < i.id AND p.kind = i.kind AND p.source = i.source AND p.undone_at IS NULL
                      AND p.tickets IS NOT NULL ORDER BY p.id DESC LIMIT 1
                    """, arguments: [number]
            ).map { DigestSet([$0]) }
            try db.execute(
                sql: "UPDATE main.intake SET ended_at = ?, tickets = ? WHERE id = ?",
                arguments: [now, file.blob, number])
            return former?.count { !file.contains($0) }
        }
    }

    /// The intakes, the latest first.
    package func intakes(limit: Int) async throws -> [IntakeEntry] {
        try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM main.intake ORDER BY id DESC LIMIT ?", arguments: [limit]).map {
                IntakeEntry($0)
            }
        }
    }

    /// - Throws: `E_INTAKE_UNKNOWN`.
    package func intakeEntry(_ number: Int64) async throws -> IntakeEntry {
        try await pool.read { db in try Intakes.entry(number, db) }
    }
}

/// The list of intakes, inside a transaction.
enum Intakes {
    static func entry(_ number: Int64, _ db: Database) throws -> IntakeEntry {
        let row = try Row.fetchOne(db, sql: "SELECT * FROM main.intake WHERE id = ?", arguments: [number])
        guard let row else {
            throw FederationError(
                "E_INTAKE_UNKNOWN", "this node has no intake with number \(number)",
                hint: "see `federation-node import list`")
        }
        return IntakeEntry(row)
    }

    /// Notes that what a transaction writes is of an intake.
    ///
    /// - Returns: its number.
    static func note(_ source: IntakeSource, _ writer: FeedWriter) throws -> Int64 {
        let number =
            switch source {
            case .number(let number): number
            case .push(let token): try push(by: token, now: writer.now, writer.db)
            }
        try writer.db.cachedStatement(sql: "INSERT OR REPLACE INTO main.intake_version VALUES (?, ?)").execute(
            arguments: [writer.version().rawValue, number])
        return number
    }

    /// The earliest version that an intake has written which can still be undone; nil when there is none.
    static func oldestVersion(_ db: Database) throws -> Int64? {
        try db.cachedStatement(sql: "SELECT min(version) FROM main.intake_version").fetchInteger([])
    }

    /// Notes what a transaction of an intake found to be so already.
    static func note(_ settled: [RecordDigest], of number: Int64, _ writer: FeedWriter) throws {
        guard !settled.isEmpty else { return }
        try writer.db.cachedStatement(sql: "INSERT INTO main.intake_settled VALUES (?, ?, ?)").execute(
            arguments: [number, writer.version().rawValue, DigestSet(settled.lazy.map(\.value)).blob])
    }

    /// The records that an intake found as it says.
    static func settled(by number: Int64, _ db: Database) throws -> DigestSet {
        let blobs = try Data.fetchAll(
            db, sql: "SELECT records FROM main.intake_settled WHERE intake = ?", arguments: [number])
        return DigestSet(blobs)
    }

    private static let hour: Int64 = 3_600_000

    /// An import that came in between ends a token's hour: what is pushed after it is on top of it.
    private static func push(by token: String, now: UnixMilliseconds, _ db: Database) throws -> Int64 {
        let began = now - now % hour
        let known = try db.cachedStatement(
            sql: """
                SELECT max(id) FROM main.intake AS i WHERE kind = 'push' AND source = ?1 AND began_at = ?2
                  AND undone_at IS NULL AND NOT EXISTS (SELECT 1 FROM main.intake WHERE kind = 'import' AND id > i.id)
                """
        ).fetchInteger([token, began])
        if let known { return known }
        try db.cachedStatement(
            sql: "INSERT INTO main.intake (kind, source, began_at) VALUES ('push', ?, ?)"
        ).execute(arguments: [token, began])
        return db.lastInsertedRowID
    }

    static func add(_ counts: IntakeCounts, to number: Int64, _ db: Database) throws {
        let changes = IntakeChange.allCases.map { counts.changes[$0] ?? 0 }
        try db.cachedStatement(
            sql: """
                UPDATE main.intake SET read = read + ?, new = new + ?, changed = changed + ?, reopened = reopened + ?,
                  withdrawn = withdrawn + ?, unchanged = unchanged + ?, collapsed = collapsed + ?, rejected = rejected + ?
                WHERE id = ?
                """
        ).execute(
            arguments: StatementArguments(
                [counts.read] + changes + [counts.unchanged, counts.collapsed, counts.rejected])
                + [number])
    }

    /// The intakes that began before `time` and can still be undone.
    static func remembered(before time: UnixMilliseconds, _ db: Database) throws -> [Int64] {
        try Int64.fetchAll(
            db, sql: "SELECT id FROM main.intake WHERE began_at < ? AND is_remembered = 1", arguments: [time])
    }

    /// Forgets what rows were before an intake.
    static func forget(_ number: Int64, tables: [ResourceTable], _ db: Database) throws {
        for table in tables where table.keepsFormer {
            try db.cachedStatement(sql: table.forgetFormer).execute(arguments: [number])
        }
        try db.execute(sql: "DELETE FROM main.intake_version WHERE intake = ?", arguments: [number])
        try db.execute(sql: "DELETE FROM main.intake_settled WHERE intake = ?", arguments: [number])
        try db.execute(
            sql: "UPDATE main.intake SET is_remembered = 0, tickets = NULL WHERE id = ?", arguments: [number])
    }
}

/// What a record is known by in eight bytes.
struct RecordDigest {
    let value: UInt64

    init(_ resource: ResourceName, _ key: String) { value = fnv1a64("\(resource.text)\0\(key)".utf8) }
}

/// Digests of tickets or records, eight bytes each, in order.
struct DigestSet {
    private let digests: [UInt64]

    init(_ digests: some Sequence<UInt64>) { self.digests = digests.sorted() }

    /// - Parameter blobs: those of several sets.
    init(_ blobs: [Data]) {
        self.init(
            blobs.lazy.flatMap { blob in
                blob.withUnsafeBytes { bytes in
                    (0..<bytes.count / 8).map {
                        bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self).littleEndian
                    }
                }
            })
    }

    var blob: Data {
        digests.map(\.littleEndian).withUnsafeBytes { Data($0) }
    }

    func count(where condition: (UInt64) -> Bool) -> Int { digests.count(where: condition) }

    func contains(_ digest: UInt64) -> Bool {
        var (low, high) = (0, digests.count)
        while low < high {
            let middle = (low + high) / 2
            if digests[middle] < digest { low = middle + 1 } else { high = middle }
        }
        return low < digests.count && digests[low] == digest
    }
}

extension IntakeEntry {
    fileprivate init(_ row: Row) {
        var counts = IntakeCounts()
        counts.read = row["read"]
        for change in IntakeChange.allCases {
            let count: Int = row[change.rawValue]
            if count > 0 { counts.changes[change] = count }
        }
        counts.unchanged = row["unchanged"]
        counts.collapsed = row["collapsed"]
        counts.rejected = row["rejected"]
        self.init(
            number: row["id"], kind: Kind(rawValue: row["kind"]) ?? .import, source: row["source"],
            resource: (row["resource"] as String?).map { ResourceName($0) }, file: row["file"],
            beganAt: row["began_at"],
            endedAt: row["ended_at"], counts: counts, undoneAt: row["undone_at"], kept: row["kept"],
            isRemembered: row["is_remembered"] == 1)
    }
}
