import FederationModel
import Foundation
import LogicalQuery

/// Rows by resource, and folded states by ticket: what a store holds.
struct Tables {
    typealias Row = [String: FieldValue]

    var rows: [ResourceName: [Row]] = [:]
    var states: [String: Row] = [:]
}

/// Answers an analysis by looking at one row after the other, by the declarations. It shares nothing with the statements but them, and
/// takes its dates from Foundation's calendar.
struct BruteForce {
    private let tables: Tables
    private let analysis: Analysis
    private let origins: Set<String>
    private let requests: [String: [Tables.Row]]
    private let recordsOfTickets: [ResourceName: [String: [Tables.Row]]]
    private let calendar: Calendar

    init(_ analysis: Analysis, _ tables: Tables, origins: Set<String>) {
        func byTicket(_ rows: [Tables.Row]) -> [String: [Tables.Row]] {
            Dictionary(grouping: rows.filter { $0["deleted"] == .integer(0) }, by: { $0["global_id"]?.text ?? "" })
        }
        self.analysis = analysis
        self.tables = tables
        self.origins = origins
        recordsOfTickets = tables.rows.mapValues(byTicket)
        requests = byTicket(tables.rows["service_request"] ?? [])
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: "Asia/Shanghai") ?? .gmt
        self.calendar = calendar
    }

    func answer() throws -> PartialResult {
        var result = PartialResult(for: analysis)
        var (place, states) = (0, [String: Int]())
        for term in analysis.measures.flatMap(\.terms) {
            for aggregate in [term.numerator] + (term.denominator.map { [$0] } ?? []) {
                let state = aggregate.function.state
                // Measures that read the same lengths share them.
                let name =
                    "\(term.fact.name) \(term.period) \(term.base.criterion) \(state as Any) \(aggregate.function.operand as Any) \(aggregate.criterion)"
                if state != nil, states[name] != nil { continue }
                for row in tables.rows[term.fact.resource] ?? [] {
                    guard let row = FactRow(row, term, self), row.counts else { continue }
                    var group = Added(sums: result.emptyGroup.sums, states: result.emptyGroup.states)
                    if row.holds(aggregate.criterion) {
                        if state == nil {
                            group.sums[place] = aggregate.function.operand.map { row.number($0) ?? 0 } ?? 1
                        } else if let value = row.value(of: aggregate.function) {
                            group.states[states.count].add(value)
                        }
                    }
                    try result.add(
                        key: analysis.dimensions.map { row.label($0).map { ExactText($0) } },
                        PartialResult.Group(sums: group.sums, states: group.states))
                }
                if state == nil { place += 1 } else { states[name] = states.count }
            }
        }
        return result
    }

    private struct Added {
        var sums: [Int64]
        var states: [MergeableState]
    }

    /// The keyed digest of a person, as far as tests need one.
    static func token(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        let mixed = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
        let digits = String(mixed, radix: 16)
        return "~" + String(repeating: "0", count: 16 - digits.count) + digits + String(repeating: "0", count: 16)
    }

    private struct FactRow {
        private let own: Tables.Row
        private let request: Tables.Row
        private let state: Tables.Row
        private let term: Measure.Term
        private let engine: BruteForce

        /// Nil for a row that is not there, or belongs to no ticket.
        init?(_ row: Tables.Row, _ term: Measure.Term, _ engine: BruteForce) {
            guard row["deleted"] == .integer(0) else { return nil }
            if let dataset = term.fact.dataset, row["dataset"] != .text(dataset) { return nil }
            own = row
            self.term = term
            self.engine = engine
            let ticket = row["global_id"]?.text ?? ""
            if term.fact.isThreadRecord {
                guard let found = engine.requests[ticket]?.first(where: { $0["origin"] == row["ticket_origin"] }) else {
                    return nil
                }
                request = found
            } else {
                request = row
            }
            state = engine.tables.states[ticket] ?? [:]
        }

        /// Whether the question is about it.
        var counts: Bool {
            let time = value(term.period)?.integer
            let analysis = engine.analysis
            if let from = analysis.from, time.map({ $0 < from }) ?? true { return false }
            if let to = analysis.to, time.map({ $0 >= to }) ?? true { return false }
            return engine.origins.contains(request["origin"]?.text ?? "") && holds(term.base.criterion)
                && analysis.filters.allSatisfy(passes)
        }

        private func passes(_ filter: Filter) -> Bool {
            let label = label(filter.field)
            return switch filter.comparison {
            case .equals: filter.values.contains { $0 == label }
            case .notEquals: !filter.values.contains { $0 == label }
            case .hasPrefix: filter.values.contains { label?.hasPrefix($0) == true }
            }
        }

        // MARK: - Declarations

        func holds(_ criterion: Criterion, _ other: Tables.Row? = nil) -> Bool {
            switch criterion {
            case .always: return true
            case .all(let parts): return parts.allSatisfy { holds($0, other) }
            case .any(let parts): return parts.contains { holds($0, other) }
            case .not(let part): return !holds(part, other)
            case .isMissing(let operand): return value(operand, other) == nil
            case .compare(let left, let comparison, let right):
                guard let left = value(left, other), let right = value(right, other) else { return false }
                let order = Self.order(left, right)
                return switch comparison {
                case .equal: order == 0
                case .unequal: order != 0
                case .less: order < 0
                case .atMost: order <= 0
                case .more: order > 0
                case .atLeast: order >= 0
                }
            }
        }

        private static func order(_ a: FieldValue, _ b: FieldValue) -> Int {
            if let a = a.integer, let b = b.integer { return a < b ? -1 : a == b ? 0 : 1 }
            let (a, b) = (ExactText(a.text ?? ""), ExactText(b.text ?? ""))
            return a < b ? -1 : a == b ? 0 : 1
        }

        /// What is gathered of the row.
        func value(of function: Aggregate.Function) -> Int64? {
            if let operand = function.operand { return number(operand) }
            let columns = term.fact.person.map { source -> String? in
                switch source {
                case .row(let name): own[name]?.text
                case .request(let name): request[name]?.text
                default: nil
                }
            }
            guard let identity = columns.compactMap(\.self).first(where: { !$0.isEmpty && !$0.contains("*") }) else {
                return nil
            }
            let token = identity.hasPrefix("~") ? identity : BruteForce.token(identity)
            return UInt64(token.dropFirst().prefix(16), radix: 16).map { Int64(bitPattern: $0) }
        }

        func number(_ operand: Operand) -> Int64? { value(operand, nil)?.integer }

        private func value(_ operand: Operand, _ other: Tables.Row?) -> FieldValue? {
            func number(_ operand: Operand) -> Int64? { value(operand, other)?.integer }
            switch operand {
            case .column(let name):
                if name.hasPrefix("other.") { return other?[String(name.dropFirst(6))].flatMap(Self.present) }
                return value(name)
            case .text(let text): return .text(text)
            case .number(let number): return .integer(number)
            case .asOf: return .integer(engine.analysis.asOf)
            case .plus(let a, let b): return number(a).flatMap { a in number(b).map { .integer(a + $0) } }
            case .minus(let a, let b): return number(a).flatMap { a in number(b).map { .integer(a - $0) } }
            case .coalesce(let a, let b): return value(a, other) ?? value(b, other)
            case .workingTime(let a, let b):
                return number(a).flatMap { a in number(b).map { .integer(engine.workingTime(a, $0)) } }
            }
        }

        private static func present(_ value: FieldValue) -> FieldValue? { value == .null ? nil : value }

        private func value(_ column: String) -> FieldValue? { term.fact.columns[column].flatMap(value) }

        private func value(_ column: Fact.Column) -> FieldValue? {
            switch column.source {
            case .row(let name): return own[name].flatMap(Self.present)
            case .request(let name): return request[name].flatMap(Self.present)
            case .state(let name): return state[name].flatMap(Self.present)
            case .category:
                return (state["category"] ?? .null) == .null
                    ? request["service_code"].flatMap(Self.present) : state["category"]
            case .field(let name):
                let text = own["fields"]?.text ?? "{}"
                let fields = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                return (fields?[name] as? Int64).map { .integer($0) } ?? (fields?[name] as? String).map { .text($0) }
            case .merged: return .integer((state["merged_into"] ?? .null) == .null ? 0 : 1)
            case .repeated: return repeated.map { .integer($0) }
            case .lookup(let lookup):
                let others = engine.recordsOfTickets[lookup.resource]?[own["global_id"]?.text ?? ""] ?? []
                let found = others.filter { holds(lookup.condition.criterion, $0) }
                switch lookup.pick {
                case .least: return found.compactMap { value(lookup.value, $0)?.integer }.min().map { .integer($0) }
                case .latest:
                    return Self.last(of: found).flatMap { value(lookup.value, $0) }
                }
            }
        }

        private static func last(of records: [Tables.Row]) -> Tables.Row? {
            func place(_ row: Tables.Row) -> (Int64, ExactText, ExactText) {
                (
                    row["occurred_at"]?.integer ?? .min, ExactText(row["origin"]?.text ?? ""),
                    ExactText(row["key"]?.text ?? "")
                )
            }
            return records.max { place($0) < place($1) }
        }

        /// When the first ticket of its node came in that was marked to repeat it last.
        private var repeated: Int64? {
            (engine.recordsOfTickets["ticket_action"] ?? [:]).flatMap { ticket, records -> [Int64] in
                let marks = records.filter { ["mark_repeat", "unmark_repeat"].contains($0["action"]?.text) }
                guard let mark = Self.last(of: marks), mark["action"]?.text == "mark_repeat",
                    let target = mark["target"]?.text, target == request["global_id"]?.text
                else { return [] }
                let others = engine.requests[ticket]?.filter { $0["origin"] == request["origin"] } ?? []
                return others.compactMap { $0["requested_datetime"]?.integer }
            }.min()
        }

        // MARK: - Dimensions

        func label(_ dimension: Dimension) -> String? {
            let found: FieldValue? =
                if let column = term.fact.column(for: dimension) { self.value(column) } else { nil }
            let text = found?.integer.map { "\($0)" } ?? found?.text
            switch dimension.value {
            case .column, .unit, .nodeOfUnit, .axis: return text
            case .field: return text.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(100))) }
            case .region(.province): return text.map { String($0.prefix(2)) + "0000" }
            case .region(.city): return text.map { String($0.prefix(4)) + "00" }
            case .region(.county): return text.map { String($0.prefix(6)) }
            case .region(.town): return text.map { String($0.prefix(9)) }
            case .service(let levels):
                return text.map { $0.split(separator: ".").prefix(levels).joined(separator: ".") }
            case .time(let cut): return self.value(term.period)?.integer.map { engine.text(of: $0, cut) }
            }
        }
    }

    /// Minute by minute would be too slow: quarters of an hour, which offices keep to, and what is left at both ends.
    private func workingTime(_ begin: UnixMilliseconds, _ end: UnixMilliseconds) -> Int64 {
        guard begin <= end else { return -workingTime(end, begin) }
        let quarter: Int64 = 900_000
        var (sum, time) = (Int64(0), begin)
        while time < end {
            let next = min(end, time - (time % quarter) + quarter)
            let parts = calendar.dateComponents(
                [.hour, .minute, .weekday], from: Date(timeIntervalSince1970: Double(time) / 1_000))
            let minute = (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
            if (2...6).contains(parts.weekday ?? 1), (510..<1_050).contains(minute) { sum += next - time }
            time = next
        }
        return sum
    }

    private func text(of time: UnixMilliseconds, _ cut: Dimension.TimeCut) -> String {
        let date = Date(timeIntervalSince1970: (Double(time) / 1_000).rounded(.down))
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .weekday, .yearForWeekOfYear, .weekOfYear], from: date)
        func number(_ value: Int?, _ width: Int = 2) -> String { String(format: "%0\(width)d", value ?? 0) }
        let weekday = ((parts.weekday ?? 1) + 5) % 7 + 1
        return switch cut {
        case .day: "\(number(parts.year, 4))-\(number(parts.month))-\(number(parts.day))"
        case .week: "\(number(parts.yearForWeekOfYear, 4))-W\(number(parts.weekOfYear))"
        case .month: "\(number(parts.year, 4))-\(number(parts.month))"
        case .quarter: "\(number(parts.year, 4))-Q\(((parts.month ?? 1) + 2) / 3)"
        case .year: number(parts.year, 4)
        case .hour: number(parts.hour)
        case .weekday: "\(weekday)"
        case .hourOfWeek: "\(weekday)-\(number(parts.hour))"
        }
    }
}
