import FederationModel
import GRDB

extension NodeStore {
    /// The reference data that `owner` has published, as far as they are in the database at `path`; nil when no release is
    /// here whole. They are read before a store is opened, because its rules come from them.
    ///
    /// - Throws: `E_STORE_MISSING`, `E_STORE_NEWER`, and the other codes of `StorePool`.
    package static func reference(at path: String, owner: NodeID) throws -> ReferenceData? {
        try requireFile(path)
        var configuration = Configuration()
        // Another process may be closing the database, which locks it for a moment.
        configuration.busyMode = .timeout(20)
        return try StorePool(path: path, configuration: configuration, isReadOnly: true).read { db in
            // Before rules are made of tables that a later release may mean otherwise.
            guard try !Migrations.migrator.hasBeenSuperseded(db) else { throw FederationError.newer(path) }
            var rows: [IntakeRecord] = []
            for resource in ReferenceResources.all {
                // A database of an earlier release lacks the table.
                guard try db.tableExists(resource.name.text) else { return nil }
                rows += try records(of: resource, owner: owner, db)
            }
            return ReferenceData(rows: rows)
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
