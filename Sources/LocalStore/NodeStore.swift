import ChangeSetFormat
import FederationModel
import Foundation
import GRDB
import NodeFiles
import Synchronization

/// The one door to a node's SQLite file. No `Database` leaves this target: what the rest of the node may do is a verb here.
package final class NodeStore: Sendable {
    package let node: NodeID
    /// This life of the database; see `Epoch`. It changes when a receiver shows that this database has another past.
    package var epoch: Epoch { life.withLock { $0 } }
    package let resources: [ResourceDefinition]
    /// Of its resources; two nodes send each other what the earlier one knows.
    package let schemaRevision: Int
    let pool: StorePool
    /// Makes the keyed digest of a value.
    package let tokens: (@Sendable (String) throws -> String)?
    let retractionLimit: RetractionLimit
    let catalogs = CatalogCache()
    let tables: [ResourceName: ResourceTable]
    /// In the order of the catalog, which is the order of a sweep.
    let tableOrder: [ResourceTable]
    /// What is downstream of the feed.
    let consumers: [any FeedConsumer]
    let threadKinds: [any ThreadKind]
    let threadMemory = ThreadMemory.Box()
    package let space: DiskSpace
    private let published: Mutex<Published>
    /// By which statements count working time.
    private let calendar: CurrentCalendar
    private let life: Mutex<Epoch>

    /// What everything in this process goes by now. Ask at each use and keep no part of it.
    package var standing: Standing { published.withLock { $0.standing } }

    var visibility: Visibility { published.withLock { $0.visibility } }

    private struct Published {
        let standing: Standing
        /// Made once for it: it holds SQL for each resource.
        let visibility: Visibility
        /// Under the topology that is being taken up, from its first step until it is published.
        var adopting: Standing?
    }

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
        // The file is whole by itself, so that it can be moved before it is ever opened.
        try pool.emptyLog()
        try pool.close()
    }

    /// Opens the database of a node and brings its schema up to date. Until `publish` says more, the node stands alone.
    ///
    /// - Parameters:
    ///   - consumers: what is downstream of the feed.
    ///   - threadKinds: what is folded and shared as threads; their resources are among `resources`.
    ///   - retractionLimit: beyond which a sweep does not take rows away.
    ///   - space: what is to stay free of the disk; nil when nothing is.
    ///   - tokens: makes the keyed digest of a value, for links that tokenise a field; without it such a link fails.
    /// - Throws: `E_STORE_MISSING`, `E_STORE_NEWER`, and the other codes of `StorePool`.
    package init(
        at path: String, resources: [ResourceDefinition] = BuiltInResources.all,
        consumers: [any FeedConsumer] = NodeStore.builtInConsumers,
        threadKinds: [any ThreadKind] = NodeStore.builtInThreadKinds, retractionLimit: RetractionLimit = .standard,
        space: DiskSpace? = nil,
        tokens: (@Sendable (String) throws -> String)? = nil
    ) throws {
        self.space = space ?? DiskSpace(floor: 0) { nil }
        try Self.requireFile(path)
        self.resources = resources
        schemaRevision = resources.reduce(BuiltInResources.schemaRevision) { max($0, $1.since) }
        self.tokens = tokens
        self.consumers = consumers
        self.threadKinds = threadKinds
        self.retractionLimit = retractionLimit
        tableOrder = resources.map { ResourceTable($0) }
        tables = Dictionary(uniqueKeysWithValues: tableOrder.map { ($0.definition.name, $0) })
        let calendar = CurrentCalendar()
        self.calendar = calendar
        pool = try Self.openPool(path, tables: tableOrder, tokens: tokens, calendar: calendar)
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
        life = Mutex(epoch)
        let alone = Standing(node: node)
        published = Mutex(Published(standing: alone, visibility: Visibility(tables: tableOrder, standing: alone)))
        if try pool.read(RespondentNodes.areThere) { try logScope(isFolded: false) }
    }

    /// Makes everything in this process go by another standing from now on. What its policies look at is logged and folded from
    /// before the moment in which a link can see them.
    ///
    /// Only who opens the store and `StandingPublisher` may call it.
    package func publish(_ standing: Standing) throws {
        let visibility = Visibility(tables: tableOrder, standing: standing)
        let filters = standing.outgoing.values.map(\.grant.tickets).filter { !$0.isEmpty }
        if !filters.isEmpty { try visibility.startLog(isFolded: filters.contains(where: \.isFolded), pool) }
        if standing.rules != self.standing.rules { threadMemory.forget() }
        calendar.value.withLock { $0 = standing.reference.calendar }
        published.withLock { former in
            let adopting = former.adopting.flatMap { $0.topology.version > standing.topology.version ? $0 : nil }
            former = Published(standing: standing, visibility: visibility, adopting: adopting)
        }
    }

    /// From now on nothing is let in that this standing does not let in: after a step of its adoption nobody would take it back.
    func begin(adopting standing: Standing) { published.withLock { $0.adopting = standing } }

    var adopting: Standing? { published.withLock { $0.adopting } }

    /// Logs what row filters look at from now on, for good.
    ///
    /// - Parameter isFolded: also what threads decide, which is kept beside the request then.
    package func logScope(isFolded: Bool) throws { try visibility.startLog(isFolded: isFolded, pool) }

    /// What everything goes by, and what links may see by it, as one.
    func current() -> (standing: Standing, visibility: Visibility) {
        published.withLock { ($0.standing, $0.visibility) }
    }

    /// The epoch that has just been stored.
    func take(_ epoch: Epoch) { life.withLock { $0 = epoch } }

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
        _ path: String, tables: [ResourceTable], tokens: (@Sendable (String) throws -> String)? = nil,
        calendar: CurrentCalendar = CurrentCalendar()
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
            try AnalysisFunctions.add(to: db.sqliteConnection, tokens: tokens) { calendar.value.withLock(\.self) }
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

/// The named values of the `node` table. `FeedWriter` alone moves the feed's head (`seq`) and the version clock.
enum NodeValue {
    /// The highest seq that was removed from the feed; 0 when none was.
    static let floor = "floor"
    /// Until then this node takes back what it lost.
    static let recoveryEnd = "recovery_end"
    /// 1 where a former release, which did not let its version clock run ahead, left rows that were written under a clock which did.
    static let hasFutureVersions = "future_versions"
    /// When a neighbour's clock agreed with this node's last, by the latter.
    static let clocksAgreedAt = "clocks_agreed_at"

    /// 1 once a question was asked of which something is kept.
    static let rollups = "rollups"

    static func integer(_ name: String, _ db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "SELECT value FROM main.node WHERE name = ?").fetchInteger([name]) ?? 0
    }

    static func text(_ name: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM main.node WHERE name = ?", arguments: [name])
    }

    static func set(_ name: String, _ value: Int64, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.node VALUES (?, ?)").execute(arguments: [name, value])
    }
}

extension Statement {
    func fetchInteger(_ arguments: StatementArguments) throws -> Int64? {
        try Int64.fetchOne(self, arguments: arguments)
    }
}
