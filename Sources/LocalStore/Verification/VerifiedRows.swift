import ChangeSetFormat
import FederationModel
import GRDB
import GRDBSQLite
import Verification

/// The rows of one direction of a link, as its sender grants them or as its receiver has them: the two that must come to the same.
///
/// A sender's are those that its sweep would list, treated as they leave; a receiver's are its live copies, without the columns
/// that the link leaves out.
struct VerifiedRows {
    let resource: ResourceDefinition
    private let columns: [String]
    /// SELECTs of the rows that meet a condition on row `r`, in the order of origin and key.
    private let listing: (String) -> String
    private let arguments: [String: (any DatabaseValueConvertible)?]
    /// In which time they lie.
    private let time: String

    /// The same for every resource of which there may be rows, in the order of the policy.
    static func all(
        of policy: LinkPolicy, at node: NodeID, _ scope: VerificationScope, tables: [ResourceName: ResourceTable],
        _ visibility: Visibility, _ db: Database
    ) throws -> [VerifiedRows] {
        if policy.sender == node {
            return try visibility.rows(grantedBy: policy, db).compactMap { rows in
                VerifiedRows(rows.resource, rows.columnNames, policy, scope, listing: rows.listing)
            }
        }
        return policy.resources.filter(policy.grants).compactMap { tables[$0] }.compactMap { table in
            let columns = policy.columns(of: table.definition).map(\.column.name)
            return VerifiedRows(table.definition, columns, policy, scope) {
                table.copies(of: columns, where: $0)
            }
        }
    }

    /// - Returns: nil when the resource is not wanted, or rows of a time are and those of the resource can't be told by theirs.
    private init?(
        _ resource: ResourceDefinition, _ columns: [String], _ policy: LinkPolicy, _ scope: VerificationScope,
        listing: @escaping (String) -> String
    ) {
        guard scope.resource ?? resource.name == resource.name else { return nil }
        self.resource = resource
        self.columns = columns
        self.listing = listing
        if let from = scope.from, let to = scope.to {
            let treatments = policy.grant.treatments[resource.name] ?? [:]
            guard let column = resource.timeColumn, treatments[column] ?? .keep == .keep else { return nil }
            time = " AND r.\(quoted(column)) >= \(from) AND r.\(quoted(column)) < \(to)"
        } else {
            time = ""
        }
        let origins = scope.origin.map { policy.origins.intersection([$0]) } ?? policy.origins
        arguments = ["origins": jsonArray(origins), "behind": jsonArray(policy.nodesBehind)]
    }

    /// Reads all of them, in the order of origin and key.
    func forEach(_ db: Database, _ body: (_ origin: String, _ key: String, RowDigest) -> Void) throws {
        try read("+r.origin IN (SELECT value FROM json_each(:origins))", arguments, db) { origin, key, digest in
            body(origin, key, digest)
            return true
        }
    }

    fileprivate func forEach(in range: KeyRange, _ db: Database, _ body: (_ key: String, RowDigest) -> Bool) throws {
        var arguments = arguments
        arguments["origin"] = range.origin.code
        arguments["key"] = range.after ?? ""
        arguments.updateValue(range.through, forKey: "through")
        // A blob is greater than every text (https://sqlite.org/datatype3.html, 4.1).
        let isIn = """
            r.origin = :origin AND r."key" > :key AND r."key" <= ifnull(:through, x'')
              AND r.origin IN (SELECT value FROM json_each(:origins))
            """
        try read(isIn, arguments, db) { _, key, digest in body(key, digest) }
    }

    private func read(
        _ condition: String, _ arguments: [String: (any DatabaseValueConvertible)?], _ db: Database,
        _ body: (_ origin: String, _ key: String, RowDigest) -> Bool
    ) throws {
        let statement = try db.cachedStatement(sql: listing(condition + time))
        statement.arguments = StatementArguments(arguments)
        let raw = statement.sqliteStatement
        defer { sqlite3_reset(raw) }
        var digester = RowDigester(columns)
        while true {
            switch sqlite3_step(raw) {
            case SQLITE_ROW:
                let (origin, key) = (sqlite3_column_text(raw, 0), sqlite3_column_text(raw, 1))
                guard let origin, let key else { continue }
                let digest = try digester.digest(raw, db)
                if !body(String(cString: origin), String(cString: key), digest) { return }
            case SQLITE_DONE: return
            case let code:
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "reading rows of \(resource.name)")
            }
        }
    }
}

extension [VerifiedRows] {
    /// Reads the rows of a range, in the order of their keys, until `body` says that it has enough; none where they are not compared.
    func forEach(in range: KeyRange, _ db: Database, _ body: (_ key: String, RowDigest) -> Bool) throws {
        try first { $0.resource.name == range.resource }?.forEach(in: range, db, body)
    }
}

extension ResourceTable {
    /// Live copies of neighbours, with some of their columns.
    fileprivate func copies(of columns: [String], where condition: String) -> String {
        let selected = (["origin", "key", "version", "deleted"] + columns + [Self.carried]).map { "r.\(quoted($0))" }
        return """
            SELECT \(selected.joined(separator: ", ")) FROM main.\(table) AS r
            WHERE r.deleted = \(RowState.live.rawValue) AND r.supplier <> 0 AND \(condition)
            ORDER BY r.origin, r."key"
            """
    }
}
