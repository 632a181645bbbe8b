import FederationModel
import GRDB

/// The threads of one kind inside one transaction. A thread is read when it is first asked for, with all columns that its fold
/// and its audience look at, and again only after rows have changed.
final class ThreadCache<Record: Sendable> {
    private let reader: ThreadReader<Record>
    private let db: Database
    /// Also threads of which there is no record.
    private var known: [ExactText: [Record]] = [:]

    init(_ kind: some ThreadKind<Record>, _ db: Database) {
        reader = ThreadReader(kind)
        self.db = db
    }

    /// The live records of each thread; none for a thread that has none.
    func threads(of ids: Set<ExactText>) throws -> [ExactText: [Record]] {
        let unknown = ids.filter { known[$0] == nil }
        if !unknown.isEmpty {
            let read = try reader.threads(of: unknown, db)
            for id in unknown { known[id] = read[id] ?? [] }
        }
        var threads: [ExactText: [Record]] = [:]
        for id in ids {
            if let thread = known[id], !thread.isEmpty { threads[id] = thread }
        }
        return threads
    }
}
