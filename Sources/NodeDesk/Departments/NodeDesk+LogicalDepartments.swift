import FederationModel
import LocalStore
import LogicalQuery

/// A page of what logical children give of a department's tickets: rows as their links grant them, in the order of node and key. Nobody notes
/// here when one of them changes, so there is no cursor of changes.
package struct LogicalDepartmentPage: Encodable, Sendable {
    package struct Item: Encodable, Sendable {
        package let ticket: String
        package let node: String
        /// `service_request`, or `assignment` for a unit.
        package let resource: String
        package let fields: [String: FieldValue]
    }

    package struct Node: Encodable, Sendable {
        package let node: String
        package let name: String
        /// `ok`; `denied` where its link grants no rows; else why there is nothing of it now.
        package let state: String
        package let code: String?
    }

    package let items: [Item]
    /// The row to go on from, `NODE/KEY`; nil when this page is the last.
    package let next: String?
    /// All logical nodes below, also those of which nothing is here.
    package let nodes: [Node]
}

extension NodeDesk {
    /// Tickets of a department that logical children hold (逻辑接入): asked for, masked and not stored.
    ///
    /// - Parameters:
    ///   - row: `next` of the page before; nil for the first.
    ///   - limit: at most so many, 1 to 500.
    /// - Throws: `E_INBOX_LIMIT`; what asking throws.
    package func logicalDepartmentTickets(
        _ department: Department, after row: String?, limit: Int, deadlineMS: Int64 = 10_000
    ) async throws -> LogicalDepartmentPage {
        try await perform(.readDepartment) { now in
            guard (1...500).contains(limit), row.map({ Self.rowKey($0) != nil }) ?? true else {
                throw FederationError(
                    "E_INBOX_LIMIT", "a page of logical nodes has 1 to 500 rows, and goes on behind a row NODE/KEY")
            }
            let origins = try logicalOrigins()
            guard !origins.isEmpty else { return LogicalDepartmentPage(items: [], next: nil, nodes: []) }
            let (resource, filter): (ResourceDefinition, RowQuery.Filter) =
                switch department {
                case .unit(let unit):
                    (BuiltInResources.assignment, try RowQuery.Filter("assignee_unit", .equals, names(of: unit)))
                case .category(let category):
                    (BuiltInResources.serviceRequest, try RowQuery.Filter("service_code", .hasPrefix, [category]))
                }
            let query = try RowQuery(
                resource.name, filters: [filter], limit: limit, after: row.flatMap(Self.rowKey))
            let (plan, answer) = try await withView {
                try await $0.rows(query, wanted: origins, deadlineMS: deadlineMS, now: now)
            }
            let coverage = Coverage(plan: plan, topology: topology, reports: answer.nodes)
            return LogicalDepartmentPage(
                items: answer.rows.compactMap { LogicalDepartmentPage.Item($0, of: query, for: department) },
                next: answer.next.map { "\($0.origin)/\($0.key)" },
                nodes: coverage.nodes.map {
                    .init(node: $0.node.code, name: $0.name, state: $0.state.rawValue, code: $0.code)
                })
        }
    }

    /// The nodes below whose tickets are not copied here.
    package func logicalOrigins() throws -> [NodeID] {
        try QueryPlan(
            topology: topology, node: id, resources: [BuiltInResources.serviceRequest.name],
            wanted: topology.origins(under: id)
        ).delegated.values.flatMap(\.self).sorted()
    }

    private static func rowKey(_ text: String) -> RowKey? {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        return parts.count == 2 ? RowKey(origin: parts[0], key: parts[1]) : nil
    }
}

extension LogicalDepartmentPage.Item {
    /// Nil for a category whose code only begins alike, and for a row whose ticket is not told.
    fileprivate init?(_ row: RowAnswer.Row, of query: RowQuery, for department: Department) {
        var fields: [String: FieldValue] = [:]
        for (column, cell) in zip(query.columns, row.cells) where !cell.isNull { fields[column.name] = cell }
        guard let ticket = fields.removeValue(forKey: "global_id")?.text else { return nil }
        if case .category(let category) = department, let code = fields["service_code"]?.text, code != category,
            !code.hasPrefix("\(category).")
        {
            return nil
        }
        // Masked already; in confidence nothing at all tells who it is.
        if ![nil, "none"].contains(fields["confidential"]?.text) {
            fields = fields.filter { !$0.key.hasPrefix("reporter_") }
        }
        self.init(ticket: ticket, node: row.id.origin, resource: query.resource.name.text, fields: fields)
    }
}
