import FederationModel
import LocalStore
import LogicalQuery
import NodeFiles

/// Keeps a node's facts on ClickHouse: a consumer of the feed that waits for nobody and for which nobody waits.
package actor WarehouseExporter: ExternalConsumer {
    static let title = "warehouse"
    static let busy = "E_WAREHOUSE_BUSY"

    package nonisolated let name = title
    private let warehouse: Warehouse
    /// One process writes at a time: the service, or a command.
    private let lockPath: String
    private let progress: (@Sendable (_ rows: Int64, _ total: Int64) -> Void)?
    private var mergedAt: ContinuousClock.Instant?

    /// Rows of one statement.
    private static let rowsMax: Int64 = 50_000
    /// Statements whose rows are read or on their way at one time in a full export: to read a row takes as long as to send it. The store has
    /// four connections that read, and questions are answered from it meanwhile.
    private static let lanes = 3
    /// Images are merged at most so often: the engine writes whole partitions for it.
    private static let mergeAfter = Duration.seconds(300)

    /// - Parameter progress: is told how far a full export is.
    package init(
        _ warehouse: Warehouse, lockPath: String,
        progress: (@Sendable (_ rows: Int64, _ total: Int64) -> Void)? = nil
    ) {
        self.warehouse = warehouse
        self.lockPath = lockPath
        self.progress = progress
    }

    package func position() async throws -> FeedPosition? { try await warehouse.position()?.feed }

    /// - Throws: `E_WAREHOUSE_BUSY` while another process writes; `E_WAREHOUSE_AWAY`.
    package func take(_ changes: FeedChanges, of store: NodeStore) async throws {
        guard let lock = try FileLock(path: lockPath) else {
            throw FederationError(
                Self.busy, "another process of this node is filling ClickHouse", isRetryable: true)
        }
        defer { withExtendedLifetime(lock) {} }
        if changes.isWhole {
            try await takeAll(upTo: changes.upTo, of: store)
        } else {
            try await takeChanged(changes, of: store)
        }
    }

    private func takeAll(upTo position: FeedPosition, of store: NodeStore) async throws {
        try await warehouse.makeTables()
        let last = try await store.lastFactRows()
        let parts = FactTable.all.flatMap { table in
            let last = last[table.name] ?? 0
            return stride(from: 1, through: last, by: Int(Self.rowsMax)).map {
                (table: table, numbers: $0...min($0 + Self.rowsMax - 1, last))
            }
        }
        let total = last.values.reduce(0, +)
        var done: Int64 = 0
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (index, part) in parts.enumerated() {
                if index >= Self.lanes { done += Int64(try await group.next() ?? 0) }
                progress?(done, total)
                group.addTask { [warehouse] in
                    try await warehouse.insert(
                        store.factRows(
                            of: part.table, numbered: part.numbers, upTo: position.seq, shards: warehouse.shards))
                    return part.numbers.count
                }
            }
            for try await count in group {
                done += Int64(count)
                progress?(done, total)
            }
        }
        try await warehouse.save(Warehouse.Position(feed: position, step: 1, isMerged: true))
        mergedAt = .now
    }

    private func takeChanged(_ changes: FeedChanges, of store: NodeStore) async throws {
        // Another process may have begun anew since the changes were told.
        guard var position = try await warehouse.position(), position.feed.seq == changes.after else { return }
        let rows = try await store.factRows(of: changes, shards: warehouse.shards).filter { $0.count > 0 }
        if !rows.isEmpty { position = try await warehouse.move(position, to: position.feed, isMerged: false) }
        for rows in rows { try await warehouse.insert(rows) }
        position = try await warehouse.move(position, to: changes.upTo, isMerged: position.isMerged)
        if !position.isMerged, mergedAt.map({ .now - $0 >= Self.mergeAfter }) ?? true {
            try await warehouse.merge()
            _ = try await warehouse.move(position, to: changes.upTo, isMerged: true)
            mergedAt = .now
        }
    }
}
