import FederationModel
import GRDB

/// Stamps the days that changes concern, so that what is kept of a question is known to be good or not. It forgets nothing itself: a block
/// that is asked for again is found anew and replaces the one that is kept.
struct RollupConsumer: TransactionalConsumer {
    static let title = "rollup"

    let name = title
    /// The times of a ticket's state are found there.
    var isBehind: String? { TicketStateConsumer.title }

    func clear(_ writer: FeedWriter) throws { try Self.forget(writer.db) }

    static func forget(_ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM main.rollup; DELETE FROM main.rollup_question; DELETE FROM main.rollup_stamp;
                DELETE FROM main.rollup_former; DELETE FROM main.rollup_thread;
                """)
    }

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let db = writer.db
        guard try NodeValue.integer(NodeValue.rollups, db) != 0 else { return }
        var threads = try ThreadReader(TicketKind()).changed(after: after, upto: upto, db)
        threads.formUnion(
            try String.fetchAll(db, sql: "SELECT global_id FROM main.rollup_thread").map { ExactText($0) })
        threads.formUnion(
            try String.fetchAll(
                db, sql: RollupTables.repeatedTickets, arguments: [jsonArray(threads.map(\.text))]
            ).map { ExactText($0) })
        let ids = jsonArray(threads.map(\.text))
        for table in writer.resources {
            if let stamp = table.stampThreads { try db.cachedStatement(sql: stamp).execute(arguments: [ids, upto]) }
            if let stamp = table.stampRows { try db.cachedStatement(sql: stamp).execute(arguments: [after, upto]) }
        }
        try db.cachedStatement(sql: RollupTables.stampStates).execute(arguments: [ids, upto])
        // It has two places for arguments, as the others.
        try db.cachedStatement(sql: RollupTables.stampFormer).execute(arguments: [nil, upto])
        try db.execute(sql: "DELETE FROM main.rollup_former; DELETE FROM main.rollup_thread")
    }
}
