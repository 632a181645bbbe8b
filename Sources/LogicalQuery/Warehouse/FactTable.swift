import FederationModel

/// A fact as one flat table of an engine that stands beside the node's database: a row for each row of the fact, a column for each column
/// that declarations and dimensions may read of it. SQLite makes the values (``FactSQL``), so what a column means is said once, and the
/// engine needs neither joins nor threads.
///
/// No personal column is among them. A person is the hash of a keyed digest (``PersonDigest``).
package struct FactTable: Sendable {
    package struct Column: Sendable {
        /// As the engine names it.
        package let name: String
        package let kind: Fact.Kind
    }

    /// What every table has before the fact's own columns: the row's origin and key, the origin's version of it, the node's seq up to which
    /// changes are in it (of several images of a row the last is known by it), 1 for a row that is gone, and the node under which it counts.
    private static let envelope = [
        "row_origin String", "row_key String", "row_version Int64", "row_seq UInt64", "row_gone UInt8",
        "row_holder String",
    ]

    /// Behind the fact's own columns; missing of rows of nobody who is told apart.
    static let person = "person_hash"

    package let fact: Fact
    /// The fact's own columns, by name.
    package let columns: [Column]

    package var name: String { fact.name }

    /// External data sets come and go with their registration; their rows stay in SQLite.
    package static let all = Fact.all.map { FactTable($0) }

    package init(_ fact: Fact) {
        self.fact = fact
        columns = fact.columns.values.sorted { $0.name < $1.name }.map {
            Column(name: Self.column($0.name), kind: $0.kind)
        }
    }

    /// `ticket.status` is `ticket__status`: to the engine a point is a part of a nested column.
    static func column(_ name: String) -> String { name.replacing(".", with: "__") }

    // MARK: - What SQLite is asked for

    /// Which rows of a fact are to be read.
    package enum Selection: Sendable {
        /// Those of tickets ?1, a JSON array of global ids.
        case tickets
        /// Those that changed in (?1, ?2].
        case seqs
        /// Those with numbers in (?1, ?2]: in the order in which rows came here.
        case rows
    }

    /// The live rows: `id`, then the envelope without seq and gone, then the fact's columns and the person.
    ///
    /// - Parameter withPersons: whether digests of persons can be made.
    package func live(_ selection: Selection, withPersons: Bool) -> String {
        FactSQL(exporting: fact).live(selection, withPersons: withPersons)
    }

    /// The rows that are gone, or count nowhere any more: `id`, origin, key, version.
    package func gone(_ selection: Selection) -> String { FactSQL(exporting: fact).gone(selection) }

    /// All live rows: origin, key, version and the node under which it counts.
    package var identities: String { FactSQL(exporting: fact).identities }

    /// By what changes of the feed are found: the records of its tickets, or its own rows.
    package var selection: Selection { fact.isOfTickets ? .tickets : .seqs }
}

extension FactSQL {
    /// For its columns alone.
    init(exporting fact: Fact) {
        self.init(fact, period: fact.period, asOf: 0, .none, LinkGrant())
    }

    private var holder: String { fact.isThreadRecord ? "t" : row }

    func live(_ selection: FactTable.Selection, withPersons: Bool) -> String {
        let own = fact.columns.values.sorted { $0.name < $1.name }.map { value(of: $0).inlined }
        let persons = person.map { value(of: $0).inlined }.joined(separator: ", ")
        let hash = persons.isEmpty || !withPersons ? "NULL" : "\(SQLiteDialect.Function.personHash)(\(persons))"
        let what = (["\(row).id"] + identity + own + [hash]).joined(separator: ",\n       ")
        let state = readsState(what) ? "\nLEFT JOIN ticket_state AS s ON s.global_id = t.global_id" : ""
        return """
            SELECT \(what)
            FROM \(from(selection))\(ticket)\(state)
            WHERE \(isLive)\(condition(selection))
            """
    }

    var identities: String {
        "SELECT \(identity.joined(separator: ", "))\nFROM \(from(.rows))\(ticket)\nWHERE \(isLive)"
    }

    private var identity: [String] { ["\(row).origin", "\(row).\"key\"", "\(row).version", "\(holder).origin"] }
    private var isLive: String { fact.isThreadRecord ? "r.deleted = 0 AND t.deleted = 0" : "\(row).deleted = 0" }

    /// CROSS: SQLite keeps to that order of the tables, and the selection comes first.
    private var ticket: String {
        fact.isThreadRecord
            ? "\nCROSS JOIN service_request AS t ON t.global_id = r.global_id AND t.origin = r.ticket_origin" : ""
    }

    func gone(_ selection: FactTable.Selection) -> String {
        let isGone =
            fact.isThreadRecord
            ? """
            (r.deleted <> 0 OR NOT EXISTS (SELECT 1 FROM service_request AS t \
            WHERE t.global_id = r.global_id AND t.origin = r.ticket_origin AND t.deleted = 0))
            """ : "\(row).deleted <> 0"
        return """
            SELECT \(row).id, \(row).origin, \(row)."key", \(row).version
            FROM \(from(selection))
            WHERE \(isGone)\(condition(selection))
            """
    }

    private func from(_ selection: FactTable.Selection) -> String {
        let table = "\(fact.resource) AS \(row)"
        return switch selection {
        case .tickets: "json_each(?1) AS j CROSS JOIN \(table) ON \(row).global_id = j.value"
        case .seqs, .rows: table
        }
    }

    private func condition(_ selection: FactTable.Selection) -> String {
        switch selection {
        case .tickets: ""
        case .seqs: " AND \(row).seq > ?1 AND \(row).seq <= ?2"
        case .rows: " AND \(row).id > ?1 AND \(row).id <= ?2"
        }
    }
}

// MARK: - In ClickHouse

extension FactTable {
    /// The statement that makes its table. The last image of a row stays (`ReplacingMergeTree`); a partition has the rows of a city's
    /// nodes, so that few are merged anew when few have changed.
    package func create(in database: String) -> String {
        let own = columns.map { "`\($0.name)` Nullable(\($0.kind == .text ? "String" : "Int64"))" }
        let columns = Self.envelope + own + ["\(Self.person) Nullable(UInt64)"]
        return """
            CREATE TABLE \(database).\(name) (
              \(columns.joined(separator: ",\n  ")))
            ENGINE = ReplacingMergeTree(row_seq) PARTITION BY substring(row_origin, 1, 4) ORDER BY (row_origin, row_key)
            """
    }

    /// The statement that makes the table over those of all shards.
    package func createOverShards(in database: String, cluster: String) -> String {
        "CREATE TABLE \(database).\(name)_all AS \(database).\(name) ENGINE = Distributed(\(cluster), \(database), \(name))"
    }

    /// The live rows of each node and what their keys and versions come to, as `FactFingerprint` has it.
    package static func fingerprints(of table: String) -> String {
        """
        SELECT row_holder, count(), \
        sum(reinterpretAsUInt64(substring(SHA256(concat(row_origin, '\\n', row_key, '\\n', toString(row_version))), 1, 8)))
        FROM \(table) FINAL WHERE row_gone = 0 GROUP BY row_holder ORDER BY row_holder
        """
    }
}
