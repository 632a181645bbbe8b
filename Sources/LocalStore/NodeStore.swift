import ChangeSetFormat
import FederationModel
import Foundation
import GRDB
import NodeFiles

/// The one door to a node's SQLite file. No `Database` leaves this target: what the rest of the node may do is a verb here.
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
    let pool: StorePool
    let catalogs = CatalogCache()
    /// Makes the keyed digest of a value; nil when no link of this node tokenises.
    package let tokens: (@Sendable (String) -> String)?
    let tables: [ResourceName: ResourceTable]
    /// In the order of the catalog, which is the order of a sweep.
    let tableOrder: [ResourceTable]
    let scopeLog: ScopeLog
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
        // SQLite gives its other files the mode of this one.
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw FederationError(
                "E_FILE_WRITE", "cannot make \(path)", hint: "check the folder, its rights and its space")
        }
        let pool = try openPool(path, tables: [])
        try pool.migrate(by: Migrations.migrator)
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
    ///   - tokens: makes the keyed digest of a value, for links that tokenise a field.
    /// - Throws: `E_STORE_MISSING`, `E_STORE_NEWER`, and the other codes of `StorePool`.
    package init(
        at path: String, resources: [ResourceDefinition] = BuiltInResources.all,
        rules: LifecycleRules = LifecycleRules(), lists: CodeLists = .builtIn,
        topology: Topology = Topology(name: "", version: 0, nodes: []), isFiltered: Bool = false,
        isFolded: Bool = false,
        tokens: (@Sendable (String) -> String)? = nil
    ) throws {
        try Self.requireFile(path)
        self.resources = resources
        self.rules = rules
        self.lists = lists
        self.topology = topology
        self.tokens = tokens
        tableOrder = resources.map { ResourceTable($0) }
        tables = Dictionary(uniqueKeysWithValues: tableOrder.map { ($0.definition.name, $0) })
        pool = try Self.openPool(path, tables: tableOrder, tokens: tokens)
        try pool.migrate(by: Migrations.migrator)
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
        scopeLog = ScopeLog(
            tables: tableOrder, rules: rules, respondents: RespondentNodes(neighboursOf: node, topology: topology))
        // Before the triggers: what is filled in is no change.
        if try isFolded && !pool.read(TicketLooks.isOn) {
            try pool.write { [scopeLog] db in try scopeLog.startLooks(db) }
        }
        if try (isFiltered || pool.read(RespondentNodes.areThere)) && !pool.read(ScopeLog.isOn) {
            try pool.write { [scopeLog] db in if try !ScopeLog.isOn(db) { try scopeLog.start(db) } }
        }
    }

    package func close() throws { try pool.close() }

    static func requireFile(_ path: String) throws(FederationError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw FederationError(
                "E_STORE_MISSING", "there is no database at \(path)", hint: "make one with `federation-node init`")
        }
        guard FileFacts.isRegular(path) else {
            throw FederationError(
                "E_STORE_MISSING", "\(path) is no file with a database", hint: "correct `database` in node.yaml")
        }
    }

    /// The latest seq that this node gave out.
    package func head() async throws -> Seq {
        try await pool.read { db in try NodeValue.integer("seq", db) }
    }

    private static func openPool(
        _ path: String, tables: [ResourceTable], tokens: (@Sendable (String) -> String)? = nil
    ) throws -> StorePool {
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
                        PRAGMA journal_size_limit = \(Self.walBytesKept);
                        ATTACH DATABASE ':memory:' AS batch;
                        """)
                for table in tables { try db.execute(sql: table.createBatch) }
            }
        }
        return try StorePool(path: path, configuration: configuration)
    }

    /// A WAL that one long reader has let grow is cut to this size once it is written from the beginning again. Just above
    /// what the checkpoints let it grow to, so that it is not cut in daily work.
    private static let walBytesKept = 44_000_000
}

/// The named values of the `node` table.
enum NodeValue {
    /// The highest seq that was removed from the feed; 0 when none was.
    static let floor = "floor"

    static func integer(_ name: String, _ db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "SELECT value FROM main.node WHERE name = ?").fetchInteger([name]) ?? 0
    }

    static func text(_ name: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM main.node WHERE name = ?", arguments: [name])
    }

    /// Draws `count` seqs; the first is one above the result.
    static func draw(seqs count: Int, _ db: Database) throws -> Seq {
        let base = try integer("seq", db)
        try db.cachedStatement(sql: "UPDATE main.node SET value = value + ? WHERE name = 'seq'").execute(
            arguments: [count])
        return base
    }

    /// Puts seqs back that no row took, so that a write that changed nothing leaves nothing to tell.
    static func putBack(seqs count: Int, _ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE main.node SET value = value - ? WHERE name = 'seq'").execute(
            arguments: [count])
    }

    /// The next version for rows of this node.
    static func nextVersion(now: UnixMilliseconds, _ db: Database) throws -> HybridTime {
        let next = HybridTime(rawValue: try integer("version", db)).next(now: now)
        try db.cachedStatement(sql: "UPDATE main.node SET value = ? WHERE name = 'version'").execute(
            arguments: [next.rawValue])
        return next
    }
}

extension Statement {
    func fetchInteger(_ arguments: StatementArguments) throws -> Int64? {
        try Int64.fetchOne(self, arguments: arguments)
    }
}
