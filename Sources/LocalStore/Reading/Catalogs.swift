import FederationModel
import GRDB
import Synchronization

/// The newest catalog of each sender, as it stands in the tables. Every change-set is held against it, so it is read
/// again only when rows of a catalog have changed.
final class CatalogCache: Sendable {
    private struct Kept {
        let head: Seq
        let catalog: Catalog?
    }

    private let kept = Mutex<[NodeID: Kept]>([:])

    /// - Returns: nil when no catalog of `owner` is here whole: a node of an earlier release has none.
    func newest(of owner: NodeID, _ db: Database) throws -> Catalog? {
        let head = try Self.head(db)
        if let known = kept.withLock({ $0[owner] }), known.head == head { return known.catalog }
        let catalog = try NodeStore.catalogs(of: owner, db).last?.catalog
        kept.withLock { $0[owner] = Kept(head: head, catalog: catalog) }
        return catalog
    }

    /// The seq of the latest change of any catalog.
    private static func head(_ db: Database) throws -> Seq {
        let heads = CatalogResources.all.map { "SELECT max(seq) AS seq FROM main.\($0.name)" }
        return try db.cachedStatement(sql: "SELECT max(seq) FROM (\(heads.joined(separator: " UNION ALL ")))")
            .fetchInteger([]) ?? 0
    }
}

extension NodeStore {
    /// The newest catalog of each of some nodes; those of which none is here whole are left out.
    package func newestCatalogs(of owners: Set<NodeID>) async throws -> [NodeID: Catalog] {
        try await pool.read { [self] db in try newestCatalogs(of: owners, db) }
    }

    func newestCatalogs(of owners: Set<NodeID>, _ db: Database) throws -> [NodeID: Catalog] {
        var newest: [NodeID: Catalog] = [:]
        for owner in owners { newest[owner] = try catalogs.newest(of: owner, db) }
        return newest
    }

    /// The releases of one node's catalog that are here whole, in the order of their versions.
    package func catalogs(of owner: NodeID) throws -> [CatalogRelease] {
        try pool.read { db in try Self.catalogs(of: owner, db) }
    }

    /// Tells what `Standing` is made of from what it was: topology release, own catalog, reference data.
    package func standingMarks() throws -> StandingMarks {
        try pool.read { db in
            func newest(_ resources: [ResourceDefinition]) throws -> Seq {
                let heads = resources.map { "SELECT max(seq) AS seq FROM main.\(quoted($0.name.text))" }
                return try db.cachedStatement(sql: "SELECT max(seq) FROM (\(heads.joined(separator: " UNION ALL ")))")
                    .fetchInteger([]) ?? 0
            }
            return StandingMarks(
                topology: try db.cachedStatement(sql: "SELECT max(version) FROM main.topology_release")
                    .fetchInteger([]) ?? 0,
                catalogs: try newest(CatalogResources.all), reference: try newest(ReferenceResources.all))
        }
    }

    static func catalogs(of owner: NodeID, _ db: Database) throws -> [CatalogRelease] {
        CatalogRelease.all(in: try CatalogResources.all.flatMap { try records(of: $0, owner: owner, db) })
    }

    /// When rows of each origin last changed here, by resource.
    package func arrivals() async throws -> [NodeID: [ResourceName: UnixMilliseconds]] {
        try await pool.read { db in
            var arrivals: [NodeID: [ResourceName: UnixMilliseconds]] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT resource, origin, arrived_at FROM main.arrival") {
                guard let origin = NodeID(row[1]) else { continue }
                arrivals[origin, default: [:]][ResourceName(row[0])] = row[2]
            }
            return arrivals
        }
    }

    /// What was refused because the sender's own catalog does not grant it, by sender and resource.
    package func refusedResources() async throws -> [RefusedResource] {
        try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT sender, resource, code, rows, last_at FROM main.refused_resource ORDER BY sender, resource"
            ).compactMap { row in
                guard let sender = NodeID(row[0]), let refusal = CatalogRefusal(rawValue: row[2]) else { return nil }
                return RefusedResource(
                    sender: sender, resource: ResourceName(row[1]), refusal: refusal, rows: row[3], lastAt: row[4])
            }
        }
    }
}

/// What the store holds of what a node goes by, by its latest change.
package struct StandingMarks: Hashable, Sendable {
    /// The newest topology release.
    package let topology: Int64
    /// The seq of the latest change of any catalog.
    package let catalogs: Seq
    /// The same of reference data.
    package let reference: Seq
}

enum RefusedResources {
    static func note(
        _ resource: ResourceName, _ refusal: CatalogRefusal, rows: Int, sender: NodeID, now: UnixMilliseconds,
        _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO main.refused_resource VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET code = excluded.code, rows = rows + excluded.rows, last_at = excluded.last_at
                """
        ).execute(arguments: [sender.code, resource.text, refusal.rawValue, rows, now])
    }
}

/// When rows last changed here.
enum Arrivals {
    /// Notes the origins of the staged rows.
    static func note(_ table: ResourceTable, now: UnixMilliseconds, _ db: Database) throws {
        let name = table.definition.name.text
        // WHERE true keeps the parser from taking ON for that of a join: https://sqlite.org/lang_upsert.html, 2.2.
        try db.cachedStatement(
            sql: """
                INSERT INTO main.arrival SELECT DISTINCT ?1, origin, ?2 FROM batch.\(quoted(name)) WHERE true
                ON CONFLICT DO UPDATE SET arrived_at = excluded.arrived_at
                """
        ).execute(arguments: [name, now])
    }

    static func note(_ table: ResourceTable, origin: NodeID, now: UnixMilliseconds, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO main.arrival VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET arrived_at = excluded.arrived_at
                """
        ).execute(arguments: [table.definition.name.text, origin.code, now])
    }
}
