import FederationModel
import LogicalQuery

/// Rows of every resource that facts are about, with whatever their columns allow: histories that make sense and histories that don't.
struct RandomTables {
    static let start: UnixMilliseconds = 1_735_000_000_000
    static let origins = ["370100", "370102", "370300", "370900"]
    static let now = start + 1_000_000_000

    private(set) var tables = Tables()
    private var random: SplitMix64

    init(seed: UInt64, tickets: Int) {
        random = SplitMix64(seed: seed)
        for number in 0..<tickets {
            let origin = one(Self.origins)
            let ticket = "g\(number)"
            add(BuiltInResources.serviceRequest, ticket: ticket, origin: origin, number)
            if number.isMultiple(of: 29) {
                add(
                    BuiltInResources.serviceRequest, ticket: ticket, origin: one(Self.origins.filter { $0 != origin }),
                    number)
            }
            for resource in BuiltInResources.ticketResources where resource.isThreadRecord {
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    add(resource, ticket: ticket, origin: origin, number)
                }
            }
            add(BuiltInResources.callRecord, ticket: ticket, origin: origin, number)
            if one([true, true, true, false]) { tables.states[ticket] = state() }
        }
    }

    private mutating func one<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

    private mutating func time() -> FieldValue {
        one([.null, .integer(Self.start + Int64.random(in: 0...1_728_000, using: &random) * 1_000)])
    }

    private mutating func add(_ resource: ResourceDefinition, ticket: String, origin: String, _ number: Int) {
        var row: Tables.Row = [
            "origin": .text(resource.isThreadRecord ? one(Self.origins) : origin),
            "key": .text("k\(tables.rows[resource.name]?.count ?? 0)"), "deleted": .integer(one([0, 0, 0, 1])),
        ]
        for column in resource.columns { row[column.name] = value(column) }
        row["global_id"] = .text(ticket)
        row["ticket_origin"] = .text(origin)
        tables.rows[resource.name, default: []].append(
            row.filter { name, _ in
                name == "deleted" || name == "key" || name == "origin" || resource.column(named: name) != nil
            })
    }

    private mutating func value(_ column: ColumnDefinition) -> FieldValue {
        if column.name == "requested_datetime" || column.name == "arrival" {
            return .integer(Self.start + Int64.random(in: 0...1_728_000, using: &random) * 1_000)
        }
        if column.name == "action" { return one(["mark_repeat", "unmark_repeat", "merge"].map { .text($0) }) }
        if column.name == "target" { return .text("g\(Int.random(in: 0..<9, using: &random))") }
        if let list = column.codeList.flatMap({ CodeList.named($0) }) {
            return one([.null] + list.entries.prefix(5).map { .text($0.code) })
        }
        switch column.type {
        case .timestamp: return time()
        case .boolean: return one([.null, .integer(0), .integer(1)])
        case .integer: return one([.null, .integer(1), .integer(2), .integer(20), .integer(100_000)])
        case .real, .json: return .null
        case .text:
            let choices: [String?] =
                switch column.name {
                case "region_code": ["370102003001", "370102", "370300", "370000", nil]
                case "service_code": ["01", "01.02", "01.02.03.04.05", "02.01", nil]
                case "reporter_phone":
                    ["13800138000", "138****8000", "13900139000", "~00ff00ff00ff00ff00ff00ff00ff00ff", ""]
                case "non_acceptance_reason": ["无效", "超职责", nil]
                default: ["甲局", "乙局", nil]
                }
            return one(choices).map { .text($0) } ?? .null
        }
    }

    private mutating func state() -> Tables.Row {
        var row: Tables.Row = [
            "status": .text(one(TicketStatus.allCases).rawValue), "round": .integer(one([1, 2])),
            "unit": one([.text("甲局"), .text("乙局"), .null]), "owner": .text(one(Self.origins)),
            "resolved": one([.text("resolved"), .null]), "supervision": .text(one(["none", "open"])),
            "category": one([.text("02.03"), .text("01.02"), .null]), "score": one([.integer(5), .integer(1), .null]),
            "merged_into": one([.null, .null, .null, .text("g0")]),
        ]
        row["merge_target"] = row["merged_into"]
        for name in ["returns", "extensions", "held", "suspended"] { row[name] = .integer(one([0, 1])) }
        for name in [
            "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at", "called_back_at", "evaluated_at",
        ] { row[name] = time() }
        return row
    }

    // MARK: - Questions

    /// A question that the facts of its measures can answer.
    mutating func analysis() throws -> Analysis {
        let all = IndicatorLibrary.builtIn.all.map(\.measure)
        let measures = Array(all.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)))
        let facts = Set(measures.flatMap { $0.terms.map(\.fact) })
        let known = Dimension.allCases.filter { dimension in facts.allSatisfy { $0.has(dimension) } }
        let filters = try (0..<Int.random(in: 0...2, using: &random)).map { _ in
            try Filter(
                one(known), one(FilterOperator.allCases),
                (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    one([
                        "37", "370102", "01", "02.01", "2025-W01", "2024-12", "2024-Q4", "closed", "甲局", "1", "normal",
                        "3701020", "09", "1-09",
                    ])
                })
        }
        let period = one([true, false])
        return try Analysis(
            measures: measures,
            dimensions: Array(known.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))),
            filters: filters, from: period ? Self.start + 86_400_000 : nil,
            to: period ? Self.start + 900_000_000 : nil, top: one([nil, 5]), asOf: Self.now)
    }
}
