import FederationModel
import LocalStore
import LogicalQuery
import Testing

/// What is kept of questions gives what the rows give, whatever has changed since.
@Suite struct `A rollup` {
    private static let monthEnd = ShanghaiTime.parseLocal("2026-10-01 00:00:00") ?? 0
    private let place: TemporaryStore
    private let below: TemporaryStore

    init() throws {
        place = try TemporaryStore(jinan, topology: qilu)
        below = try TemporaryStore(lixia, topology: qilu)
    }

    private func queries(_ analysis: Analysis) -> [CompiledQuery] {
        SQLiteDialect.compile(analysis, origins: [jinan, lixia])
    }

    private func rows(_ analysis: Analysis) async throws -> PartialResult {
        var partial = PartialResult(for: analysis)
        for query in queries(analysis) {
            for row in try await place.store.rows(of: query, within: GrantFilter(), readers: []) {
                try partial.add(row, of: query)
            }
        }
        return partial
    }

    private func rolledUp(_ analysis: Analysis) async throws -> RolledUp? {
        try await place.store.wantRollups()
        let rolled = try await place.store.rolledUp(
            analysis, basis: "", within: GrantFilter(), readers: [], origins: [jinan, lixia]
        ) { SQLiteDialect.compile($0, origins: [jinan, lixia]) }
        if let rolled { try await place.store.keep(rolled, now: noon) }
        return rolled
    }

    private func change(_ random: inout SplitMix64, step: Int) async throws {
        let store = [place, place, below].randomElement(using: &random) ?? place
        let node = store.store.node
        let number = Int.random(in: 1...12, using: &random)
        let time = Self.monthEnd + Int64.random(in: -40...40, using: &random) * ShanghaiTime.day / 4
        let later = Int64.random(in: 1...60, using: &random) * 360 * 60_000
        func record(_ resource: ResourceName, _ fields: [String: FieldValue]) -> IntakeRecord {
            IntakeRecord(
                resource: resource, key: "\(node)-\(number).\(resource).\(Int.random(in: 1...3, using: &random))",
                fields: [
                    "global_id": .text("\(node)-\(number)"), "ticket_origin": .text(node.code),
                    "occurred_at": .integer(time + later), "round": .integer(1),
                ].merging(fields) { $1 })
        }
        let records: [IntakeRecord]
        switch Int.random(in: 0...11, using: &random) {
        case 0...2:
            var request = ticket(number, origin: node, at: time)
            request.fields["channel"] = .text(["01", "02"].randomElement(using: &random) ?? "01")
            request.fields["region_code"] = .text(["370102", "370103"].randomElement(using: &random) ?? "370102")
            records = [request]
        case 3:
            records = [
                record(
                    "assignment",
                    ["assignee_unit": .text("住建局"), "role": .text("main"), "due_at": .integer(time + 2 * later)])
            ]
        case 4: records = [record("closing", ["unit": .text("住建局")])]
        case 5: records = [record("callback", ["reached": .text("answered"), "resolved": .text("resolved")])]
        case 6: records = [record("evaluation", ["object": .text("handling"), "score5": .text("5")])]
        case 7:
            records = [
                record(
                    "ticket_action",
                    [
                        "action": .text(Bool.random(using: &random) ? "merge" : "mark_repeat"),
                        "target": .text("\(node)-\(Int.random(in: 1...12, using: &random))"),
                    ])
            ]
        case 8: records = [record("ticket_action", ["action": .text("correct_category"), "target": .text("02.01")])]
        case 9:
            let gone = SourceRow.RecordName(resource: "service_request", key: "\(node)-\(number)")
            _ = try await store.store.intake([SourceRow([], absent: [gone])], isGuarded: false, now: noon)
            return
        case 10:
            let gone = ["assignment", "closing", "callback"].map {
                SourceRow.RecordName(resource: ResourceName($0), key: "\(node)-\(number).\($0).1")
            }
            _ = try await store.store.intake([SourceRow([], absent: gone)], isGuarded: false, now: noon)
            return
        default:
            if store === place {
                _ = try? await store.store.remove(
                    .delete, tickets: ["\(node)-\(number)"], reason: "other", order: ulid(UInt64(step)), now: noon)
            }
            return
        }
        // What a record says may be refused; that changes nothing either.
        _ = try? await store.store.intake(records.filter { BuiltInResources.named($0.resource) != nil }, now: noon)
    }

    @Test(arguments: 1...6)
    func `is what the rows are, through changes, deletions, merges and copies that come in`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let measures = Indicator.builtIn.map(\.measure)
        let dimensions: [Analysis.Dimension] = [.origin, .region(.county), .channel, .status, .day, .month, .unit]
        var questions: [Analysis] = []
        for _ in 0..<5 {
            let from = Self.monthEnd + Int64.random(in: -60...0, using: &random) * ShanghaiTime.day / 2
            let to = from + Int64.random(in: 1...150, using: &random) * ShanghaiTime.day / 2
            let some = measures.shuffled(using: &random).prefix(3)
            guard
                let question = try? Analysis(
                    measures: Array(some), dimensions: Array(dimensions.shuffled(using: &random).prefix(2)), from: from,
                    to: to, asOf: Bool.random(using: &random) ? to : noon)
            else { continue }
            questions.append(question)
        }
        var (kept, found) = (0, 0)
        for step in 0..<60 {
            try await change(&random, step: step)
            if step % 5 == 0 {
                try await carry(below.store, place.store, policy: policy(from: lixia, to: jinan))
                try await below.store.catchUpConsumers(now: noon)
            }
            try await place.store.catchUpConsumers(now: noon)
            for question in questions {
                guard let rolled = try await rolledUp(question) else { continue }
                kept += (RollupBlocks(question)?.blocks.count ?? 0) - rolled.found.count
                found += rolled.found.count
                #expect(try await rolled.partial == rows(question), "step \(step)")
            }
            for resource in [BuiltInResources.serviceRequest.name, BuiltInResources.callRecord.name] {
                guard let counts = try await place.store.holdings(of: [], covered: resource).liveRows else { continue }
                let all = try await place.store.rowCounts(of: resource).mapValues { Int64($0) }
                #expect(counts.filter { $0.value != 0 } == all, "step \(step)")
            }
        }
        #expect(kept > found, "most of it was kept")
    }

    @Test func `finds anew only what a change concerns`() async throws {
        let whole = try Analysis(
            from: Self.monthEnd - 30 * ShanghaiTime.day, to: Self.monthEnd + 3 * ShanghaiTime.day + 7, asOf: noon)
        let first = ticket(1, at: Self.monthEnd - ShanghaiTime.day)
        _ = try await place.store.intake([first, ticket(2, at: Self.monthEnd + 1)], now: noon)
        func uses(of question: Analysis? = nil) async throws -> [Int] {
            let question = question ?? whole
            try await place.store.catchUpConsumers(now: noon)
            let rolled = try #require(try await rolledUp(question))
            #expect(try await rolled.partial == rows(question))
            #expect(rolled.isNew == !rolled.found.isEmpty, "what all come to is kept exactly as long as each of them")
            return [try #require(RollupBlocks(question)).blocks.count - rolled.found.count, rolled.found.count]
        }
        // September and three days of October; the rest of the fourth is no block.
        #expect(try await uses() == [0, 4])
        #expect(try await uses() == [4, 0])
        _ = try await place.store.intake([ticket(3, at: Self.monthEnd + ShanghaiTime.day)], now: noon)
        #expect(try await uses() == [3, 1])
        // From one day to another: both are found anew.
        _ = try await place.store.intake([ticket(2, at: Self.monthEnd - ShanghaiTime.day)], now: noon)
        #expect(try await uses() == [2, 2])
        _ = try await place.store.intake([ticket(4, at: Self.monthEnd + 90 * ShanghaiTime.day)], now: noon)
        #expect(try await uses() == [4, 0])
        // And what the four come to.
        #expect(try await place.store.rollupStatus().blocks == 5)
        let withoutEnd = try Analysis(from: whole.from, to: Self.monthEnd + 3 * ShanghaiTime.day, asOf: noon)
        #expect(try await uses(of: withoutEnd) == [4, 0])
        #expect(try await place.store.rollupStatus().blocks == 5)
        try await place.store.forgetRollups()
        #expect(try await uses() == [0, 4])
    }

    @Test func `is not made of what asks for now, has no end or is shorter than a day`() throws {
        let overdue = try #require(Indicator.builtIn.first { $0.measure.name.contains("overdue") })
        let week = Self.monthEnd..<Self.monthEnd + 7 * ShanghaiTime.day
        #expect(
            try RollupBlocks(
                Analysis(measures: [overdue.measure], from: week.lowerBound, to: week.upperBound, asOf: noon)) == nil)
        #expect(
            try RollupBlocks(
                Analysis(
                    measures: [overdue.measure], from: week.lowerBound, to: week.upperBound, asOf: week.upperBound))?
                .blocks.count == 7, "as of the end of its period it stays the same question")
        #expect(try RollupBlocks(Analysis(from: week.lowerBound, asOf: noon)) == nil)
        #expect(
            try RollupBlocks(Analysis(from: week.lowerBound + 1, to: week.lowerBound + ShanghaiTime.day, asOf: noon))
                == nil)
        #expect(try RollupBlocks(Analysis(from: week.lowerBound, to: week.upperBound, asOf: noon))?.blocks.count == 7)
    }

    @Test func `is made of what has come due on days that are over, whenever it is asked for`() throws {
        let onTime = try #require(Indicator.builtIn.first { $0.measure.name == "on_time_rate" }).measure
        let week = Self.monthEnd..<Self.monthEnd + 7 * ShanghaiTime.day
        func question(at asOf: UnixMilliseconds) throws -> Analysis {
            try Analysis(measures: [onTime], from: week.lowerBound, to: week.upperBound, asOf: asOf)
        }
        #expect(try RollupBlocks(question(at: week.upperBound + 1))?.blocks.count == 7)
        #expect(try RollupBlocks(question(at: week.upperBound - 1))?.blocks.count == 6)
        #expect(try RollupBlocks(question(at: week.lowerBound + 5 * ShanghaiTime.day / 2))?.blocks.count == 2)
        #expect(try RollupBlocks(question(at: week.lowerBound + ShanghaiTime.day / 2)) == nil)
        #expect(try queries(question(at: week.upperBound)) == queries(question(at: week.upperBound + 1)))
        #expect(try queries(question(at: week.upperBound)) != queries(question(at: week.upperBound - 1)))
    }

    @Test func `is found from the rows alone until somebody wants it, so a node that can't write answers too`()
        async throws
    {
        _ = try await place.store.intake([ticket(1)], now: noon)
        try await place.store.catchUpConsumers(now: noon)
        let question = try Analysis(from: Self.monthEnd, to: Self.monthEnd + 90 * ShanghaiTime.day, asOf: noon)
        let rolled = try await place.store.rolledUp(
            question, basis: "", within: GrantFilter(), readers: [], origins: [jinan, lixia]
        ) { SQLiteDialect.compile($0, origins: [jinan, lixia]) }
        #expect(rolled == nil)
        let holdings = try await place.store.holdings(of: [], covered: BuiltInResources.serviceRequest.name)
        #expect(holdings.liveRows == nil && !holdings.keepsRollups)
    }

    @Test func `is kept as it is, and bytes of something else are nothing`() async throws {
        let all = try Analysis(
            measures: Array(
                Indicator.builtIn.map(\.measure).filter { $0.name.hasPrefix("p90") || $0.name == "count" }.prefix(4)),
            dimensions: [.channel, .unit], asOf: noon)
        _ = try await place.store.intake((1...9).map { ticket($0) }, now: noon)
        try await place.store.catchUpConsumers(now: noon)
        let partial = try await rows(all)
        let bytes = partial.bytes
        #expect(bytes.withUnsafeBytes { PartialResult($0, of: all) } == partial)
        for count in 0..<bytes.count {
            #expect(bytes.prefix(count).withUnsafeBytes { PartialResult($0, of: all) } == nil)
        }
    }
}
