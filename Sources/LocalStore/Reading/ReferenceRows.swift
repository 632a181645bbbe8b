import FederationModel
import GRDB

extension NodeStore {
    /// The reference data that `owner` has published, as far as they are in the database at `path`; nil when no release is
    /// here whole. They are read before a store is opened, because its rules come from them.
    ///
    /// - Throws: `E_STORE_MISSING`, or SQLite's error.
    package static func reference(at path: String, owner: NodeID) throws -> ReferenceData? {
        try requireFile(path)
        var configuration = Configuration()
        configuration.readonly = true
        let database = try DatabaseQueue(path: path, configuration: configuration)
        return try database.read { db in
            var rows: [IntakeRecord] = []
            for resource in ReferenceResources.all {
                // A database of an earlier release lacks the table.
                guard try db.tableExists(resource.name.text) else { return nil }
                rows += try records(of: resource, owner: owner, db)
            }
            return ReferenceData(rows: rows)
        }
    }

    private static func records(
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
