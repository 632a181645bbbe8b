import ChangeSetFormat
import FederationModel
import GRDB

/// The tables of the resources, made to agree with the declarations: new tables, new columns, new indexes. Nothing is
/// ever dropped, so a release that goes back finds its data.
struct ResourceTables {
    let tables: [ResourceTable]

    /// Tells one set of declarations from another. It is kept in the database, so that opening a node whose tables agree
    /// writes nothing: a command must not wait for the service's turn at writing.
    private var fingerprint: String {
        String(
            fnv1a64(tables.flatMap { $0.create + $0.rollupTriggers + $0.leavingTriggers }.joined(separator: "\n").utf8),
            radix: 16)
    }

    func agree(_ db: Database) throws -> Bool { try NodeValue.text("schema", db) == fingerprint }

    func bring(_ db: Database) throws {
        // Asked once: each table that is made would have GRDB read the schema anew.
        let existing = try Set(String.fetchAll(db, sql: "SELECT name FROM main.sqlite_schema WHERE type = 'table'"))
        for table in tables {
            if existing.contains(table.definition.name.text) {
                // First, because an index may be over one of them.
                try addColumns(to: table, db)
            } else {
                // Rows of a resource that is known only now lie behind the cursors: each sender is asked for a sweep.
                try db.execute(sql: "UPDATE main.link_cursor SET topology = 0, policy = 0")
            }
            for sql in table.create { try db.execute(sql: sql) }
            for sql in table.rollupTriggers + table.leavingTriggers { try db.execute(sql: sql) }
            guard table.keepsFormer else { continue }
            if existing.contains(table.formerName) {
                let kept = Set(try db.columns(in: table.formerName).map(\.name))
                for column in table.definition.columns where !kept.contains(column.name) {
                    try db.execute(sql: table.addColumnToFormer(column))
                }
            }
            for sql in table.formerTrigger { try db.execute(sql: sql) }
        }
        try db.execute(sql: "INSERT OR REPLACE INTO main.node VALUES ('schema', ?)", arguments: [fingerprint])
    }

    /// Those that were declared since a table was made.
    private func addColumns(to table: ResourceTable, _ db: Database) throws {
        let known = Set(try db.columns(in: table.definition.name.text).map(\.name))
        for column in table.local + [ResourceTable.carried] where !known.contains(column) {
            try db.execute(sql: table.addText(column))
        }
        for column in table.definition.columns where !known.contains(column.name) {
            try db.execute(sql: table.addColumn(column))
            try db.execute(sql: table.adopt(column))
        }
    }
}
