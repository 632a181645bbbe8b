import Crypto
import FederationModel
import GRDB
import GRDBSQLite
import LogicalQuery

/// How many live rows of a fact count under a node, and what their keys and versions come to in any order: the sum, modulo 2^64, of the
/// first 8 bytes (least first) of each row's SHA-256 over origin, key and version with line ends between.
package struct FactFingerprint: Hashable, Sendable {
    package let holder: String
    package let rows: Int64
    package let sum: UInt64

    package init(holder: String, rows: Int64, sum: UInt64) {
        self.holder = holder
        self.rows = rows
        self.sum = sum
    }
}

extension NodeStore {
    /// What tells exported rows apart that were made in different ways: the statements that make them and their tables, the rules by which tickets are
    /// folded, and the key of persons' digests.
    var exportBasis: String {
        let parts = [TicketStateConsumer().basis(of: self, under: standing), personKey ?? "", Self.exportStatements]
        return String(fnv1a64(parts.joined(separator: "\n").utf8), radix: 16)
    }

    /// A hash, made once: each question looks whether the export is of these.
    private static let exportStatements: String = {
        let statements = FactTable.all.flatMap { [$0.create(in: ""), $0.live(.rows, withPersons: true)] }
        return String(fnv1a64(statements.joined(separator: "\n").utf8), radix: 16)
    }()

    /// Stands for the key of persons' digests; nil where there is none, and so nobody is counted.
    private var personKey: String? { tokens.flatMap { try? $0("") } }

    /// Up to where tickets' states are derived.
    func foldedUpTo(_ db: Database) throws -> Seq {
        guard let states = consumers.lazy.compactMap({ $0 as? TicketStateConsumer }).first else {
            return try NodeValue.integer("seq", db)
        }
        return try cursor(of: states, under: standing, db)
    }

    /// The rows of every fact that changes concern: those of each ticket of which a record changed, of those merged into it, and of those that it
    /// was marked to repeat.
    package func factRows(of changes: FeedChanges, shards: Int) async throws -> [FactRows] {
        let hasPersons = personKey != nil
        return try await pool.read { db in
            var changed = try ThreadReader(TicketKind()).changed(after: changes.after, upto: changes.upTo.seq, db)
            changed.formUnion(
                try String.fetchAll(
                    db, sql: RollupTables.repeatedTickets, arguments: [jsonArray(changed.map(\.text))]
                ).map { ExactText($0) })
            // What a ticket is merged into follows from the threads in between.
            let tickets = try String.fetchAll(
                db.cachedStatement(
                    sql: """
                        WITH RECURSIVE dirty(id) AS (
                          SELECT value FROM json_each(?) UNION
                          SELECT s.global_id FROM dirty CROSS JOIN main.ticket_state AS s ON s.merge_target = dirty.id)
                        SELECT id FROM dirty
                        """), arguments: [jsonArray(changed.map(\.text))])
            let ids = FieldValue.text(jsonArray(tickets))
            let seqs: [FieldValue] = [.integer(changes.after), .integer(changes.upTo.seq)]
            return try FactTable.all.map { table in
                var reader = FactReader(table, shards: shards, seq: changes.upTo.seq, hasPersons: hasPersons)
                let arguments = table.selection == .tickets ? [ids] : seqs
                try reader.readGone(table.selection, arguments, db)
                try reader.readLive(table.selection, arguments, db)
                return reader.rows
            }
        }
    }

    /// The live rows of a fact with numbers in a range, which are given in the order in which rows came here.
    ///
    /// - Parameter seq: up to where changes are in all of them.
    package func factRows(
        of table: FactTable, numbered numbers: ClosedRange<Int64>, upTo seq: Seq, shards: Int
    ) async throws -> FactRows {
        let hasPersons = personKey != nil
        return try await pool.read { db in
            var reader = FactReader(table, shards: shards, seq: seq, hasPersons: hasPersons)
            try reader.readLive(.rows, [.integer(numbers.lowerBound - 1), .integer(numbers.upperBound)], db)
            return reader.rows
        }
    }

    /// The number of the latest row of each fact: how far an export has to go.
    package func lastFactRows() async throws -> [String: Int64] {
        try await pool.read { db in
            try Dictionary(
                uniqueKeysWithValues: FactTable.all.map { table in
                    let sql = "SELECT max(id) FROM main.\(quoted(table.fact.resource.text))"
                    return (table.name, try db.cachedStatement(sql: sql).fetchInteger([]) ?? 0)
                })
        }
    }

    /// What the live rows of a fact come to, by the node under which they count.
    package func factFingerprints(of table: FactTable) async throws -> [FactFingerprint] {
        try await pool.read { db in
            var found: [String: (rows: Int64, sum: UInt64)] = [:]
            let rows = try Row.fetchCursor(db, sql: table.identities)
            while let row = try rows.next() {
                let (origin, key, version, holder): (String, String, Int64, String) = (row[0], row[1], row[2], row[3])
                let digest = SHA256.hash(data: Array("\(origin)\n\(key)\n\(version)".utf8))
                let first = digest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let known = found[holder, default: (0, 0)]
                found[holder] = (known.rows + 1, known.sum &+ first)
            }
            return found.map { FactFingerprint(holder: $0, rows: $1.rows, sum: $1.sum) }.sorted {
                $0.holder < $1.holder
            }
        }
    }
}
