import ConfigurationFiles
import FederationModel
import LocalStore
import LogicalQuery

/// How far the export to ClickHouse is.
package struct WarehouseStatus: Sendable {
    package struct Shard: Sendable {
        package let address: String
        /// Live rows of each fact; nil where the server gave no answer.
        package let rows: [(fact: String, rows: Int64)]?
        package let failure: FederationError?
    }

    /// The seq up to which changes are there; nil where nothing is that answers can come from.
    package let cursor: Seq?
    /// Changes that are not there.
    package let lagRows: Int64
    /// How rows are made: another one makes them anew.
    package let schema: String?
    package let shards: [Shard]
    /// Why the service's export does not get on, and when it last met that; nil when it does.
    package let failure: (error: FederationError, at: UnixMilliseconds)?

    /// Whether questions are answered from it.
    package var isUsable: Bool { cursor != nil && shards.allSatisfy { $0.failure == nil } }
}

/// What one fact comes to in the node's database and on ClickHouse, for the rows that count under one node.
package struct WarehouseComparison: Sendable {
    package let fact: String
    package let holder: String
    package let rows: Int64
    package let exportedRows: Int64
    /// Whether keys and versions are the same too.
    package let isEqual: Bool

    init(fact: String, _ local: FactFingerprint, _ exported: FactFingerprint) {
        self.fact = fact
        holder = local.holder
        rows = local.rows
        exportedRows = exported.rows
        isEqual = local == exported
    }
}

extension NodeDesk {
    package func warehouseStatus() async throws -> WarehouseStatus {
        try await perform(.showWarehouse) { _ in
            let warehouse = try warehouse()
            var shards: [WarehouseStatus.Shard] = []
            for (index, address) in warehouse.server.settings.addresses.enumerated() {
                do {
                    shards.append(.init(address: address, rows: try await warehouse.rows(onShard: index), failure: nil))
                } catch let error as FederationError {
                    shards.append(.init(address: address, rows: nil, failure: error))
                }
            }
            let position = try? await warehouse.position()
            let head = try await store.head()
            let lag = try await store.lag(of: position?.feed)
            return WarehouseStatus(
                cursor: lag == nil ? nil : position?.feed.seq, lagRows: lag ?? head, schema: position?.feed.basis,
                shards: shards, failure: try await store.failure(of: WarehouseExporter.title).map { ($0.error, $0.at) })
        }
    }

    /// Makes the tables anew and exports everything that there is.
    ///
    /// - Parameter progress: is told how far it is, in rows.
    /// - Throws: `E_WAREHOUSE_AWAY`.
    package func backfillWarehouse(
        progress: @escaping @Sendable (_ rows: Int64, _ total: Int64) -> Void
    ) async throws -> WarehouseStatus {
        try await perform(.fillWarehouse) { now in
            let warehouse = try warehouse()
            try await catchUp(now: now)
            if try await warehouse.position() != nil { try await warehouse.forgetPosition() }
            let exporter = WarehouseExporter(warehouse, lockPath: settings.warehouseLockPath, progress: progress)
            var isDone = false
            while !isDone {
                do {
                    isDone = try await store.advance(exporter)
                } catch let error as FederationError where error.code == WarehouseExporter.busy {
                    // The service is at it.
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }
        return try await warehouseStatus()
    }

    /// Compares what is there with the node's database, fact by fact and node by node. While rows are being written the two differ.
    ///
    /// - Throws: `E_WAREHOUSE_AWAY`, `E_WAREHOUSE_BEHIND` where changes are not there yet.
    package func verifyWarehouse() async throws -> [WarehouseComparison] {
        try await perform(.verifyWarehouse) { now in
            let warehouse = try warehouse()
            try await catchUp(now: now)
            guard let position = try await warehouse.position(), try await store.lag(of: position.feed) == 0 else {
                throw FederationError(
                    "E_WAREHOUSE_BEHIND", "ClickHouse does not have all changes yet",
                    hint: "`warehouse status` says how many are missing; the service exports them", isRetryable: true)
            }
            var comparisons: [WarehouseComparison] = []
            for table in FactTable.all {
                let local = try await store.factFingerprints(of: table)
                let remote = try await warehouse.fingerprints(of: table)
                for holder in Set((local + remote).map(\.holder)).sorted() {
                    func one(_ all: [FactFingerprint]) -> FactFingerprint {
                        all.first { $0.holder == holder } ?? FactFingerprint(holder: holder, rows: 0, sum: 0)
                    }
                    comparisons.append(WarehouseComparison(fact: table.name, one(local), one(remote)))
                }
            }
            return comparisons
        }
    }

    /// - Throws: `E_WAREHOUSE_OFF`.
    private func warehouse() throws -> Warehouse {
        guard let warehouse = local.warehouse else {
            throw FederationError(
                "E_WAREHOUSE_OFF", "the analysis of this node runs on SQLite alone",
                hint: "set `analysis-engine: clickhouse` and the clickhouse-… settings in node.yaml")
        }
        return warehouse
    }
}
