import FederationModel

/// The declarations of one fact in SQLite's SQL. Requests are `t`, folded states `s`, the fact's own rows `r` unless they are the
/// requests, and records of another resource that are looked at `x`.
struct FactSQL {
    let fact: Fact
    private let period: String
    private let asOf: UnixMilliseconds
    private let rollup: RegionRollup
    /// What says who a person is, as far as it may be looked at.
    let person: [Fact.Source]
    /// The alias of the fact's own rows.
    let row: String
    /// Whether `s` is read for something else anyway: then it also says which tickets are merged.
    private var hasState = false

    init(_ fact: Fact, period: String, asOf: UnixMilliseconds, _ rollup: RegionRollup, _ grant: LinkGrant) {
        self.fact = fact
        person = fact.person(within: grant)
        self.period = period
        self.asOf = asOf
        self.rollup = rollup
        row = fact == .ticket ? "t" : "r"
    }

    func query(
        _ analysis: Analysis, base: Criterion, _ sums: [PartialLayout.Placed], _ states: [PartialLayout.Placed],
        _ origins: [NodeID]
    ) -> CompiledQuery {
        let labels: [SQLText] = analysis.dimensions.enumerated().map { "\(label($1)) AS d\($0 + 1)" }
        let columns = labels + sums.map { sum($0.aggregate) } + states.map { state($0.aggregate) }
        let what = columns.joined(",\n       ")
        let which = conditions(analysis, base, origins)
        if !hasState, readsState(" \(what.sql) \(which.sql)") {
            var sql = self
            sql.hasState = true
            return sql.query(analysis, base: base, sums, states, origins)
        }
        let tables = tables(in: " \(what.sql) \(which.sql)", isSpread: Self.isSpread(analysis))
        var text: SQLText = "SELECT \(what)\nFROM \(tables)\nWHERE \(which)"
        if !analysis.dimensions.isEmpty {
            let keys = analysis.dimensions.enumerated().map { groupKey($1) ?? "d\($0 + 1)" }
            text = "\(text)\nGROUP BY \(keys.joined(separator: ", "))"
        }
        return CompiledQuery(
            sql: text.sql + "\nLIMIT \(PartialResult.groupsMax + 1)", arguments: text.arguments,
            keyCount: analysis.dimensions.count, sums: sums.map(\.place), states: states.map(\.place),
            resource: fact.isThreadRecord ? BuiltInResources.serviceRequest.name : fact.resource)
    }

    /// The global ids of what an analysis of tickets counts.
    func ids(_ analysis: Analysis, base: Criterion, _ origins: [NodeID]) -> CompiledQuery {
        let which = conditions(analysis, base, origins)
        let tables = tables(in: which.sql, isSpread: Self.isSpread(analysis))
        return CompiledQuery(
            sql: "SELECT t.global_id\nFROM \(tables)\nWHERE \(which.sql)", arguments: which.arguments,
            keyCount: 1, sums: [], states: [], resource: fact.resource)
    }

    /// Which rows of `origins` an analysis is about.
    private func conditions(_ analysis: Analysis, _ base: Criterion, _ origins: [NodeID]) -> SQLText {
        var conditions = [live(origins, isSpread: Self.isSpread(analysis))]
        if let from = analysis.from { conditions.append("\(column(period)) >= \(.bound(.integer(from)))") }
        if let to = analysis.to { conditions.append("\(column(period)) < \(.bound(.integer(to)))") }
        if base != .always { conditions.append(condition(base)) }
        conditions += analysis.filters.map { SQLiteDialect.condition(label($0.field), $0.comparison, $0.values) }
        return conditions.joined("\n  AND ")
    }

    /// Whether a period selects rows.
    private static func isSpread(_ analysis: Analysis) -> Bool { analysis.from != nil || analysis.to != nil }

    /// The tables, the folded state only where it is looked at.
    ///
    /// A period is looked for where its time is, and the ticket is read of what lies in it alone. SQLite, which knows nothing of how many
    /// rows a period has, would as soon begin with all tickets: CROSS JOIN is its word for the order
    /// (https://www.sqlite.org/optoverview.html#crossjoin).
    private func tables(in text: String, isSpread: Bool) -> String {
        if isSpread, fact == .ticket, case .state = fact.columns[period]?.source {
            return "ticket_state AS s\nCROSS JOIN service_request AS t ON t.global_id = s.global_id"
        }
        var tables = "\(fact.resource) AS \(row)"
        if fact.isThreadRecord {
            var join = "JOIN"
            if isSpread, case .row = fact.columns[period]?.source { join = "CROSS JOIN" }
            tables += "\n\(join) service_request AS t ON t.global_id = r.global_id AND t.origin = r.ticket_origin"
        }
        if readsState(text) {
            tables += "\nLEFT JOIN ticket_state AS s ON s.global_id = t.global_id"
        }
        return tables
    }

    func readsState(_ text: String) -> Bool { text.contains(" s.") || text.contains("(s.") }

    /// A ticket's records count where the ticket counts: there the thread is whole.
    ///
    /// - Parameter isSpread: then no index of origins may select rows: it finds all those of a node, of all times.
    private func live(_ origins: [NodeID], isSpread: Bool) -> SQLText {
        let holder = fact.isThreadRecord ? "t" : row
        let places = origins.map { SQLText.bound(.text($0.code)) }.joined(", ")
        let record: SQLText =
            if fact.isThreadRecord {
                "r.deleted = 0 AND "
            } else {
                fact.dataset.map { "r.dataset = \(.bound(.text($0))) AND " } ?? ""
            }
        return "\(record)\(holder).deleted = 0 AND \(isSpread ? "+" : "")\(holder).origin IN (\(places))"
    }

    // MARK: - Declarations

    private func sum(_ aggregate: Aggregate) -> SQLText {
        guard let summed = aggregate.function.operand else { return filtered("count(*)", aggregate) }
        return "ifnull(\(filtered("sum(\(operand(summed)))", aggregate)), 0)"
    }

    private func state(_ aggregate: Aggregate) -> SQLText {
        typealias Function = SQLiteDialect.Function
        switch aggregate.function {
        case .least(let value): return filtered("min(\(operand(value)))", aggregate)
        case .greatest(let value): return filtered("max(\(operand(value)))", aggregate)
        case .quantile(_, let value): return filtered("\(Function.distribution)(\(operand(value)))", aggregate)
        case .persons:
            let columns = person.map { value(of: $0) }.joined(", ")
            return filtered("\(Function.distinct)(\(Function.personHash)(\(columns)))", aggregate)
        case .count, .sum: return sum(aggregate)
        }
    }

    private func filtered(_ sum: SQLText, _ aggregate: Aggregate) -> SQLText {
        aggregate.criterion == .always ? sum : "\(sum) FILTER (WHERE \(condition(aggregate.criterion)))"
    }

    private func condition(_ criterion: Criterion) -> SQLText {
        switch criterion {
        case .always: "1"
        case .all(let parts): "(\(parts.map(condition).joined(" AND ")))"
        case .any(let parts): "(\(parts.map(condition).joined(" OR ")))"
        // What is missing makes a comparison unknown to SQL, and false to a declaration.
        case .not(let part): "(\(condition(part))) IS NOT TRUE"
        case .compare(let left, let comparison, let right):
            "\(operand(left)) \(comparison.rawValue) \(operand(right))"
        case .isMissing(let value): "\(operand(value)) IS NULL"
        }
    }

    private func operand(_ operand: Operand) -> SQLText {
        switch operand {
        case .column(let name): column(name)
        case .text(let text): .bound(.text(text))
        case .number(let number): "\(number)"
        case .asOf: .bound(.integer(asOf))
        case .plus(let a, let b): "(\(self.operand(a)) + \(self.operand(b)))"
        case .minus(let a, let b): "(\(self.operand(a)) - \(self.operand(b)))"
        case .coalesce(let a, let b): "coalesce(\(self.operand(a)), \(self.operand(b)))"
        case .workingTime(let a, let b):
            "\(SQLiteDialect.Function.workingTime)(\(self.operand(a)), \(self.operand(b)))"
        }
    }

    private func column(_ name: String) -> SQLText {
        if name.hasPrefix("other.") { return "x.\(String(name.dropFirst(6)))" }
        return fact.columns[name].map { value(of: $0) } ?? "NULL"
    }

    func value(of column: Fact.Column) -> SQLText { value(of: column.source) }

    func value(of source: Fact.Source) -> SQLText {
        switch source {
        case .row(let name): "\(row).\(name)"
        case .request(let name): "t.\(name)"
        case .state(let name): "s.\(name)"
        case .category: "coalesce(s.category, t.service_code)"
        // A name of a data set's column is nothing but letters, digits and _.
        case .field(let name): "json_extract(\(row).fields, '$.\(name)')"
        case .merged where hasState: "(s.merge_target IS NOT NULL AND s.merged_into IS NOT NULL)"
        // Few are, and their index has them: that is far cheaper than the state of each ticket.
        case .merged:
            """
            (t.global_id IN (SELECT global_id FROM ticket_state WHERE merge_target IS NOT NULL AND merged_into IS NOT NULL))
            """
        // Marks are few, and have an index. At one node alone: so whoever holds the rows of an origin finds the same. Of the table itself:
        // one of what a link gives would be made for every row, and that somebody came again says nothing of that ticket.
        case .repeated:
            """
            (SELECT min(q.requested_datetime) FROM ticket_action AS x JOIN main.service_request AS q ON q.global_id = x.global_id \
            WHERE x.action = 'mark_repeat' AND x.target = t.global_id AND x.deleted = 0 AND q.deleted = 0 \
            AND q.origin = t.origin AND x.rowid = (SELECT u.rowid FROM ticket_action AS u \
            WHERE u.global_id = x.global_id AND u.deleted = 0 AND u.action IN ('mark_repeat', 'unmark_repeat') \
            ORDER BY u.occurred_at DESC, u.origin DESC, u."key" DESC LIMIT 1))
            """
        case .lookup(let lookup):
            """
            (SELECT \(picked(lookup)) FROM \(lookup.resource.text) AS x \
            WHERE x.global_id = \(row).global_id AND x.deleted = 0 AND \(condition(lookup.condition.criterion))\(order(lookup)))
            """
        }
    }

    private func picked(_ lookup: Fact.Lookup) -> SQLText {
        switch lookup.pick {
        case .least: "min(\(operand(lookup.value)))"
        case .latest: operand(lookup.value)
        }
    }

    private func order(_ lookup: Fact.Lookup) -> SQLText {
        switch lookup.pick {
        case .least: ""
        case .latest: " ORDER BY x.occurred_at DESC, x.origin DESC, x.\"key\" DESC LIMIT 1"
        }
    }

    // MARK: - Dimensions

    /// The value of a dimension as text.
    private func label(_ dimension: Analysis.Dimension) -> SQLText {
        switch dimension.value {
        case .time(let cut): SQLText(TimeSQL(column(period).sql).label(cut))
        case .column, .unit, .nodeOfUnit, .axis, .field:
            if fact.column(for: dimension)?.kind == .number {
                "CAST(\(value(of: dimension)) AS TEXT)"
            } else if case .field = dimension.value {
                "substr(\(value(of: dimension)), 1, \(Analysis.Dimension.fieldLengthMax))"
            } else {
                value(of: dimension)
            }
        case .region(.province): "substr(\(rolledUp(dimension)), 1, 2) || '0000'"
        case .region(.city): "substr(\(rolledUp(dimension)), 1, 4) || '00'"
        case .region(.county): "substr(\(rolledUp(dimension)), 1, 6)"
        case .region(.town): "substr(\(rolledUp(dimension)), 1, 9)"
        case .service(let levels): SQLText(Self.cut(value(of: dimension).sql, levels))
        }
    }

    private func value(of dimension: Analysis.Dimension) -> SQLText {
        fact.column(for: dimension).map { value(of: $0) } ?? "NULL"
    }

    /// No column of regions or categories has values in its SQL, so it can be there several times.
    private func rolledUp(_ dimension: Analysis.Dimension) -> String { rollup.sql(value(of: dimension).sql) }

    /// What to group by where that is not the label. SQLite takes the label from any one row of the group
    /// (https://www.sqlite.org/lang_select.html#bareagg): computing it once a group and not once a row takes a third of
    /// the time for days and a quarter for weeks, measured on a million tickets. Two groups of one label become one when they are added up.
    ///
    /// Groups of regions are rolled up when they are added up: several have one label then.
    private func groupKey(_ dimension: Analysis.Dimension) -> String? {
        switch dimension.value {
        case .region(.town): rollup.isEmpty ? nil : "substr(\(value(of: dimension).sql), 1, 9)"
        case .region: rollup.isEmpty ? nil : "substr(\(value(of: dimension).sql), 1, 6)"
        case .time(let cut): TimeSQL(column(period).sql).groupKey(cut)
        case .column, .service, .unit, .nodeOfUnit, .axis, .field: nil
        }
    }

    /// The first `levels` parts of the code: up to the nth dot of the code with n dots added, so that a code with fewer
    /// parts stays whole.
    private static func cut(_ code: String, _ levels: Int) -> String {
        let padded = "(\(code) || '\(String(repeating: ".", count: levels))')"
        var dot = "instr(\(padded), '.')"
        for _ in 1..<levels { dot = "(\(dot) + instr(substr(\(padded), \(dot) + 1), '.'))" }
        return "substr(\(code), 1, \(dot) - 1)"
    }
}

/// What is told of a time, in SQL.
private struct TimeSQL {
    private let time: String
    /// The day of Asia/Shanghai, counted from 1970-01-01.
    private let day: String
    /// The ISO week, counted from the one of 1970-01-01, which was a Thursday.
    private let week: String
    /// The hour, counted from 1970-01-01.
    private let hour: String

    init(_ time: String) {
        self.time = time
        day = Self.quotient(time, ShanghaiTime.day)
        hour = Self.quotient(time, 3_600_000)
        week = "((\(day) + 3 + \(Self.daysAhead)) / 7 - \(Self.daysAhead / 7))"
    }

    /// Added before a division and taken away after it: SQLite rounds towards 0. A number of whole weeks.
    private static let daysAhead: Int64 = 7_000_000

    /// The whole units of a length in milliseconds that clocks in China had gone through since 1970. Of times since the last summer
    /// time the offset is known.
    private static func quotient(_ time: String, _ unit: Int64) -> String {
        let ahead = daysAhead * ShanghaiTime.day
        let summers = ShanghaiTime.summers.map {
            "\(time) BETWEEN \($0.lowerBound) AND \($0.upperBound - 1)"
        }.joined(separator: " OR ")
        return """
            CASE WHEN \(time) >= \(ShanghaiTime.lastSummerEnd) THEN (\(time) + \(ShanghaiTime.offset)) / \(unit) \
            ELSE (\(time) + \(ShanghaiTime.offset + ahead) + CASE WHEN \(summers) THEN 3600000 ELSE 0 END) / \(unit) \
            - \(ahead / unit) END
            """
    }

    private var weekday: String { "((\(day)) + 3 + \(Self.daysAhead)) % 7 + 1" }
    private var hourOfDay: String { "printf('%02d', ((\(hour)) + \(Self.daysAhead * 24)) % 24)" }
    private func date(_ format: String) -> String { "strftime('\(format)', (\(day)) * 86400, 'unixepoch')" }

    func label(_ cut: Analysis.Dimension.TimeCut) -> String {
        switch cut {
        case .day: return date("%Y-%m-%d")
        case .month: return date("%Y-%m")
        case .year: return date("%Y")
        case .quarter: return "\(date("%Y")) || '-Q' || ((\(date("%m")) + 2) / 3)"
        case .week:
            // A week has the year of its Thursday, and is that year's nth by the Thursday's day in the year.
            let thursday = "\(week) * 604800, 'unixepoch'"
            return "strftime('%Y', \(thursday)) || printf('-W%02d', (strftime('%j', \(thursday)) + 6) / 7)"
        case .hour: return "CASE WHEN \(time) IS NOT NULL THEN \(hourOfDay) END"
        case .weekday: return "CAST(\(weekday) AS TEXT)"
        case .hourOfWeek: return "(\(weekday)) || '-' || \(hourOfDay)"
        }
    }

    func groupKey(_ cut: Analysis.Dimension.TimeCut) -> String? {
        switch cut {
        case .day: day
        case .week: week
        case .month: month
        case .hour: "((\(hour)) + \(Self.daysAhead * 24)) % 24"
        case .weekday: weekday
        case .hourOfWeek: "((\(hour)) + \(Self.daysAhead * 24)) % 168"
        case .quarter, .year: nil
        }
    }

    /// The month, counted from March 1900, of a time between the last summer time and 2100: until then each fourth year is a leap year, and
    /// one that begins with March has its leap day at its end. Of other times the label.
    private var month: String {
        let quarterDays = "((\(time) + \(ShanghaiTime.offset)) / \(ShanghaiTime.day) * 4 + \(25_508 * 4 + 3))"
        return """
            CASE WHEN \(time) BETWEEN \(ShanghaiTime.lastSummerEnd) AND \(ShanghaiTime.midnight(ofDay: 47_482) - 1) \
            THEN \(quarterDays) / 1461 * 12 + (\(quarterDays) % 1461 / 4 * 5 + 2) / 153 ELSE \(label(.month)) END
            """
    }
}
