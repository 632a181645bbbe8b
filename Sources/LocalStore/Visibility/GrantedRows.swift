import ChangeSetFormat
import FederationModel

/// What a link grants of one resource, as SQL: the row filter is the WHERE of the change-set's SELECT and the field
/// treatment its column list. So what is not granted is not even read.
///
/// A resource is granted whole, or as far as the link's filter goes, or not at all; in the last two cases the records of
/// tickets that somebody behind the link must see come to it (the *audience*, design rule 4).
struct GrantedRows: Sendable {
    let resource: ResourceDefinition
    private let table: ResourceTable
    private let columns: [(column: ColumnDefinition, treatment: FieldTreatment)]
    /// Whether its rows are granted but for the filter.
    private let isWhole: Bool
    private let filter: GrantFilter
    /// The receiver, if tickets here have named it: reports that accuse it stay here.
    private let receiver: RespondentNodes.Entry?
    /// Whether rows are granted by their ticket's audience.
    private let hasAudience: Bool
    /// What a row has in columns that this node does not know. Where a field is held back nobody can say what else should
    /// be, so all of them are.
    private let carried: String
    /// Whether its rows belong to tickets, calls and recordings among them, so that this node may have recalled some.
    private let isRemovable: Bool

    init(_ table: ResourceTable, policy: LinkPolicy, _ conditions: Conditions) {
        resource = table.definition
        self.table = table
        columns = policy.columns(of: resource)
        carried = policy.grant.treatments[resource.name]?.isEmpty == false ? "NULL" : "r.\(ResourceTable.carried)"
        isRemovable = RemovalResources.covers(resource)
        isWhole = policy.wholeResources.contains(resource.name)
        filter = resource.isTicketRecord ? policy.grant.tickets : GrantFilter()
        receiver = isRemovable ? conditions.receiver : nil
        hasAudience = conditions.isShared && resource.thread != nil && !(isWhole && filter.isEmpty)
    }

    /// What rows need not be asked at most nodes.
    struct Conditions {
        /// Whether any ticket of this node has an audience.
        let isShared: Bool
        /// The receiver, if tickets have named it.
        let receiver: RespondentNodes.Entry?
    }

    /// Of all resources that `policy` grants, those of which there may be rows here.
    static func all(
        of policy: LinkPolicy, tables: [ResourceName: ResourceTable], _ conditions: Conditions
    ) -> [GrantedRows] {
        policy.resources.filter(policy.grants).compactMap { tables[$0] }
            .map { GrantedRows($0, policy: policy, conditions) }.filter {
                $0.isWhole || $0.hasAudience || $0.isOrder
            }
    }

    /// An empty block with the columns that `tail` and `bucket` select.
    func block(_ kind: BlockKind) -> BlockWriter {
        BlockWriter(resource: resource.name, columns: columns.map(\.column), kind: kind)
    }

    // MARK: - SELECTs

    /// Where the seqs of `tail` come from, each behind :after.
    var seqs: [String] {
        if isEverything || isOrder { return [table.seqs] + (isRemovable ? [ScopeLog.seqs] : []) }
        return [isWhole ? table.seqs : ResourceTable.sharedSeqs, ScopeLog.seqs]
    }

    /// The seqs behind :after of everything that a link has to look at.
    static func feed(of granted: [GrantedRows]) -> String {
        Set(granted.flatMap(\.seqs)).sorted().joined(separator: " UNION ALL ")
    }

    /// What changed in (:after, :upto]. :origins and :behind (`LinkPolicy.nodesBehind`) are JSON arrays. The plus keeps the
    /// planner on the index of seq: to it, one origin looks like fewer rows than a range.
    ///
    /// Without a condition, rows that went away are sent as such. With one, only those of which the scope log says that they
    /// were granted before (design rule 3), so that no key is sent of a row that never was. What this node recalled is known
    /// from the log as well, since its rows stay here.
    var tail: String {
        func within(_ row: String) -> String {
            "\(row).seq > :after AND \(row).seq <= :upto"
        }
        let origins = "IN (SELECT value FROM json_each(:origins))"
        func gone(_ condition: String) -> String {
            """
            SELECT \(keyOnly) FROM (
              SELECT DISTINCT l.origin, l."key" FROM main.scope_log AS l
              WHERE \(within("l")) AND l.resource = '\(resource.name)' AND +l.origin \(origins) AND \(wasGranted)) AS gone
            JOIN main.\(table.table) AS r ON r.origin = gone.origin AND r."key" = gone."key"
            WHERE \(condition)\(isRemovable ? " AND NOT \(isHidden(from: .neverSent))" : "")
            """
        }
        if isEverything || isOrder {
            let all = """
                SELECT \(selected) FROM main.\(table.table) AS r
                WHERE \(within("r")) AND +r.origin \(origins)\(isOnItsWay)
                """
            guard isRemovable else { return all }
            let hidden = isHidden(from: .withdrawn)
            return "\(all) AND NOT \(hidden) UNION ALL \(gone(hidden))"
        }
        // Records of shared tickets have a feed of their own: a link that grants nothing else does not look at the others.
        let changed =
            isWhole
            ? "main.\(table.table) AS r WHERE \(within("r"))"
            : """
            main.ticket_share AS s CROSS JOIN main.\(table.table) AS r ON r.id = s.row AND r.seq = s.seq
            WHERE \(within("s")) AND +s.resource = '\(resource.name)'
            """
        var parts = [
            "SELECT \(selected) FROM \(changed) AND +r.origin \(origins) AND \(isGranted())",
            gone("NOT (\(isGranted()))"),
        ]
        if isWhole && filter.isEmpty, let receiver {
            // Until a ticket named the receiver everything was granted and nothing logged.
            parts.append(
                """
                SELECT \(keyOnly) FROM main.\(table.table) AS r
                WHERE \(within("r")) AND r.seq <= \(receiver.since) AND NOT \(Self.isLive) AND +r.origin \(origins)
                """)
        }
        return parts.joined(separator: " UNION ALL ")
    }

    /// The next granted rows behind (:origin, :key), in the order of the key, :limit at most. With the plus the search begins
    /// at the key, not at the origin's first row.
    ///
    /// What is granted by audience alone is found by its tickets, as there may be little of it in a large table.
    var bucket: String {
        """
        \(listing) AND (r.origin, r."key") > (:origin, :key) AND +r.origin IN (SELECT value FROM json_each(:origins))
        ORDER BY r.origin, r."key" LIMIT :limit
        """
    }

    /// All that a sweep would list of what meets `condition` on row `r`.
    func listing(where condition: String) -> String { "\(listing) AND \(condition) ORDER BY r.origin, r.\"key\"" }

    /// The columns of a listing behind the envelope, before `carried`.
    var columnNames: [String] { columns.map(\.column.name) }

    private var listing: String {
        let source =
            isWhole || isOrder
            ? "main.\(table.table) AS r"
            : """
            (SELECT DISTINCT global_id FROM main.ticket_audience WHERE node \(Self.isBehind(":behind"))) AS shared
            CROSS JOIN main.\(table.table) AS r ON \(table.isOf("shared.global_id"))
            """
        return """
            SELECT \(selected) FROM \(source)
            WHERE \(isWhole ? isGranted() : isOrder ? isHere : "\(isHere) AND \(isShared)\(unlessAccusing)")\(isOnItsWay)
            """
    }

    // MARK: - The parts of them

    /// Whether row `r` is live and not recalled.
    private var isHere: String {
        isRemovable ? "(\(Self.isLive) AND NOT \(Self.isHidden(resource, from: .withdrawn)))" : Self.isLive
    }

    private func isHidden(from state: RemovedRowState) -> String { Self.isHidden(resource, from: state) }

    /// Whether row `r` is one of this node's own that it has taken back from everybody.
    fileprivate static func isHidden(_ resource: ResourceDefinition, from state: RemovedRowState) -> String {
        """
        (r.supplier = 0 AND EXISTS (SELECT 1 FROM main.removed_row AS x
          WHERE x.resource = '\(resource.name)' AND x."key" = r."key" AND x.state >= \(state.rawValue)))
        """
    }

    private var isOrder: Bool { resource.name == RemovalResources.order.name }

    /// What decides over rows of removals, which have no filter. A confirmation travels towards the node whose order it
    /// answers: to a receiver that does not get that node's rows from here. An order leaves once `RemovalConsumer` has passed
    /// it on, and where the mode does not copy records, to whom had to see them.
    private var isOnItsWay: String {
        if resource.name == RemovalResources.confirmation.name {
            return " AND r.removal_origin NOT IN (SELECT value FROM json_each(:origins))"
        }
        guard isOrder else { return "" }
        let isPassed = " AND EXISTS (SELECT 1 FROM main.removal_passed AS p WHERE p.id = r.id AND p.seq = r.seq)"
        if isWhole { return isPassed }
        return isPassed + """
             AND EXISTS (SELECT 1 FROM json_each(:behind) AS b
              WHERE instr(' ' || r.audience || ' ', ' ' || b.value || ' ') > 0)
            """
    }

    private static let isLive = "r.deleted = \(RowState.live.rawValue)"

    private static func isBehind(_ nodes: String) -> String { "IN (SELECT value FROM json_each(\(nodes)))" }

    /// Whether every row is granted.
    private var isEverything: Bool { isWhole && filter.isEmpty && receiver == nil }

    /// Whether row `r` is live and granted: a ticket by its own columns, a record of its thread if the ticket is that it
    /// belongs to. A record whose ticket is not here is not granted to a filter yet; it gets a new seq when the ticket comes. What
    /// accuses the receiver is granted by nothing.
    ///
    /// - Parameter behind: the nodes behind the link, as SQL that gives a JSON array.
    func isGranted(behind: String = ":behind") -> String {
        if isEverything { return isHere }
        var grounds: [String] = []
        if isWhole { grounds.append(filter.isEmpty ? "1" : Self.passes(filter, resource)) }
        if hasAudience {
            grounds.append(
                """
                (\(isShared) AND EXISTS (SELECT 1 FROM main.ticket_audience AS a
                  WHERE a.global_id = \(table.threadID(of: "r")) AND +a.node \(Self.isBehind(behind))))
                """)
        }
        return "(\(isHere) AND (\(grounds.isEmpty ? "0" : grounds.joined(separator: " OR ")))\(unlessAccusing))"
    }

    /// Whether the consumer of audiences has come to row `r`. Before, the audience that is known may be one without it, and nobody would
    /// take the row back: what is logged of an audience is about rows that were shared.
    private var isShared: String {
        "EXISTS (SELECT 1 FROM main.ticket_share AS s WHERE s.resource = '\(resource.name)' AND s.row = r.id)"
    }

    private var unlessAccusing: String {
        receiver.map { " AND NOT \(Self.accuses($0.node, $0.names, resource))" } ?? ""
    }

    /// Whether entry `l` of the scope log says that its row was granted: by what the filter saw, or to a node.
    private var wasGranted: String {
        let toNode = "l.node \(Self.isBehind(":behind"))"
        guard isWhole else { return toNode }
        var conditions: [String] = []
        if !filter.isEmpty { conditions += ["l.request_type IS NOT NULL", Self.sql(filter, of: "l")] }
        if let receiver {
            let isNamed = "instr(l.respondents, ' \(receiver.node) ') > 0"
            conditions.append("NOT coalesce(\(Self.isReport("l")) AND \(isNamed), 0)")
        }
        if conditions.isEmpty { return "l.node IS NULL" }
        // Nobody is in an audience whom the ticket accuses.
        return "CASE WHEN l.node IS NULL THEN \(conditions.joined(separator: " AND ")) ELSE \(toNode) END"
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

    /// A row that is no longer granted: its key, and whether its origin deleted it.
    private var keyOnly: String {
        let isDeleted = "r.deleted = \(RowState.deleted.rawValue)"
        let state = """
            CASE WHEN \(isDeleted) THEN r.version ELSE 0 END,
            CASE WHEN \(isDeleted) THEN r.deleted ELSE \(RowState.retracted.rawValue) END
            """
        return (["r.origin", "r.\"key\"", state] + columns.map { _ in "NULL" } + ["NULL"]).joined(separator: ", ")
    }

    /// `filter` over the columns of `row`: a ticket, or its former image in the scope log. Never NULL.
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
        if !filter.units.isEmpty {
            conditions.append(
                "\(row).agency_responsible IN (\(filter.units.map(literal).joined(separator: ", ")))")
        }
        if let confidential = filter.confidential {
            conditions.append(
                "coalesce(\(row).confidentiality, \(row).confidential, 'none') \(confidential ? "<>" : "=") 'none'")
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

// MARK: - Reports and whom they accuse

extension GrantedRows {
    /// Whether row `r` of `resource` belongs to a report that accuses `node`, which may be named so, and did not take it in
    /// itself (`Accusation`).
    static func accuses(_ node: NodeID, _ names: [String], _ resource: ResourceDefinition) -> String {
        func isAccusing(_ row: String) -> String {
            """
            \(row).respondent_name IN (\(names.map(literal).joined(separator: ", "))) AND \(row).origin <> '\(node)'
              AND \(isReport(row))
            """
        }
        if resource.name == BuiltInResources.serviceRequest.name { return "coalesce(\(isAccusing("r")), 0)" }
        return "EXISTS (\(TicketFollower.requests(of: "r", resource, where: isAccusing("t"))))"
    }

    private static func isReport(_ row: String) -> String {
        """
        (\(row).request_type = '\(Accusation.reportType)'
          OR coalesce(\(row).confidentiality, \(row).confidential) = '\(Confidentiality.reporterProtected.rawValue)')
        """
    }
}

extension GrantedRows {
    /// Whether row `r` of `resource` is live and within `filter`, whatever its audience.
    ///
    /// - Parameter readers: the nodes to which it goes; then what was recalled, or accuses one of them, is not among them.
    static func isWithin(_ filter: GrantFilter, _ resource: ResourceDefinition, readers: [TopologyNode]) -> String {
        var conditions = [isLive]
        if !readers.isEmpty && RemovalResources.covers(resource) {
            conditions.append("NOT \(isHidden(resource, from: .withdrawn))")
        }
        for reader in readers where RemovalResources.covers(resource) {
            conditions.append("NOT \(accuses(reader.id, reader.respondentNames.sorted(), resource))")
        }
        if !filter.isEmpty && resource.isTicketRecord { conditions.append(passes(filter, resource)) }
        return "(\(conditions.joined(separator: " AND ")))"
    }

    fileprivate static func passes(_ filter: GrantFilter, _ resource: ResourceDefinition) -> String {
        guard resource.isThreadRecord else { return sql(filter, of: "r") }
        return """
            EXISTS (SELECT 1 FROM main.service_request AS t
              WHERE t.global_id = r.global_id AND t.deleted = \(RowState.live.rawValue) AND \(sql(filter, of: "t")))
            """
    }
}
