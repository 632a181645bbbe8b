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
        for table in tables {
            let isNew = try !db.tableExists(table.definition.name.text, in: "main")
            for sql in table.create { try db.execute(sql: sql) }
            // Rows of a resource that is known only now lie behind the cursors: each sender is asked for a sweep.
            if isNew { try db.execute(sql: "UPDATE main.link_cursor SET topology = 0, policy = 0") }
            let known = Set(try db.columns(in: table.definition.name.text).map(\.name))
            for column in table.local + [ResourceTable.carried] where !known.contains(column) {
                try db.execute(sql: table.addText(column))
            }
            for column in table.definition.columns where !known.contains(column.name) {
                try db.execute(sql: table.addColumn(column))
                try db.execute(sql: table.adopt(column))
            }
            for sql in table.rollupTriggers + table.leavingTriggers { try db.execute(sql: sql) }
            guard table.keepsFormer else { continue }
            let kept = Set(try db.columns(in: table.formerName).map(\.name))
            for column in table.definition.columns where !kept.contains(column.name) {
                try db.execute(sql: table.addColumnToFormer(column))
            }
            for sql in table.formerTrigger { try db.execute(sql: sql) }
        }
        try db.execute(sql: "INSERT OR REPLACE INTO main.node VALUES ('schema', ?)", arguments: [fingerprint])
    }
}
