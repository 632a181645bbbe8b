import FederationModel
import GRDB

/// What intake has to know of removals: a deletion wins over a later repetition of the same records, and what is added to
/// a recalled ticket leaves as little as the rest of it.
enum RemovedRecords {
    /// Why rows of a batch are not stored, by their place in it.
    static func refusals(of rows: [[IntakeRecord]], node: NodeID, _ db: Database) throws -> [Int: RowRejection] {
        guard try isAny(.delete, db) else { return [:] }
        var tickets: Set<ExactText> = []
        var calls: [ResourceName: Set<ExactText>] = [:]
        for record in rows.lazy.joined() {
            if let ticket = record.fields["global_id"]?.text { tickets.insert(ExactText(ticket)) }
            if isOfCall(record) { calls[record.resource, default: []].insert(ExactText(record.key)) }
            if let linked = record.fields["linked_request"]?.text {
                calls[BuiltInResources.serviceRequest.name, default: []].insert(ExactText(linked))
            }
        }
        let deleted = try exactTexts(
            db.cachedStatement(
                sql: """
                    SELECT global_id FROM main.removed_ticket
                    WHERE kind = 'delete' AND global_id IN (SELECT value FROM json_each(?))
                    """), arguments: [json(tickets)])
        let deletedKeys = try calls.reduce(into: [ResourceName: Set<ExactText>]()) { found, group in
            found[group.key] = try exactTexts(
                db.cachedStatement(
                    sql: """
                        SELECT x."key" FROM main.removed_row AS x
                        JOIN main.removal_order AS o ON o.origin = ?1 AND o."key" = x.removal
                        WHERE x.resource = ?2 AND o.kind = 'delete' AND x."key" IN (SELECT value FROM json_each(?3))
                        """), arguments: [node.code, group.key.text, json(group.value)])
        }
        func isDeleted(_ record: IntakeRecord) -> Bool {
            if let ticket = record.fields["global_id"]?.text, deleted.contains(ExactText(ticket)) { return true }
            if deletedKeys[record.resource]?.contains(ExactText(record.key)) == true && isOfCall(record) { return true }
            return record.fields["linked_request"]?.text.map {
                deletedKeys[BuiltInResources.serviceRequest.name]?.contains(ExactText($0)) == true
            } ?? false
        }
        var refusals: [Int: RowRejection] = [:]
        for (index, row) in rows.enumerated() where row.contains(where: isDeleted) { refusals[index] = .deleted }
        return refusals
    }

    /// Hides the rows that intake has just written behind `base` on tickets that are recalled.
    static func hide(_ table: ResourceTable, after base: Seq, _ db: Database) throws {
        guard RemovalResources.covers(table.definition), try isAny(.recall, db) else { return }
        let joins =
            switch table.definition.name {
            case "call_record": [hidden("service_request", by: "linked_request")]
            case "recording": [hidden("call_record", by: "call_id")]
            default: ["main.removed_ticket AS x ON x.global_id = r.global_id AND x.kind = 'recall'"]
            }
        for join in joins {
            try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO main.removed_row
                    SELECT '\(table.definition.name)', r."key", x.removal, \(RemovedRowState.neverSent.rawValue)
                    FROM main.\(table.table) AS r JOIN \(join) WHERE r.seq > ? AND r.supplier = 0
                    """
            ).execute(arguments: [base])
        }
    }

    private static func hidden(_ resource: String, by column: String) -> String {
        """
        main.removed_row AS x ON x.resource = '\(resource)' AND x."key" = r.\(column)
          AND x.state >= \(RemovedRowState.withdrawn.rawValue)
        """
    }

    private static func isAny(_ kind: RemovalKind, _ db: Database) throws -> Bool {
        try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.removed_ticket WHERE kind = ?)").fetchInteger([
            kind.rawValue
        ]) == 1
    }

    private static func isOfCall(_ record: IntakeRecord) -> Bool {
        record.resource == "call_record" || record.resource == "recording"
    }

    private static func json(_ texts: Set<ExactText>) -> String { jsonArray(texts.map(\.text)) }

    private static func exactTexts(_ statement: Statement, arguments: StatementArguments) throws -> Set<ExactText> {
        Set(try String.fetchAll(statement, arguments: arguments).map { ExactText($0) })
    }
}

extension RowRejection {
    fileprivate static let deleted = RowRejection(
        code: "E_RECORD_DELETED", reason: "the ticket of this record was deleted at this node",
        hint: "a deletion is final: take the matter in as a new ticket if it goes on")

    /// Orders and confirmations are written by the node itself: from outside they would be claims.
    package static func removal(_ resource: ResourceName) -> RowRejection {
        RowRejection(
            code: "E_REMOVAL_RECORD", reason: "\(resource) is written by the node itself",
            hint: "use `federation-node ticket delete` or `ticket recall`")
    }
}
