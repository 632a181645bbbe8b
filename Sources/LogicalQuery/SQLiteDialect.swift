import FederationModel

/// A statement with its values. Nothing that a person or a peer has sent is ever part of `sql`; it is bound. Region codes of
/// the reference data are part of it, as digits and nothing else.
package struct CompiledQuery: Hashable, Sendable {
    package let sql: String
    /// One for each `?`, in their order.
    package let arguments: [FieldValue]
    /// The first so many columns are the group's key, text or null; the others are integer sums.
    package let keyCount: Int
}

/// An analysis in SQLite's SQL (3.35 or later), over `service_request` and, only where it is needed, `ticket_state`.
package enum SQLiteDialect {
    /// The partial aggregation of `analysis` over the live tickets of `origins`: a row for each group.
    ///
    /// One group more than `PartialResult.groupsMax` ends the statement, so that adding it up fails instead of the node.
    ///
    /// - Parameter regions: by which codes of the past roll up; see ``RegionRollup``.
    package static func compile(
        _ analysis: Analysis, origins: [NodeID], regions: CodeList = ReferenceData.builtIn.regions
    ) -> CompiledQuery {
        let rollup = RegionRollup(regions, on: ShanghaiTime.dayNumber(analysis.regionsAsOf ?? analysis.asOf))
        var arguments: [FieldValue] = []
        var columns: [String] = []
        for (index, dimension) in analysis.dimensions.enumerated() {
            columns.append("\(label(dimension, rollup)) AS d\(index + 1)")
        }
        for measure in analysis.measures {
            for sum in sums(measure) {
                columns.append(sum.sql)
                arguments += Array(repeating: .integer(analysis.asOf), count: sum.asOfCount)
            }
        }
        var conditions = [originCondition(origins, &arguments)]
        if let from = analysis.from {
            conditions.append("t.requested_datetime >= ?")
            arguments.append(.integer(from))
        }
        if let to = analysis.to {
            conditions.append("t.requested_datetime < ?")
            arguments.append(.integer(to))
        }
        for filter in analysis.filters {
            conditions.append(condition(filter, rollup))
            arguments += filter.values.map { .text($0) }
        }
        var lines = [
            "SELECT " + columns.joined(separator: ",\n       "),
            "FROM service_request AS t",
        ]
        if analysis.needsTicketState { lines.append("LEFT JOIN ticket_state AS s ON s.global_id = t.global_id") }
        lines.append("WHERE " + conditions.joined(separator: "\n  AND "))
        if !analysis.dimensions.isEmpty {
            let keys = analysis.dimensions.enumerated().map { groupKey($1, rollup) ?? "d\($0 + 1)" }
            lines.append("GROUP BY " + keys.joined(separator: ", "))
        }
        lines.append("LIMIT \(PartialResult.groupsMax + 1)")
        return CompiledQuery(
            sql: lines.joined(separator: "\n"), arguments: arguments, keyCount: analysis.dimensions.count)
    }

    /// The number of live tickets of each of `origins`, for the coverage. An origin without tickets has no row.
    package static func rowsPerOrigin(_ origins: [NodeID]) -> CompiledQuery {
        var arguments: [FieldValue] = []
        let condition = originCondition(origins, &arguments)
        return CompiledQuery(
            sql: "SELECT t.origin, count(*)\nFROM service_request AS t\nWHERE \(condition)\nGROUP BY t.origin",
            arguments: arguments, keyCount: 1)
    }

    private static func originCondition(_ origins: [NodeID], _ arguments: inout [FieldValue]) -> String {
        arguments += origins.map { .text($0.code) }
        return "t.deleted = 0 AND t.origin IN (\(placeholders(origins.count)))"
    }

    private static func placeholders(_ count: Int) -> String {
        Array(repeating: "?", count: count).joined(separator: ", ")
    }

    // MARK: - Measures

    private static let isFinal =
        "s.status IN (\(TicketStatus.allCases.filter { !$0.isOpen }.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"

    /// Longest handling that is believed, ten years in milliseconds. A wrong clock must not spoil the mean, nor overflow
    /// the sum.
    private static let handlingMillisecondsMax = 315_576_000_000

    /// The sums of a measure. `asOfCount` is the number of placeholders for `asOf` in each.
    private static func sums(_ measure: Analysis.Measure) -> [(sql: String, asOfCount: Int)] {
        func count(_ condition: String, asOf: Int = 0) -> (sql: String, asOfCount: Int) {
            ("count(*) FILTER (WHERE \(condition))", asOf)
        }
        switch measure {
        case .count:
            return [("count(*)", 0)]
        case .closed:
            return [count(isFinal)]
        case .open:
            return [count("(\(isFinal)) IS NOT TRUE")]
        case .overdue:
            // Waiting for the callback is open by GeoReport's list, but the handling is over.
            return [count("(\(isFinal)) IS NOT TRUE AND s.status <> 'callback_pending' AND s.due_at < ?", asOf: 1)]
        case .onTimeRate:
            let due = "s.dispatched_at IS NOT NULL AND s.due_at <= ?"
            return [count("\(due) AND s.closed_at <= s.due_at", asOf: 1), count(due, asOf: 1)]
        case .satisfactionRate:
            return [count("s.score >= 3"), count("s.score IS NOT NULL")]
        case .meanHandlingHours:
            let span = "s.closed_at - s.dispatched_at"
            let believed = "\(span) BETWEEN 0 AND \(handlingMillisecondsMax)"
            return [("ifnull(sum(\(span)) FILTER (WHERE \(believed)), 0)", 0), count(believed)]
        }
    }

    // MARK: - Dimensions

    /// The day of Asia/Shanghai, counted from 1970-01-01.
    private static let day = "(t.requested_datetime / 1000 + 28800) / 86400"
    /// The ISO week, counted from the one of 1970-01-01, which was a Thursday.
    private static let week = "(\(day) + 3) / 7"

    /// The value of a dimension as text.
    private static func label(_ dimension: Analysis.Dimension, _ rollup: RegionRollup) -> String {
        switch dimension {
        case .origin: return "t.origin"
        case .region(nil): return "t.region_code"
        case .region(.province): return "substr(\(rollup.sql), 1, 2) || '0000'"
        case .region(.city): return "substr(\(rollup.sql), 1, 4) || '00'"
        case .region(.county): return "substr(\(rollup.sql), 1, 6)"
        case .region(.town): return "substr(\(rollup.sql), 1, 9)"
        case .service(nil): return "t.service_code"
        case .service(let levels?): return serviceCut(levels)
        case .requestType: return "t.request_type"
        case .channel: return "t.channel"
        case .urgency: return "t.urgency"
        case .handlingOwner: return "s.owner"
        case .unit: return "s.unit"
        case .status: return "s.status"
        case .day: return "strftime('%Y-%m-%d', t.requested_datetime / 1000 + 28800, 'unixepoch')"
        case .month: return "strftime('%Y-%m', t.requested_datetime / 1000 + 28800, 'unixepoch')"
        case .week:
            // A week has the year of its Thursday, and is that year's nth by the Thursday's day in the year.
            let thursday = "\(week) * 604800, 'unixepoch'"
            return "strftime('%Y', \(thursday)) || printf('-W%02d', (strftime('%j', \(thursday)) + 6) / 7)"
        }
    }

    /// What to group by where that is not the label. SQLite takes the label from any one row of the group
    /// (https://www.sqlite.org/lang_select.html#bareagg): computing it once a group and not once a row takes a third of
    /// the time for days and a quarter for weeks, measured on a million tickets.
    ///
    /// Groups of regions are rolled up when they are added up: several have one label then.
    private static func groupKey(_ dimension: Analysis.Dimension, _ rollup: RegionRollup) -> String? {
        switch dimension {
        case .region(.province), .region(.city), .region(.county):
            rollup.isEmpty ? nil : "substr(t.region_code, 1, 6)"
        case .region(.town): rollup.isEmpty ? nil : "substr(t.region_code, 1, 9)"
        case .day: day
        case .week: week
        default: nil
        }
    }

    /// The first `levels` parts of the code: up to the nth dot of the code with n dots added, so that a code with fewer
    /// parts stays whole.
    private static func serviceCut(_ levels: Int) -> String {
        let padded = "(t.service_code || '\(String(repeating: ".", count: levels))')"
        var dot = "instr(\(padded), '.')"
        for _ in 1..<levels { dot = "(\(dot) + instr(substr(\(padded), \(dot) + 1), '.'))" }
        return "substr(t.service_code, 1, \(dot) - 1)"
    }

    // MARK: - Filters

    /// The conditions of a row query on a row `r` of its resource, without origins and the place where the page begins.
    package static func conditions(_ query: RowQuery) -> (sql: [String], arguments: [FieldValue]) {
        var conditions: [String] = []
        var arguments: [FieldValue] = []
        for filter in query.filters where filter.field != RowQuery.Filter.origin {
            conditions.append(condition("r.\"\(filter.field)\"", filter.comparison, values: filter.values.count))
            let isText = query.resource.column(named: filter.field)?.type.storage == .text
            arguments += filter.values.map { isText ? .text($0) : Int64($0).map { .integer($0) } ?? .null }
        }
        for (limit, sign) in [(query.from, ">="), (query.to, "<")] {
            guard let limit, let column = query.resource.timeColumn else { continue }
            conditions.append("r.\"\(column)\" \(sign) ?")
            arguments.append(.integer(limit))
        }
        return (conditions, arguments)
    }

    private static func condition(_ filter: Analysis.Filter, _ rollup: RegionRollup) -> String {
        condition(label(filter.field, rollup), filter.comparison, values: filter.values.count)
    }

    private static func condition(_ value: String, _ comparison: FilterOperator, values count: Int) -> String {
        let list = placeholders(count)
        switch comparison {
        case .equals: return "\(value) IN (\(list))"
        case .notEquals: return "(\(value) IN (\(list))) IS NOT TRUE"
        case .hasPrefix:
            // Not a chain of OR: SQLite takes expressions of depth 1,000 (https://www.sqlite.org/limits.html, 6).
            let rows = Array(repeating: "(?)", count: count).joined(separator: ", ")
            return "EXISTS (SELECT 1 FROM (VALUES \(rows)) WHERE instr(\(value), column1) = 1)"
        }
    }
}
