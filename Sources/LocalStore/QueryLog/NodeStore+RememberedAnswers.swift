import Crypto
import FederationModel
import Foundation
import GRDB

/// What children answered last, by question, for askers who take an old answer rather than none. In the database, because the next one
/// who asks is another process. Sums alone, and for some days: what is asked of a child is not stored otherwise (domain model 5.5).
extension NodeStore {
    private static let answersKept: Int64 = 7 * 86_400_000
    private static let answersMax = 1_000
    private static let answerBytesMax = 1 << 20
    private static let answerBytesTotal = 64 << 20

    /// Keeps an answer in place of the one before to the same question. One that is larger than 1 MiB is not kept; of more
    /// than 1,000 or 64 MiB the oldest go, as do those of more than a week ago.
    ///
    /// - Parameter question: what tells it from other questions.
    package func remember(_ answer: [UInt8], of child: NodeID, to question: [UInt8], at time: UnixMilliseconds)
        async throws
    {
        guard answer.count <= Self.answerBytesMax else { return }
        try await pool.write { db in
            try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO main.child_answer (child, question, at, body) VALUES (?, ?, ?, ?)"
            ).execute(arguments: [child.code, Self.digest(question), time, Data(answer)])
            try db.cachedStatement(
                sql: """
                    DELETE FROM main.child_answer WHERE at < ?1 OR rowid IN (
                      SELECT rowid FROM (
                        SELECT rowid, row_number() OVER newest AS place, sum(length(body)) OVER newest AS bytes
                        FROM main.child_answer WINDOW newest AS (ORDER BY at DESC, rowid DESC))
                      WHERE place > ?2 OR bytes > ?3)
                    """
            ).execute(arguments: [time - Self.answersKept, Self.answersMax, Self.answerBytesTotal])
        }
    }

    /// What a child answered last to a question, if that is kept.
    package func rememberedAnswer(
        of child: NodeID, to question: [UInt8]
    ) async throws -> (answer: [UInt8], at: UnixMilliseconds)? {
        try await pool.read { db in
            try Row.fetchOne(
                db, sql: "SELECT at, body FROM main.child_answer WHERE child = ? AND question = ?",
                arguments: [child.code, Self.digest(question)]
            ).map { row in (Array(row["body"] as Data), row["at"]) }
        }
    }

    private static func digest(_ question: [UInt8]) -> Data { Data(SHA256.hash(data: question)) }
}
