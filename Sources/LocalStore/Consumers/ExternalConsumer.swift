import ChangeSetFormat
import FederationModel
import GRDB

/// A consumer that feeds something outside of the node's database, such as another engine, and keeps its cursor there. It may
/// stall or fail as long as it will: intake, other consumers and the pruning of tombstones do not wait for it. If tombstones
/// were pruned meanwhile that it has not seen, or the database has another past, it starts over.
package protocol ExternalConsumer: FeedConsumer {
    /// What it has durably taken; nil when that is nothing.
    func position() async throws -> FeedPosition?

    /// Forgets all that it has taken: the rows that follow are all there are.
    func restart() async throws

    /// Takes rows, and durably with them the position behind them. It may be called twice with the same rows, if it failed
    /// after it had taken them.
    func take(_ rows: [FeedRow], upTo position: FeedPosition) async throws
}

/// A place in the feed of one node.
package struct FeedPosition: Hashable, Sendable {
    /// Seqs count within it.
    package let epoch: Epoch
    package let seq: Seq

    package init(epoch: Epoch, seq: Seq) {
        self.epoch = epoch
        self.seq = seq
    }
}

/// A row in its latest version, as the feed has it.
package struct FeedRow: Hashable, Sendable {
    package let resource: ResourceName
    package let id: RowKey
    /// By it, the latest of several images of a row is known.
    package let seq: Seq
    package let version: Int64
    /// False for a tombstone and for a row that is no longer granted to this node; its fields are empty then.
    package let isLive: Bool
    /// Without those that are null.
    package let fields: [String: FieldValue]
}

extension NodeStore {
    static let externalBasis = "external"
    /// Rows that an external consumer takes at once.
    private static let externalRows = 2_000

    /// The consumers that feed something outside; each is run by itself.
    package var externalConsumers: [any ExternalConsumer] { consumers.compactMap { $0 as? any ExternalConsumer } }

    /// Hands the next rows to an external consumer.
    ///
    /// - Returns: whether it has reached the head, as that was when the rows were read.
    package func advance(_ consumer: some ExternalConsumer) async throws -> Bool {
        let position = try await consumer.position()
        if let page = try await page(of: position) {
            let reached = FeedPosition(epoch: epoch, seq: page.upto)
            if reached != position {
                try await note(position?.seq ?? 0, of: consumer)
                try await consumer.take(page.rows, upTo: reached)
                try await note(page.upto, of: consumer)
            }
            return page.upto == page.head
        }
        try await consumer.restart()
        try await note(0, of: consumer)
        return false
    }

    /// For `status` alone: what counts is the consumer's own position.
    private func note(_ cursor: Seq, of consumer: some ExternalConsumer) async throws {
        try await pool.write { db in
            try Self.save(cursor, of: consumer.name, basis: Self.externalBasis, db)
        }
    }

    private struct Page {
        var rows: [FeedRow] = []
        var upto: Seq
        let head: Seq
    }

    /// - Returns: nil for a position from which the feed can't be followed.
    private func page(of position: FeedPosition?) async throws -> Page? {
        try await pool.read { [self] db in
            let head = try NodeValue.integer("seq", db)
            if let position {
                let floor = try NodeValue.integer(NodeValue.floor, db)
                guard position.epoch == epoch, (floor...head).contains(position.seq) else { return nil }
            }
            let after = position?.seq ?? 0
            let union = tableOrder.map { "SELECT seq FROM main.\($0.table) WHERE seq > ?1" }
            let seqs = try Int64.fetchAll(
                db.cachedStatement(
                    sql:
                        "SELECT seq FROM (\(union.joined(separator: " UNION ALL "))) ORDER BY seq LIMIT \(Self.externalRows)"
                ), arguments: [after])
            var page = Page(upto: seqs.count < Self.externalRows ? head : seqs.last ?? head, head: head)
            for table in tableOrder {
                let columns = table.columns.map { ", \(quoted($0))" }.joined()
                let rows = try Row.fetchCursor(
                    db.cachedStatement(
                        sql: """
                            SELECT origin, "key", seq, version, deleted\(columns) FROM main.\(table.table)
                            WHERE seq > ? AND seq <= ?
                            """), arguments: [after, page.upto])
                while let row = try rows.next() {
                    var fields: [String: FieldValue] = [:]
                    for (index, column) in table.columns.enumerated() {
                        let value = row.fieldValue(at: index + 5)
                        if !value.isNull { fields[column] = value }
                    }
                    let isLive = row[4] as Int64 == RowState.live.rawValue
                    page.rows.append(
                        FeedRow(
                            resource: table.definition.name, id: RowKey(origin: row[0], key: row[1]), seq: row[2],
                            version: row[3], isLive: isLive, fields: isLive ? fields : [:]))
                }
            }
            page.rows.sort { $0.seq < $1.seq }
            return page
        }
    }
}
