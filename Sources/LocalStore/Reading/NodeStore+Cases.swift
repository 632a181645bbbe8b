import FederationModel
import GRDB

/// A record of a case, or a published one, as it is here.
package struct HeldRecord: Hashable, Sendable {
    package let origin: NodeID
    package let key: String
    package let fields: [String: FieldValue]

    package func text(_ column: String) -> String? { fields[column]?.text }
    package func integer(_ column: String) -> Int64? { fields[column]?.integer }
    package func real(_ column: String) -> Double? {
        if case .real(let real) = fields[column] { real } else { integer(column).map(Double.init) }
    }
}

extension NodeStore {
    /// The live records of a resource, in the order of a column.
    ///
    /// - Parameters:
    ///   - filters: only those with these values.
    ///   - order: a column of the resource; the newest come first.
    package func records(
        of resource: ResourceDefinition, where filters: [String: String] = [:], newestBy order: String
    ) async throws -> [HeldRecord] {
        let columns = resource.columns.map(\.name)
        let named = filters.sorted { $0.key < $1.key }
        return try await pool.read { db in
            let conditions = named.map { " AND \(quoted($0.key)) = ?" }.joined()
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT origin, "key", \(columns.map { quoted($0) }.joined(separator: ", "))
                    FROM main.\(quoted(resource.name.text)) WHERE deleted = 0\(conditions)
                    ORDER BY \(quoted(order)) DESC, origin, "key"
                    """, arguments: StatementArguments(named.map(\.value))
            ).compactMap { HeldRecord($0, columns: columns, from: 2) }
        }
    }
}

extension HeldRecord {
    /// - Parameter place: where the columns of the resource begin in a row, behind origin and key.
    init?(_ row: Row, columns: [String], from place: Int) {
        guard let origin = NodeID(row[0]) else { return nil }
        var fields: [String: FieldValue] = [:]
        for (index, column) in columns.enumerated() {
            let value = row.fieldValue(at: index + place)
            if !value.isNull { fields[column] = value }
        }
        self.init(origin: origin, key: row[1], fields: fields)
    }
}
