import FederationModel
import GRDB

/// By which commits this database gave out its seqs: a random number for each commit, at the last seq that it gave out (design rule 6).
///
/// The mark of a seq is that of the commit that gave it out, so a receiver may stand in the middle of a commit. Marks that every
/// receiver has passed are removed.
enum HistoryMarks {
    /// The highest seq whose mark was removed; a cursor up to it is of this past, or of none that can be told from it.
    static let floor = "mark_floor"

    static func put(at head: Seq, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT INTO main.history_mark VALUES (?, random())").execute(arguments: [head])
    }

    /// - Returns: nil when the seq was given out before there were marks, or never.
    static func mark(of seq: Seq, _ db: Database) throws -> HistoryMark? {
        guard seq > (try NodeValue.integer(floor, db)) else { return nil }
        return try db.cachedStatement(sql: "SELECT mark FROM main.history_mark WHERE seq >= ? ORDER BY seq LIMIT 1")
            .fetchInteger([seq]).map { HistoryMark(UInt64(bitPattern: $0)) }
    }

    /// The last seq of the last commit that ends in (`after`, `upTo`], as far as its mark is still here.
    static func lastCommit(after: Seq, upTo seq: Seq, _ db: Database) throws -> Seq? {
        try db.cachedStatement(sql: "SELECT max(seq) FROM main.history_mark WHERE seq > ? AND seq <= ?")
            .fetchInteger([after, seq])
    }

    /// Removes the marks below `seq`, which every receiver has confirmed or may not go on from any more.
    static func remove(below seq: Seq, _ db: Database) throws {
        let highest = try db.cachedStatement(sql: "SELECT max(seq) FROM main.history_mark WHERE seq < ?")
            .fetchInteger([seq])
        guard let highest else { return }
        try db.execute(sql: "DELETE FROM main.history_mark WHERE seq <= ?", arguments: [highest])
        try NodeValue.set(floor, highest, db)
    }
}
