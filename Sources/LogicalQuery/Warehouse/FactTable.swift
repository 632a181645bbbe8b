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

    /// What every table has before the fact's own columns: the row's origin and key; the origin's version of it; the node's seq up to which
    /// changes are in it, by which of several images the last is known; 1 for a row that is gone; and the node under which it counts.
    package enum Envelope: String, CaseIterable, Sendable {
        case origin = "row_origin"
        case key = "row_key"
        case version = "row_version"
        case seq = "row_seq"
        case gone = "row_gone"
        case holder = "row_holder"
    }

    /// Behind them; nil for rows of nobody who is told apart.
    package static let person = "person_hash"

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
    package enum Selection: CaseIterable, Sendable {
        /// Those of tickets ?1, a JSON array of global ids.
        case tickets
        /// Those that changed in (?1, ?2].
        case seqs
        /// Those of the table behind row ?1, in order, at most ?2.
        case all
    }

    /// The live rows: `id`, then the envelope without seq and gone, then the fact's columns and the person.
    package func live(_ selection: Selection) -> String { FactSQL(exporting: fact).live(selection) }

    /// The rows that are gone, or count nowhere any more: `id`, origin, key, version.
    package func gone(_ selection: Selection) -> String { FactSQL(exporting: fact).gone(selection) }

    /// By what changes of the feed are found: the records of its tickets, or its own rows.
    package var selection: Selection { fact.isOfTickets ? .tickets : .seqs }
}

extension FactSQL {
    /// For its columns alone.
    init(exporting fact: Fact) {
        self.init(fact, period: fact.period, asOf: 0, .none, LinkGrant())
    }

    private var holder: String { fact.isThreadRecord ? "t" : row }

    func live(_ selection: FactTable.Selection) -> String {
        let own = fact.columns.values.sorted { $0.name < $1.name }.map { value(of: $0).inlined }
        let persons = person.map { value(of: $0).inlined }.joined(separator: ", ")
        let hash = person.isEmpty ? "NULL" : "\(SQLiteDialect.Function.personHash)(\(persons))"
        let columns =
            ["\(row).id", "\(row).origin", "\(row).\"key\"", "\(row).version", "\(holder).origin"] + own + [hash]
        let what = columns.joined(separator: ",\n       ")
        // No other order of the tables: the selection comes first.
        var tables = from(selection)
        if fact.isThreadRecord {
            tables += "\nCROSS JOIN service_request AS t ON t.global_id = r.global_id AND t.origin = r.ticket_origin"
        }
        if readsState(what) { tables += "\nLEFT JOIN ticket_state AS s ON s.global_id = t.global_id" }
        let isLive = fact.isThreadRecord ? "r.deleted = 0 AND t.deleted = 0" : "\(row).deleted = 0"
        return "SELECT \(what)\nFROM \(tables)\nWHERE \(isLive)\(condition(selection))"
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
        case .seqs, .all: table
        }
    }

    private func condition(_ selection: FactTable.Selection) -> String {
        switch selection {
        case .tickets: ""
        case .seqs: " AND \(row).seq > ?1 AND \(row).seq <= ?2"
        case .all: " AND \(row).id > ?1 ORDER BY \(row).id LIMIT ?2"
        }
    }
}
