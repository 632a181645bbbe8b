import FederationModel
import GRDB

/// Reads threads, with the columns that are asked for.
struct ThreadReader<Record: Sendable> {
    private let forms: [ThreadForm<Record>]
    private let key: String
    private let kind: String

    init(_ kind: some ThreadKind<Record>) {
        forms = kind.forms
        self.kind = kind.name
        key = quoted(kind.key)
    }

    /// The threads of which a record changed in (`after`, `upto`], also those that a record left for another one.
    func changed(after: Seq, upto: Seq, _ db: Database) throws -> Set<ExactText> {
        let left = try db.cachedStatement(
            sql: "SELECT thread FROM main.\(ResourceTable.leftThreads) WHERE seq > ? AND seq <= ? AND kind = ?")
        var ids = Set(try String.fetchAll(left, arguments: [after, upto, kind]).map { ExactText($0) })
        for form in forms {
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(key) FROM main.\(quoted(form.resource.text))
                    WHERE seq > ? AND seq <= ? AND +\(key) IS NOT NULL
                    """)
            let found = try String.fetchCursor(statement, arguments: [after, upto])
            while let id = try found.next() { ids.insert(ExactText(id)) }
        }
        return ids
    }

    /// The live records of each thread; none for a thread that has none.
    func threads(of ids: Set<ExactText>, _ db: Database) throws -> [ExactText: [Record]] {
        try threads(ofOrdered: ids.sorted(), db)
    }

    /// - Parameter ordered: in their order, so that the searches in an index follow each other.
    func threads(ofOrdered ordered: [ExactText], _ db: Database) throws -> [ExactText: [Record]] {
        var threads: [[Record]] = Array(repeating: [], count: ordered.count)
        for form in forms { try collect(ordered, form, into: &threads, db) }
        var found: [ExactText: [Record]] = [:]
        found.reserveCapacity(ordered.count)
        for (id, thread) in zip(ordered, threads) where !thread.isEmpty { found[id] = thread }
        return found
    }

    private func collect(
        _ ids: [ExactText], _ form: ThreadForm<Record>, into threads: inout [[Record]], _ db: Database
    ) throws {
        let columns = form.columns
        let table = "main.\(quoted(form.resource.text))"
        let statement = try RawStatement(
            """
            SELECT r.origin, r."key", r.version\(columns.map { ", r.\(quoted($0))" }.joined())
            FROM \(table) AS r WHERE r.\(key) = ? AND r.deleted = 0
            """, db)
        defer { statement.reset() }
        var gap = GapSearch(try RawStatement("SELECT min(\(key)) FROM \(table) WHERE \(key) > ?", db))
        defer { gap.statement.reset() }
        for (index, id) in ids.enumerated() where !gap.contains(id) {
            statement.bind(id.text, at: 1)
            var isFound = false
            while try statement.step() {
                isFound = true
                let values = columns.indices.map { statement.value(at: Int32($0 + 3)) }
                threads[index].append(
                    form.record(
                        statement.text(at: 0) ?? "", statement.text(at: 1) ?? "", statement.integer(at: 2) ?? 0, values)
                )
            }
            statement.restart()
            if !isFound { try gap.search(after: id) }
        }
    }
}

/// Tells of threads, in their order, that a table has nothing of them without searching for each: where one is not found it asks
/// for the next that the table has. New tickets lie behind all others, and of most kinds of records a table has few.
private struct GapSearch {
    /// Gives the first thread of the table that lies behind an argument.
    let statement: RawStatement
    /// The first behind the gap; nil where nothing is known.
    private var end: ExactText?
    private var isEndless = false
    private var hasSkipped = true
    /// Searches that found nothing to skip make the next one wait, so that they cost little where threads lie close.
    private var (wait, patience) = (0, 0)
    private static let patienceMax = 64

    init(_ statement: RawStatement) { self.statement = statement }

    /// To be asked in the order of threads.
    mutating func contains(_ id: ExactText) -> Bool {
        guard isEndless || end.map({ id < $0 }) == true else { return false }
        hasSkipped = true
        return true
    }

    /// - Parameter id: of which the table has nothing.
    mutating func search(after id: ExactText) throws {
        if hasSkipped {
            (wait, patience) = (0, 0)
        } else if wait < patience {
            wait += 1
            return
        } else {
            (wait, patience) = (0, min(2 * patience + 1, Self.patienceMax))
        }
        statement.bind(id.text, at: 1)
        _ = try statement.step()
        end = statement.text(at: 0).map { ExactText($0) }
        isEndless = end == nil
        hasSkipped = false
        statement.restart()
    }
}

extension ThreadReader<TicketEvent> {
    /// The threads of tickets with the columns of some forms alone.
    init(ticketsWith forms: some Collection<TicketEvent.Form>) {
        self.forms = forms.map { ThreadForm($0) }
        key = TicketKind().key
        kind = TicketKind.title
    }
}

extension Row {
    func fieldValue(at index: Int) -> FieldValue {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .null, .blob: return .null
        case .int64(let integer): return .integer(integer)
        case .double(let real): return .real(real)
        case .string(let text): return .text(text)
        }
    }
}
