import ChangeSetFormat
import FederationModel

/// What a link grants of one resource, as SQL: the row filter is the WHERE of the change-set's SELECT and the field
/// treatment its column list. So what is not granted is not even read.
struct GrantedRows: Sendable {
    let resource: ResourceDefinition
    private let table: String
    private let columns: [(column: ColumnDefinition, treatment: FieldTreatment)]
    private let filter: GrantFilter
    /// What a row has in columns that this node does not know. Where a field is held back nobody can say what else should
    /// be, so all of them are.
    private let carried: String
    private let isRemovable: Bool

    init(_ table: ResourceTable, policy: LinkPolicy) {
        resource = table.definition
        self.table = table.table
        columns = policy.columns(of: resource)
        carried = policy.grant.treatments[resource.name]?.isEmpty == false ? "NULL" : "r.\(ResourceTable.carried)"
        isRemovable = RemovalResources.covers(resource)
        filter = resource.isOfTicket ? policy.grant.tickets : GrantFilter()
    }

    /// An empty block with the columns that `tail` and `bucket` select.
    func block(_ kind: BlockKind) -> BlockWriter {
        BlockWriter(resource: resource.name, columns: columns.map(\.column), kind: kind)
    }

    // MARK: - SELECTs

    /// What changed in (?1, ?2]. ?3 the origins as a JSON array. The plus keeps the planner on the index of seq: to it, one
    /// origin looks like fewer rows than a range.
    ///
    /// Without a filter, rows that went away are told as such. With one, only those of whom the scope log says that they
    /// were granted before (design rule 3), so that no key is told of a row that never was.
    ///
    /// What this node recalled is known from the log as well, since its rows stay here.
    var tail: String {
        let changed = """
            SELECT \(selected) FROM main.\(table) AS r
            WHERE r.seq > ?1 AND r.seq <= ?2 AND +r.origin IN (SELECT value FROM json_each(?3))\(isOnItsWay)
            """
        guard isRemovable else { return changed }
        let isTold = filter.isEmpty ? "NOT \(isHidden(from: .withdrawn))" : isGranted
        let isGone = filter.isEmpty ? isHidden(from: .withdrawn) : "NOT (\(isGranted))"
        let wasGranted = filter.isEmpty ? "" : " AND \(Self.sql(filter, of: "l"))"
        return """
            \(changed) AND \(isTold)
            UNION ALL
            SELECT \(keyOnly) FROM (
              SELECT DISTINCT l.origin, l."key" FROM main.scope_log AS l
              WHERE l.seq > ?1 AND l.seq <= ?2 AND l.resource = '\(resource.name)'
                AND +l.origin IN (SELECT value FROM json_each(?3))\(wasGranted)) AS gone
            JOIN main.\(table) AS r ON r.origin = gone.origin AND r."key" = gone."key"
            WHERE \(isGone) AND NOT \(isHidden(from: .neverSeen))
            """
    }

    /// The next granted rows behind (?1, ?2), in the order of the key. ?3 the origins, ?4 how many at most. With the plus
    /// the search begins at the key, not at the origin's first row.
    var bucket: String {
        """
        SELECT \(selected) FROM main.\(table) AS r
        WHERE (r.origin, r."key") > (?1, ?2) AND \(isGranted)
          AND +r.origin IN (SELECT value FROM json_each(?3))\(isOnItsWay)
        ORDER BY r.origin, r."key" LIMIT ?4
        """
    }

    // MARK: - The parts of them

    /// Whether row `r` is live and granted: a ticket by its own columns, a record of its thread if the ticket is that it
    /// belongs to. A record whose ticket is not here is not granted yet; it is touched when the ticket comes.
    var isGranted: String {
        var live = "r.deleted = \(RowState.live.rawValue)"
        if isRemovable { live += " AND NOT \(isHidden(from: .withdrawn))" }
        if filter.isEmpty { return "(\(live))" }
        guard resource.isThreadRecord else { return "(\(live) AND \(Self.sql(filter, of: "r")))" }
        return """
            (\(live) AND EXISTS (SELECT 1 FROM main.service_request AS t
              WHERE t.global_id = r.global_id AND t.deleted = \(RowState.live.rawValue) AND \(Self.sql(filter, of: "t"))))
            """
    }

    /// Whether row `r` is one of this node's own that it has taken out of everybody's sight.
    private func isHidden(from sight: RowSight) -> String {
        """
        (r.supplier = 0 AND EXISTS (SELECT 1 FROM main.removed_row AS x
          WHERE x.resource = '\(resource.name)' AND x."key" = r."key" AND x.sight >= \(sight.rawValue)))
        """
    }

    /// A confirmation travels towards the node whose order it answers: to a receiver that does not get that node's rows
    /// from here.
    private var isOnItsWay: String {
        guard resource.name == RemovalResources.confirmation.name else { return "" }
        return " AND r.removal_origin NOT IN (SELECT value FROM json_each(?3))"
    }

    private var selected: String {
        let fields = columns.map { column, treatment in
            let name = "r.\(quoted(column.name))"
            return switch treatment {
            case .mask: "\(TreatmentFunctions.name(of: .of(column: column.name)))(\(name))"
            case .token: "\(TreatmentFunctions.token)(\(name))"
            case .keep, .drop: name
            }
        }
        return (["r.origin", "r.\"key\"", "r.version", "r.deleted"] + fields + [carried]).joined(separator: ", ")
    }

    /// A row that left the receiver's sight: its key, and whether its origin deleted it.
    private var keyOnly: String {
        let isDeleted = "r.deleted = \(RowState.deleted.rawValue)"
        let state = """
            CASE WHEN \(isDeleted) THEN r.version ELSE 0 END,
            CASE WHEN \(isDeleted) THEN r.deleted ELSE \(RowState.retracted.rawValue) END
            """
        return (["r.origin", "r.\"key\"", state] + columns.map { _ in "NULL" } + ["NULL"]).joined(separator: ", ")
    }

    /// `filter` over the columns of `row`: a ticket, or its former look in the scope log. Never NULL.
    private static func sql(_ filter: GrantFilter, of row: String) -> String {
        func begins(_ column: String, _ beginnings: [String]) -> String {
            beginnings.map { beginning in
                let end = successor(of: beginning).map { " AND \(row).\(column) < \(literal($0))" } ?? ""
                return "(\(row).\(column) >= \(literal(beginning))\(end))"
            }.joined(separator: " OR ")
        }
        var conditions: [String] = []
        if !filter.regions.isEmpty {
            conditions.append(begins("region_code", filter.regions.map { RegionRange($0).prefix }))
        }
        if !filter.serviceCodes.isEmpty { conditions.append(begins("service_code", filter.serviceCodes)) }
        if !filter.requestTypes.isEmpty {
            conditions.append("\(row).request_type IN (\(filter.requestTypes.map(literal).joined(separator: ", ")))")
        }
        if let confidential = filter.confidential {
            conditions.append("coalesce(\(row).confidential, 'none') \(confidential ? "<>" : "=") 'none'")
        }
        if let from = filter.from { conditions.append("\(row).requested_datetime >= \(from)") }
        return "(\(conditions.map { "coalesce((\($0)), 0)" }.joined(separator: " AND ")))"
    }

    /// The first text behind all that begin with `beginning`, in SQLite's order of bytes, which is that of scalars; nil when
    /// there is none. A range costs a comparison where `substr` makes a text for each row.
    private static func successor(of beginning: String) -> String? {
        var scalars = Array(beginning.unicodeScalars)
        while let last = scalars.popLast() {
            // The surrogates are no scalars.
            if let next = Unicode.Scalar(last.value == 0xd7ff ? 0xe000 : last.value + 1) {
                scalars.append(next)
                return String(String.UnicodeScalarView(scalars))
            }
        }
        return nil
    }

    private static func literal(_ text: String) -> String {
        "'\(String(text.flatMap { $0 == "'" ? ["'", "'"] : [$0] }))'"
    }
}

extension ResourceDefinition {
    /// Whether its rows are tickets or records of a ticket's thread.
    var isOfTicket: Bool { name == BuiltInResources.serviceRequest.name || isThreadRecord }
}
