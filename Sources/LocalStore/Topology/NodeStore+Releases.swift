import FederationModel
import GRDB

extension NodeStore {
    /// Every release that is here, in the order of their versions; the last one is in force.
    package func releases() async throws -> [AdoptedRelease] {
        try await pool.read { db in try Self.releases(after: 0, db) }
    }

    /// The releases behind a version.
    package func releases(after version: Int64) async throws -> [TopologyRelease] {
        try await pool.read { db in try Self.releases(after: version, db).map(\.release) }
    }

    /// The release in force; nil for a node that has none, which goes by the file that it was set up with.
    package func currentRelease() throws -> TopologyRelease? {
        try pool.read { db in
            let version =
                try db.cachedStatement(sql: "SELECT max(version) FROM main.topology_release")
                .fetchInteger([]) ?? 0
            return try Self.releases(after: version - 1, db).last?.release
        }
    }

    static func releases(after version: Int64, _ db: Database) throws -> [AdoptedRelease] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT version, text, published_at, certificate, signature, adopted_at
                    FROM main.topology_release WHERE version > ? ORDER BY version
                    """), arguments: [version]
        ).map { row in
            var signature: TopologyRelease.Signature?
            if let certificate: String = row[3], let value: String = row[4] {
                signature = TopologyRelease.Signature(certificate: certificate, value: value)
            }
            return AdoptedRelease(
                release: TopologyRelease(
                    version: row[0], text: row[1], publishedAt: row[2], signature: signature),
                adoptedAt: row[5])
        }
    }

    /// Under which topology version the policy of each link of this node was last changed.
    package func linkRevisions() throws -> LinkRevisions {
        try pool.read { db in try Self.linkRevisions(db) }
    }

    private static func linkRevisions(_ db: Database) throws -> LinkRevisions {
        let rows = try Row.fetchAll(db, sql: "SELECT sender, receiver, topology FROM main.link_revision")
        return Dictionary(
            rows.compactMap { row in
                guard let sender = NodeID(row[0]), let receiver = NodeID(row[1]) else { return nil }
                return (LinkEdge(sender: sender, receiver: receiver), row[2] as Int64)
            }, uniquingKeysWith: { $1 })
    }

    /// Takes releases over: notes them, says which links are swept, and leaves the steps that make this node's rows agree with
    /// the last of them, all in one transaction. `performAdoptionStep` carries the steps out, so a crash in between goes on
    /// where it was.
    ///
    /// - Parameters:
    ///   - releases: in the order of their versions, each with its topology under its number; those that are here are passed over.
    ///   - known: every node of an earlier topology.
    package func adopt(
        _ releases: [(release: TopologyRelease, topology: Topology)], after former: Topology, known: Set<NodeID>,
        now: UnixMilliseconds
    ) async throws {
        let (node, resources, tableOrder) = (node, resources, tableOrder)
        try await writeDurably { db in
            let present =
                try db.cachedStatement(sql: "SELECT max(version) FROM main.topology_release")
                .fetchInteger([]) ?? 0
            let new = releases.filter { $0.release.version > present }
            guard let last = new.last?.topology else { return }
            for (release, _) in new {
                try db.execute(
                    sql: """
                        INSERT INTO main.topology_release
                          (version, text, published_at, certificate, signature, adopted_at) VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        release.version, release.text, release.publishedAt, release.signature?.certificate,
                        release.signature?.value, now,
                    ])
            }
            try Self.saveRevisions(of: node, from: former, to: last, known: known, resources: resources, db)
            try Self.doubt(last.origins(inDoubtAt: node, after: former, known: known, resources: resources), db)
            for step in [Self.meetingStep] + tableOrder.map(\.definition.name.text) {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO main.adoption_step (resource, topology) VALUES (?, ?)",
                    arguments: [step, last.version])
            }
        }
    }

    /// Whether the release in force has a link from a node; true where none was adopted, and the service's file decides.
    static func hasLink(from sender: NodeID, _ db: Database) throws -> Bool {
        try db.cachedStatement(
            sql: """
                SELECT NOT EXISTS (SELECT 1 FROM main.topology_release)
                  OR EXISTS (SELECT 1 FROM main.link_revision WHERE sender = ?)
                """
        ).fetchInteger([sender.code]) == 1
    }

    private static func saveRevisions(
        of node: NodeID, from former: Topology, to current: Topology, known: Set<NodeID>,
        resources: [ResourceDefinition], _ db: Database
    ) throws {
        let revisions = try linkRevisions(db)
        let (known, present) = (known.union(former.nodes.map(\.id)), Set(current.nodes.map(\.id)))
        try db.execute(sql: "DELETE FROM main.link_revision")
        for neighbour in current.neighbours(of: node) {
            for edge in [
                LinkEdge(sender: node, receiver: neighbour), LinkEdge(sender: neighbour, receiver: node),
            ] {
                func policy(_ topology: Topology) -> LinkPolicy? {
                    LinkPolicy(from: edge.sender, to: edge.receiver, topology: topology, resources: resources)
                }
                let change = LinkPolicy.change(
                    from: policy(former), to: policy(current), known: known, present: present)
                let isKept = change == .same || change == .rerouted
                try db.execute(
                    sql: "INSERT INTO main.link_revision VALUES (?, ?, ?)",
                    arguments: [
                        edge.sender.code, edge.receiver.code,
                        isKept ? revisions[edge] ?? former.version : current.version,
                    ])
            }
        }
    }
}
