import FederationModel

/// Why a question is answered from SQLite although the node's analysis runs on another engine. Its text is a code, as answers tell it.
package enum WarehouseGap: String, CaseIterable, Error, Sendable {
    /// The engine can't be reached, or has refused the statement.
    case away = "E_WAREHOUSE_AWAY"
    /// It is being filled, or too far behind.
    case behind = "E_WAREHOUSE_BEHIND"
    /// The question comes from a node that may not count all rows, or all fields.
    case granted = "E_WAREHOUSE_GRANTED"
    /// It counts an external data set.
    case dataset = "E_WAREHOUSE_DATASET"
    /// It counts working time, which follows the calendar of the day on which it is asked.
    case workingTime = "E_WAREHOUSE_WORKING_TIME"
}

/// A statement for ClickHouse. Its answer has the group's key first, then the sums, then one or two columns for each state.
package struct WarehouseQuery: Sendable {
    package let sql: String
    let keyCount: Int
    let sums: [Int]
    let states: [Int]
}

/// An analysis in ClickHouse's SQL, over the flat tables of its facts (``FactTable``): as ``SQLiteDialect``, a row for each group.
///
/// It keeps to what release 18.16 knows, which Debian has: no parameters of statements, so values are literals, and every text of a peer
/// or a person passes `literal`.
package enum ClickHouseDialect {
    /// - Parameters:
    ///   - table: names the table of a fact.
    ///   - isMerged: whether each row has one image; else the engine is told to look for the last one (`FINAL`), which is slower.
    /// - Throws: why SQLite must answer.
    package static func compile(
        _ analysis: Analysis, origins: [NodeID], regions: CodeList, isMerged: Bool, table: (FactTable) -> String
    ) throws(WarehouseGap) -> [WarehouseQuery] {
        if analysis.facts.contains(where: { $0.dataset != nil }) { throw .dataset }
        if analysis.readsWorkingTime { throw .workingTime }
        let rollup = RegionRollup(regions, on: ShanghaiTime.dayNumber(analysis.regionsAsOf ?? analysis.asOf))
        return PartialLayout(analysis.measures).statements(of: analysis.measures).map { statement in
            var sql = WarehouseSQL(statement.term.fact, period: statement.term.period, asOf: analysis.asOf, rollup)
            return sql.query(
                analysis, statement, origins,
                from: table(FactTable(statement.term.fact)) + (isMerged ? "" : " FINAL"))
        }
    }

    package static func literal(_ text: String) -> String {
        "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
    }
}

extension Analysis {
    fileprivate var readsWorkingTime: Bool {
        measures.contains {
            $0.terms.contains {
                $0.base.criterion.readsWorkingTime || $0.aggregates.contains(where: \.readsWorkingTime)
            }
        }
    }
}

extension Aggregate {
    fileprivate var readsWorkingTime: Bool {
        criterion.readsWorkingTime || function.operand?.readsWorkingTime == true
    }
}

extension Criterion {
    fileprivate var readsWorkingTime: Bool {
        switch self {
        case .always: false
        case .all(let parts), .any(let parts): parts.contains(where: \.readsWorkingTime)
        case .not(let part): part.readsWorkingTime
        case .compare(let left, _, let right): left.readsWorkingTime || right.readsWorkingTime
        case .isMissing(let operand): operand.readsWorkingTime
        }
    }
}

extension Operand {
    fileprivate var readsWorkingTime: Bool {
        switch self {
        case .workingTime: true
        case .column, .text, .number, .asOf: false
        case .plus(let a, let b), .minus(let a, let b), .coalesce(let a, let b):
            a.readsWorkingTime || b.readsWorkingTime
        }
    }
}

/// One statement over the table of one fact.
private struct WarehouseSQL {
    let fact: Fact
    let period: String
    let asOf: UnixMilliseconds
    let rollup: RegionRollup
    /// Expressions with a name, in the order in which they rest on each other.
    private var named: [(name: String, sql: String)] = []

    init(_ fact: Fact, period: String, asOf: UnixMilliseconds, _ rollup: RegionRollup) {
        self.fact = fact
        self.period = period
        self.asOf = asOf
        self.rollup = rollup
    }

    mutating func query(
        _ analysis: Analysis, _ statement: PartialLayout.Statement, _ origins: [NodeID], from table: String
    ) -> WarehouseQuery {
        let labels = analysis.dimensions.map { label($0) }
        let keys = analysis.dimensions.enumerated().map { groupKey($1) ?? labels[$0] }
        let columns =
            labels + statement.sums.map { sum($0.aggregate) } + statement.states.flatMap { state($0.aggregate) }
        var conditions = ["row_gone = 0"]
        let places = origins.map { ClickHouseDialect.literal($0.code) }.joined(separator: ", ")
        conditions.append(origins.isEmpty ? "0" : "row_holder IN (\(places))")
        let time = column(period)
        if let from = analysis.from { conditions.append("ifNull(\(time) >= \(number(from)), 0)") }
        if let to = analysis.to { conditions.append("ifNull(\(time) < \(number(to)), 0)") }
        let base = analysis.base(of: statement.term)
        if base != .always { conditions.append(condition(base)) }
        conditions += analysis.filters.map { condition(label($0.field), $0.comparison, $0.values) }
        let with = named.map { "\($0.sql) AS \($0.name)" }.joined(separator: ",\n     ")
        var sql = """
            \(with.isEmpty ? "" : "WITH \(with)\n")SELECT \(columns.joined(separator: ",\n       "))
            FROM \(table)
            WHERE \(conditions.joined(separator: "\n  AND "))
            """
        if !keys.isEmpty { sql += "\nGROUP BY \(keys.joined(separator: ", "))" }
        return WarehouseQuery(
            sql: sql + "\nLIMIT \(PartialResult.groupsMax + 1)", keyCount: labels.count,
            sums: statement.sums.map(\.place), states: statement.states.map(\.place))
    }

    /// - Returns: the name.
    private mutating func name(_ name: String, _ sql: String) -> String {
        if !named.contains(where: { $0.name == name }) { named.append((name, sql)) }
        return name
    }

    // MARK: - Declarations

    private func sum(_ aggregate: Aggregate) -> String {
        let isCounted = condition(aggregate.criterion)
        guard let summed = aggregate.function.operand else { return "countIf(\(isCounted))" }
        return "ifNull(sumIf(\(operand(summed)), \(isCounted)), 0)"
    }

    /// The columns of a state, as ``MergeableState/init(_:columns:)`` reads them.
    private mutating func state(_ aggregate: Aggregate) -> [String] {
        let isCounted = condition(aggregate.criterion)
        switch aggregate.function {
        case .least(let value): return ["minIf(toNullable(\(operand(value))), \(isCounted))"]
        case .greatest(let value): return ["maxIf(toNullable(\(operand(value))), \(isCounted))"]
        case .quantile(_, let value):
            let number = named.count
            let given = name("given\(number)", "toNullable(\(operand(value)))")
            let length = name("length\(number)", "assumeNotNull(\(given))")
            let isLength = "(\(isCounted) AND ifNull(\(given) >= 0, 0))"
            return [
                "groupArrayIf(\(Distribution.exactMax + 1))(\(length), \(isLength))",
                "sumMapIf([\(bucket(of: length, number))], [toUInt64(1)], \(isLength))",
            ]
        case .persons:
            let person = "assumeNotNull(\(FactTable.person))"
            let isPerson = "(\(isCounted) AND isNotNull(\(FactTable.person)))"
            return [
                "arraySlice(groupUniqArrayIf(\(person), \(isPerson)), 1, \(DistinctCount.exactMax + 1))",
                "groupUniqArrayIf(\(register(of: person)), \(isPerson))",
            ]
        case .count, .sum: return [sum(aggregate)]
        }
    }

    /// As ``Distribution`` has it. The logarithm may be one off at the edges of large numbers, which the digits behind it show.
    private mutating func bucket(of value: String, _ number: Int) -> String {
        let top = name("top\(number)", "toInt64(floor(log2(\(value) + (\(value) = 0))))")
        let first = name("first\(number)", "if(\(top) > 6, \(top) - 6, 0)")
        let digits = name("digits\(number)", "bitShiftRight(\(value), \(first))")
        let shift = name(
            "shift\(number)",
            "if(\(digits) >= 128, \(first) + 1, if(\(digits) < 64 AND \(first) > 0, \(first) - 1, \(first)))")
        return "toUInt16(\(shift) * 64 + bitShiftRight(\(value), \(shift)))"
    }

    /// As ``DistinctCount`` has it: the register in front of the rank, which has 6 bits.
    private mutating func register(of hash: String) -> String {
        let rest = name("hash_rest", "bitAnd(\(hash), 4503599627370495)")
        let top = name("hash_top", "toUInt8(floor(log2(\(rest) + (\(rest) = 0))))")
        let rank = "if(\(rest) = 0, 53, 52 - (\(top) - (bitShiftRight(\(rest), \(top)) = 0)))"
        return "toUInt32(bitShiftRight(\(hash), 52) * 64 + \(rank))"
    }

    /// Never null: what is missing makes a comparison false.
    private func condition(_ criterion: Criterion) -> String {
        switch criterion {
        case .always: "1"
        case .all(let parts): "(\(parts.map(condition).joined(separator: " AND ")))"
        case .any(let parts): "(\(parts.map(condition).joined(separator: " OR ")))"
        case .not(let part): "(NOT \(condition(part)))"
        case .compare(let left, let comparison, let right):
            "ifNull(\(operand(left)) \(comparison.rawValue) \(operand(right)), 0)"
        case .isMissing(let value): "isNull(\(operand(value)))"
        }
    }

    private func operand(_ operand: Operand) -> String {
        switch operand {
        case .column(let name): column(name)
        case .text(let text): ClickHouseDialect.literal(text)
        case .number(let number): self.number(number)
        case .asOf: number(asOf)
        case .plus(let a, let b): "(\(self.operand(a)) + \(self.operand(b)))"
        case .minus(let a, let b): "(\(self.operand(a)) - \(self.operand(b)))"
        case .coalesce(let a, let b): "coalesce(\(self.operand(a)), \(self.operand(b)))"
        case .workingTime: preconditionFailure("questions of working time are refused")
        }
    }

    /// Signed, or it has no type in common with a column.
    private func number(_ number: Int64) -> String { "toInt64(\(number))" }

    private func column(_ name: String) -> String {
        fact.columns[name] == nil ? "NULL" : "`\(FactTable.column(name))`"
    }

    // MARK: - Dimensions

    /// The value of a dimension as text.
    private mutating func label(_ dimension: Analysis.Dimension) -> String {
        switch dimension.value {
        case .time(let cut): return label(cut)
        case .column, .unit, .nodeOfUnit, .axis, .field:
            return fact.column(for: dimension)?.kind == .number
                ? "toString(\(value(of: dimension)))" : value(of: dimension)
        case .region(.province): return "concat(substring(\(region(dimension)), 1, 2), '0000')"
        case .region(.city): return "concat(substring(\(region(dimension)), 1, 4), '00')"
        case .region(.county): return "substring(\(region(dimension)), 1, 6)"
        case .region(.town): return "substring(\(region(dimension)), 1, 9)"
        case .service(let levels):
            let code = value(of: dimension)
            return """
                if(isNull(\(code)), NULL, \
                arrayStringConcat(arraySlice(splitByChar('.', assumeNotNull(\(code))), 1, \(levels)), '.'))
                """
        }
    }

    private func value(of dimension: Analysis.Dimension) -> String {
        fact.column(for: dimension).map { column($0.name) } ?? "NULL"
    }

    private mutating func region(_ dimension: Analysis.Dimension) -> String {
        let code = value(of: dimension)
        guard !rollup.successions.isEmpty else { return code }
        func list(_ codes: [String]) -> String { "[\(codes.map { "'\($0)'" }.joined(separator: ", "))]" }
        let county = "substring(\(code), 1, 6)"
        return name(
            "region_now",
            """
            concat(transform(\(county), \(list(rollup.successions.map(\.code))), \
            \(list(rollup.successions.map(\.successor))), \(county)), substring(\(code), 7))
            """)
    }

    private func condition(_ label: String, _ comparison: FilterOperator, _ values: [String]) -> String {
        // No value of a filter is empty.
        let label = "ifNull(\(label), '')"
        func isIn(_ text: String, _ values: [String]) -> String {
            "\(text) IN (\(values.map(ClickHouseDialect.literal).joined(separator: ", ")))"
        }
        switch comparison {
        case .equals: return isIn(label, values)
        case .notEquals: return "(NOT \(isIn(label, values)))"
        case .hasPrefix:
            let byLength = Dictionary(grouping: values, by: \.utf8.count).sorted { $0.key < $1.key }
            return "(\(byLength.map { isIn("substring(\(label), 1, \($0.key))", $0.value) }.joined(separator: " OR ")))"
        }
    }

    // MARK: - Times

    /// Added before a division and taken away after it: it rounds towards 0. A number of whole weeks.
    private static let daysAhead: Int64 = 7_000_000

    /// The whole units of a length in milliseconds that clocks in China had gone through since 1970.
    private func quotient(_ unit: Int64) -> String {
        let (time, ahead) = (column(period), Self.daysAhead * ShanghaiTime.day)
        let summers = ShanghaiTime.summers.map {
            "(\(time) >= \($0.lowerBound) AND \(time) < \($0.upperBound))"
        }.joined(separator: " OR ")
        return """
            if(\(time) >= \(ShanghaiTime.lastSummerEnd), intDiv(\(time) + \(ShanghaiTime.offset), \(unit)), \
            intDiv(\(time) + \(ShanghaiTime.offset + ahead) + if(\(summers), 3600000, 0), \(unit)) - \(ahead / unit))
            """
    }

    private mutating func day() -> String { name("day_number", quotient(ShanghaiTime.day)) }
    private mutating func hour() -> String { name("hour_number", quotient(3_600_000)) }
    private mutating func week() -> String {
        name("week_number", "intDiv(\(day()) + \(Self.daysAhead + 3), 7) - \(Self.daysAhead / 7)")
    }

    /// Year, month and day in the month of a number of days since 1970 (Fliegel and Van Flandern, 1968).
    private mutating func date(_ days: String, _ prefix: String) -> (year: String, month: String, day: String) {
        let l = name("\(prefix)_l", "\(days) + 2509157")
        let n = name("\(prefix)_n", "intDiv(4 * \(l), 146097)")
        let rest = name("\(prefix)_rest", "\(l) - intDiv(146097 * \(n) + 3, 4)")
        let i = name("\(prefix)_i", "intDiv(4000 * (\(rest) + 1), 1461001)")
        let left = name("\(prefix)_left", "\(rest) - intDiv(1461 * \(i), 4) + 31")
        let j = name("\(prefix)_j", "intDiv(80 * \(left), 2447)")
        return (
            name("\(prefix)_year", "100 * (\(n) - 49) + \(i) + intDiv(\(j), 11)"),
            name("\(prefix)_month", "\(j) + 2 - 12 * intDiv(\(j), 11)"), "(\(left) - intDiv(2447 * \(j), 80))"
        )
    }

    private func digits(_ count: Int, _ number: String) -> String {
        "substring(toString(\(String(repeating: "0", count: count).reduce(into: "1") { $0.append($1) }) + \(number)), 2)"
    }

    private mutating func label(_ cut: Analysis.Dimension.TimeCut) -> String {
        switch cut {
        case .day:
            let date = date(day(), "day")
            return "concat(\(digits(4, date.year)), '-', \(digits(2, date.month)), '-', \(digits(2, date.day)))"
        case .month:
            let date = date(day(), "day")
            return "concat(\(digits(4, date.year)), '-', \(digits(2, date.month)))"
        case .year: return digits(4, date(day(), "day").year)
        case .quarter:
            let date = date(day(), "day")
            return "concat(\(digits(4, date.year)), '-Q', toString(intDiv(\(date.month) + 2, 3)))"
        case .week:
            // A week has the year of its Thursday, and is that year's nth by the Thursday's day in the year.
            let thursday = name("thursday", "\(week()) * 7")
            let year = date(thursday, "thursday").year
            let before = name("years_before", "(\(year) - 1)")
            let newYear = name(
                "new_year",
                "365 * \(before) + intDiv(\(before), 4) - intDiv(\(before), 100) + intDiv(\(before), 400) - 719162")
            return "concat(\(digits(4, year)), '-W', \(digits(2, "intDiv(\(thursday) - \(newYear) + 7, 7)")))"
        case .hour: return hourOfDay()
        case .weekday: return weekday()
        case .hourOfWeek: return "concat(\(weekday()), '-', \(hourOfDay()))"
        }
    }

    private mutating func weekday() -> String { "toString((\(day()) + \(Self.daysAhead + 3)) % 7 + 1)" }
    private mutating func hourOfDay() -> String { digits(2, "(\(hour()) + \(Self.daysAhead * 24)) % 24") }

    /// What to group by where that is not the label: then it is made once a group.
    private mutating func groupKey(_ dimension: Analysis.Dimension) -> String? {
        switch dimension.value {
        case .time(.day): day()
        case .time(.week): week()
        case .time, .column, .region, .service, .unit, .nodeOfUnit, .axis, .field: nil
        }
    }
}
