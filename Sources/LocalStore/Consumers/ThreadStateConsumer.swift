import FederationModel
import GRDB

/// Keeps `thread_state`, the fold of each thread of the kinds other than tickets, which have a table of their own
/// (`TicketStateConsumer`).
struct ThreadStateConsumer: TransactionalConsumer {
    let name = "thread-state"

    func basis(of store: NodeStore, under standing: Standing) -> String {
        Self.kinds(store.threadKinds).map { "\($0.name) \($0.basis(standing.rules))" }.joined(separator: ", ")
    }

    func clear(_ writer: FeedWriter) throws { try writer.db.execute(sql: "DELETE FROM main.thread_state") }

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        for kind in Self.kinds(writer.threadKinds) { try fold(kind, after: after, upto: upto, writer) }
    }

    private static func kinds(_ all: [any ThreadKind]) -> [any ThreadKind] {
        all.filter { $0.name != TicketKind.title }
    }

    private func fold(_ kind: some ThreadKind, after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let changed = try ThreadReader(kind).changed(after: after, upto: upto, writer.db)
        let threads = try writer.threads(kind, of: changed)
        for id in changed {
            guard let records = threads[id] else {
                try writer.db.cachedStatement(sql: "DELETE FROM main.thread_state WHERE kind = ? AND thread = ?")
                    .execute(
                        arguments: [kind.name, id.text])
                continue
            }
            let state = kind.fold(records, rules: writer.standing.rules)
            try writer.db.cachedStatement(sql: "INSERT OR REPLACE INTO main.thread_state VALUES (?, ?, ?, ?)").execute(
                arguments: [kind.name, id.text, state.word, state.since])
        }
    }
}
