import ChangeSetFormat
import FederationModel
import Foundation
import GRDB
import GRDBSQLite

/// The one door to a node's SQLite file. No `Database` leaves this target: what the rest of the node may do is a verb here.
///
/// One writer, several readers (WAL): readers are slowed by a bulk apply, never blocked.
package final class NodeStore: Sendable {
    package let node: NodeID
    /// This life of the database; see `Epoch`.
    package let epoch: Epoch
    package let resources: [ResourceDefinition]
    /// By which tickets are folded and this node's own records are checked.
    package let rules: LifecycleRules
    /// By which it follows who must see a ticket.
    let topology: Topology
    /// By which the codes of this node's own records are checked.
    let lists: CodeLists
    let pool: DatabasePool
    let catalogs = CatalogCache()
    /// What is downstream of the feed.
    let consumers: [any FeedConsumer]
    let threadKinds: [any ThreadKind]
    /// Makes the keyed digest of a value; nil when no link of this node tokenises.
    package let tokens: (@Sendable (String) -> String)?
    let tables: [ResourceName: ResourceTable]
    /// In the order of the catalog, which is the order of a sweep.
    let tableOrder: [ResourceTable]
    let visibility: Visibility
    let threadMemory = ThreadMemory.Box()

    /// Makes the database of a node that has none.
    ///
    /// - Throws: `E_STORE_EXISTS` when there is one.
    package static func create(
        at path: String, node: NodeID, epoch: Epoch, resources: [ResourceDefinition] = BuiltInResources.all
    ) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw FederationError(
                "E_STORE_EXISTS", "there is a database at \(path) already", hint: "choose another directory")
        }
        let pool = try openPool(path, tables: [])
        try Migrations.migrator.migrate(pool)
        try pool.write { db in
            try ResourceTables(tables: resources.map { ResourceTable($0) }).bring(db)
            try db.execute(
                sql: "INSERT INTO node VALUES ('code', ?), ('epoch', ?)", arguments: [node.code, epoch.description])
        }
        try pool.close()
    }

    /// Opens the database of a node and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - topology: of which nodes a ticket may be. With none, no ticket is shared with another node.
    ///   - isFiltered: whether a link of this node has a row filter, for which changes of what filters look at are logged
    ///     from now on.
    ///   - isFolded: whether one of these filters looks at what threads decide, which is kept from now on.
    ///   - consumers: what is downstream of the feed.
    ///   - threadKinds: what is folded and shared as threads; their resources are among `resources`.
    ///   - tokens: makes the keyed digest of a value, for links that tokenise a field.
    /// - Throws: `E_STORE_MISSING`, `E_STORE_DAMAGED`, or SQLite's error.
    package init(
        at path: String, resources: [ResourceDefinition] = BuiltInResources.all,
        rules: LifecycleRules = LifecycleRules(), lists: CodeLists = .builtIn,
        topology: Topology = Topology(name: "", version: 0, nodes: []), isFiltered: Bool = false,
        isFolded: Bool = false, consumers: [any FeedConsumer] = NodeStore.builtInConsumers,
        threadKinds: [any ThreadKind] = NodeStore.builtInThreadKinds,
        tokens: (@Sendable (String) -> String)? = nil
    ) throws {
        try Self.requireFile(path)
        self.resources = resources
        self.rules = rules
        self.lists = lists
        self.topology = topology
        self.tokens = tokens
        self.consumers = consumers
        self.threadKinds = threadKinds
        tableOrder = resources.map { ResourceTable($0) }
        tables = Dictionary(uniqueKeysWithValues: tableOrder.map { ($0.definition.name, $0) })
        pool = try Self.openPool(path, tables: tableOrder, tokens: tokens)
        if try pool.read({ db in try Migrations.migrator.hasCompletedMigrations(db) }) == false {
            try Migrations.migrator.migrate(pool)
        }
        let tables = ResourceTables(tables: tableOrder)
        if try pool.read({ db in try tables.agree(db) }) == false { try pool.write { db in try tables.bring(db) } }
        let (code, epoch) = try pool.read { db in
            (try NodeValue.text("code", db), try NodeValue.text("epoch", db))
        }
        guard let node = code.flatMap({ NodeID($0) }), let epoch = epoch.flatMap({ Epoch($0) }) else {
            throw FederationError(
                "E_STORE_DAMAGED", "the database at \(path) does not say whose it is", hint: "restore a backup")
        }
        self.node = node
        self.epoch = epoch
        visibility = Visibility(tables: tableOrder, rules: rules, node: node, topology: topology)
        try visibility.open(isFiltered: isFiltered, isFolded: isFolded, pool)
    }

    package func close() throws { try pool.close() }

    static func requireFile(_ path: String) throws(FederationError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw FederationError(
                "E_STORE_MISSING", "there is no database at \(path)", hint: "make one with `federation-node init`")
        }
    }

    /// The latest seq that this node gave out.
    package func head() async throws -> Seq {
        try await pool.read { db in try NodeValue.integer("seq", db) }
    }

    private static func openPool(
        _ path: String, tables: [ResourceTable], tokens: (@Sendable (String) -> String)? = nil
    ) throws -> DatabasePool {
        var configuration = Configuration()
        // Another process of this node (a command beside the service) may hold the write lock for one batch.
        configuration.busyMode = .timeout(20)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            // https://sqlite.org/pragma.html#pragma_synchronous: NORMAL in WAL mode may lose the last commits at a power
            // failure, never the database. What apply loses is asked for again, because the cursor went with it; intake
            // raises it to FULL for itself.
            try db.execute(
                sql: """
                    PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
                    PRAGMA temp_store = MEMORY;
                    """)
            try TreatmentFunctions.add(to: db, tokens: tokens)
            if db.configuration.readonly {
                try db.execute(sql: "PRAGMA cache_size = -8192")
            } else {
                // SQLite's 2 MB make apply half as slow again; a checkpoint each 1,000 pages costs more than the rows.
                try db.execute(
                    sql: """
                        PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 10000;
                        ATTACH DATABASE ':memory:' AS batch;
                        """)
                for table in tables { try db.execute(sql: table.createBatch) }
            }
        }
        return try DatabasePool(path: path, configuration: configuration)
    }
}

/// The named values of the `node` table. `FeedWriter` alone moves the feed's head (`seq`) and the version clock.
enum NodeValue {
    /// The highest seq that was removed from the feed; 0 when none was.
    static let floor = "floor"

    static func integer(_ name: String, _ db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "SELECT value FROM main.node WHERE name = ?").fetchInteger([name]) ?? 0
    }

    static func text(_ name: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM main.node WHERE name = ?", arguments: [name])
    }

}

extension Statement {
    func fetchInteger(_ arguments: StatementArguments) throws -> Int64? {
        try Int64.fetchOne(self, arguments: arguments)
    }
}
