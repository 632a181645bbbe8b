import FederationModel
import GRDB

extension NodeStore {
    /// The reference data that `owner` has published, as far as they are here; nil when no release is here whole.
    package func reference(of owner: NodeID) throws -> ReferenceData? {
        try pool.read { db in
            ReferenceData(
                rows: try ReferenceResources.all.flatMap { try Self.records(of: $0, owner: owner, db) })
        }
    }

    /// What `owner` has published of a resource whose rows stand each for itself, as far as it is here.
    package func published(_ resource: ResourceDefinition, by owner: NodeID) throws -> [IntakeRecord] {
        try pool.read { db in try Self.records(of: resource, owner: owner, db) }
    }

    /// The same of every node.
    package func publishedByAll(_ resource: ResourceDefinition) throws -> [(origin: NodeID, record: IntakeRecord)] {
        try pool.read { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT origin FROM main.\(quoted(resource.name.text)) ORDER BY origin"
            ).compactMap { NodeID($0) }.flatMap { owner in
                try Self.records(of: resource, owner: owner, db).map { (owner, $0) }
            }
        }
    }

    /// Live rows of each external data set.
    package func datasetRows() async throws -> [String: Int64] {
        try await pool.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT dataset, count(*) FROM main.external_record WHERE deleted = 0 GROUP BY dataset")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
        }
    }

    static func records(
        of resource: ResourceDefinition, owner: NodeID, _ db: Database
    ) throws -> [IntakeRecord] {
        let columns = resource.columns.map(\.name)
        return try Row.fetchAll(
            db,
            sql: """
                SELECT "key", \(columns.map { quoted($0) }.joined(separator: ", "))
                FROM main.\(quoted(resource.name.text)) WHERE origin = ? AND deleted = 0
                """, arguments: [owner.code]
        ).map { row in
            var fields: [String: FieldValue] = [:]
            for (index, column) in columns.enumerated() {
                let value = row.fieldValue(at: index + 1)
                if !value.isNull { fields[column] = value }
            }
            return IntakeRecord(resource: resource.name, key: row[0], fields: fields)
        }
    }
}
