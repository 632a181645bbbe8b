import FederationModel
import Foundation
import GRDB
import LogicalQuery

/// What the rows of a question come to, with what of it is to be kept.
package struct RolledUp: Sendable {
    fileprivate let question: String
    /// Up to where all changes are in it.
    fileprivate let seq: Seq
    package fileprivate(set) var partial: PartialResult
    /// Whether some of it was kept.
    package fileprivate(set) var isOfKept = false
    /// The blocks that were found from the rows.
    package fileprivate(set) var found: [(block: RollupBlocks.Block, partial: PartialResult)] = []
    /// What all blocks come to and the days that they are of, where that was not kept.
    fileprivate var whole: (days: Range<Int64>, partial: PartialResult)?

    /// Whether some of it is not kept yet.
    package var isNew: Bool { !found.isEmpty || whole != nil }
}

extension NodeStore {
    /// So much is kept; the oldest blocks go first.
    private static let rollupBytesMax: Int64 = 256 << 20

    /// What the rows of `origins` come to, from what is kept of the question as far as nothing of it has changed, and else from the
    /// rows. `keep` keeps what was found anew: it waits for the database's one writer, for which no answer waits.
    ///
    /// - Parameters:
    ///   - basis: what else decides over the answer: reference data, calendars.
    ///   - queries: compiles the question, or one of another period.
    /// - Returns: nil where rollups do not fit the question, nobody wants any (`wantRollups`), or consumers are behind.
    package func rolledUp(
        _ analysis: Analysis, basis: String, within filter: GrantFilter, readers: [TopologyNode], origins: [NodeID],
        queries: @escaping @Sendable (Analysis) -> [CompiledQuery]
    ) async throws -> RolledUp? {
        guard let blocks = RollupBlocks(analysis), let bare = analysis.restricted(to: 0..<1) else { return nil }
        let shape = queries(bare.analysis).map { "\($0.sql) \($0.arguments)" }.joined(separator: ";")
        let given = filter.isEmpty && readers.isEmpty ? "" : "\(filter) \(readers.map(\.id))"
        let granted = "\(basis)\n\(given)\n\(shape)"
        return try await pool.read { [self] db in
            guard try NodeValue.integer(NodeValue.rollups, db) != 0, let seq = try Self.rollupSeq(db) else {
                return nil
            }
            let question = try readers.isEmpty ? granted : "\(Self.removals(db))\n\(granted)"
            var answer = RolledUp(question: question, seq: seq, partial: PartialResult(for: analysis))
            let id = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM main.rollup_question WHERE question = ?"), arguments: [question]
            )
            func kept(_ days: Range<Int64>) throws -> PartialResult? {
                guard let id else { return nil }
                let partial = try Self.kept(days, of: id, analysis, origins: origins, db)
                if partial != nil { answer.isOfKept = true }
                return partial
            }
            var missing: [RollupBlocks.Block] = []
            let whole = try blocks.whole.flatMap { try kept($0) }
            if let whole {
                answer.partial = whole
            } else {
                for block in blocks.blocks {
                    if let partial = try kept(block.days) {
                        try answer.partial.merge(partial)
                    } else {
                        missing.append(block)
                    }
                }
            }
            func rows(_ analysis: Analysis) throws -> PartialResult {
                var partial = PartialResult(for: analysis)
                for query in queries(analysis) {
                    for row in try self.rows(of: query, within: filter, readers: readers, db) {
                        try partial.add(row, of: query)
                    }
                }
                return partial
            }
            for length in RollupBlocks.Length.allCases {
                let some = missing.filter { $0.length == length }
                guard let first = some.first, let last = some.last else { continue }
                let period =
                    ShanghaiTime.midnight(
                        ofDay: first.days.lowerBound)..<ShanghaiTime.midnight(ofDay: last.days.upperBound)
                guard let (wider, place) = analysis.restricted(to: period, by: length) else { return nil }
                // Those between that are kept are found again: one statement over the whole is cheaper than many.
                let found = try rows(wider).byBlock(place, of: analysis)
                for block in some {
                    let partial = found[block.label] ?? PartialResult(for: analysis)
                    try answer.partial.merge(partial)
                    answer.found.append((block, partial))
                }
            }
            if whole == nil, let days = blocks.whole { answer.whole = (days, answer.partial) }
            for end in blocks.ends {
                guard let part = analysis.restricted(to: end) else { return nil }
                try answer.partial.merge(rows(part.analysis))
            }
            return answer
        }
    }

    /// From now on changes are stamped. It must be on disk before the rows are read of which something is kept.
    package func wantRollups() async throws {
        if try await pool.read({ try NodeValue.integer(NodeValue.rollups, $0) }) != 0 { return }
        try await pool.write { [tableOrder] db in
            if try NodeValue.integer(NodeValue.rollups, db) != 0 { return }
            try NodeValue.set(NodeValue.rollups, 1, db)
            for table in tableOrder { if let count = table.countAll { try db.execute(sql: count) } }
        }
    }

    /// What is withheld from others because it was removed: that changes without a change of its rows.
    private static func removals(_ db: Database) throws -> String {
        try String.fetchOne(db, sql: "SELECT count(*) || ' ' || coalesce(sum(state), 0) FROM main.removed_row") ?? ""
    }

    /// Up to where everything is stamped; nil while it is not all that the rows show.
    private static func rollupSeq(_ db: Database) throws -> Seq? {
        let isNoted = try Bool.fetchOne(
            db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM main.rollup_former) OR EXISTS (SELECT 1 FROM main.rollup_thread)"))
        let head = try NodeValue.integer("seq", db)
        let cursor = try db.cachedStatement(sql: "SELECT cursor FROM main.consumer WHERE name = ?").fetchInteger([
            RollupConsumer.title
        ])
        return isNoted == false && cursor == head ? head : nil
    }

    /// - Returns: nil for one that is not kept, or not good any more.
    private static func kept(
        _ days: Range<Int64>, of question: Int64, _ analysis: Analysis, origins: [NodeID], _ db: Database
    ) throws -> PartialResult? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT partial FROM main.rollup AS k WHERE question = ?1 AND first_day = ?2 AND end_day = ?3
                  AND NOT \(isStale("?4"))
                """)
        let row = try Row.fetchOne(
            statement,
            arguments: [question, days.lowerBound, days.upperBound, jsonArray(Set(origins))])
        guard let row else { return nil }
        return try row.withUnsafeData(atIndex: 0) { data -> PartialResult? in
            data?.withUnsafeBytes { PartialResult($0, of: analysis) }
        }
    }

    /// Whether anything of the days of rollup `k` has changed at one of the origins, a JSON array. A day more on both sides where clocks had
    /// summer time.
    private static func isStale(_ origins: String) -> String {
        let margin = "(k.first_day <= \(ShanghaiTime.dayNumber(ShanghaiTime.lastSummerEnd)))"
        return """
            EXISTS (SELECT 1 FROM main.rollup_stamp AS s
              WHERE s.day >= k.first_day - \(margin) AND s.day < k.end_day + \(margin) AND s.seq > k.seq
                AND s.origin IN (SELECT value FROM json_each(\(origins))))
            """
    }

    /// Keeps what was found anew.
    package func keep(_ answer: RolledUp, now: UnixMilliseconds) async throws {
        guard answer.isNew else { return }
        let all = answer.found.map { (days: $0.block.days, partial: $0.partial) } + (answer.whole.map { [$0] } ?? [])
        try await pool.write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO main.rollup_question (question) VALUES (?)", arguments: [answer.question])
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM main.rollup_question WHERE question = ?", arguments: [answer.question])
            let statement = try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO main.rollup VALUES (?, ?, ?, ?, ?, ?, ?)")
            for (days, partial) in all {
                try statement.execute(arguments: [
                    id, days.lowerBound, days.upperBound, answer.seq, now, partial.groups.count,
                    Data(partial.bytes),
                ])
            }
            var bytes = try Int64.fetchOne(db, sql: "SELECT coalesce(sum(length(partial)), 0) FROM main.rollup") ?? 0
            while bytes > Self.rollupBytesMax {
                try db.execute(
                    sql: "DELETE FROM main.rollup WHERE kept_at = (SELECT min(kept_at) FROM main.rollup)")
                bytes = try Int64.fetchOne(db, sql: "SELECT coalesce(sum(length(partial)), 0) FROM main.rollup") ?? 0
            }
            try db.execute(
                sql: "DELETE FROM main.rollup_question WHERE id NOT IN (SELECT question FROM main.rollup)")
        }
    }

    /// The live rows of each origin of a resource that coverages count; nil where some of them may have to be kept from one of `readers`.
    func liveRows(of resource: ResourceName, readers: [TopologyNode], _ db: Database) throws -> [String: Int64]? {
        guard try guarded(readers, db).isEmpty else { return nil }
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT origin, live FROM main.rollup_count WHERE resource = ?"),
            arguments: [resource.text])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }

    // MARK: - For people

    package func rollupStatus() async throws -> RollupStatus {
        let origins = jsonArray(Set(standing.topology.nodes.map(\.id)))
        return try await pool.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT (SELECT count(*) FROM main.rollup_question), count(*), coalesce(sum(length(k.partial)), 0),
                      coalesce(sum(NOT \(Self.isStale("?1"))), 0) FROM main.rollup AS k
                    """, arguments: [origins])
            return RollupStatus(questions: row?[0] ?? 0, blocks: row?[1] ?? 0, bytes: row?[2] ?? 0, good: row?[3] ?? 0)
        }
    }

    /// Forgets what is kept; it is found anew from the rows when it is asked for.
    package func forgetRollups() async throws {
        try await pool.write { try RollupConsumer.forget($0) }
    }
}
