import FederationModel
import LogicalQuery
import TestSupport
import Testing

@Suite struct `Small groups` {
    private static let least: Int64 = 5

    private func shown(
        _ groups: [([ExactText?], [Int64])], _ measures: [String] = ["count"], by dimensions: [Dimension]
    ) throws -> (groups: [[ExactText?]: [Int64]], report: NodeReport) {
        let analysis = try Analysis(measures: measures.map { try .named($0) }, dimensions: dimensions, asOf: 0)
        var partial = PartialResult(for: analysis)
        for (key, sums) in groups { try partial.add(key: key, sums: sums) }
        var answer = LogicalAnswer(partial: partial, nodes: [NodeReport(node: node("370300"), state: .ok)])
        answer.suppress(below: Self.least, of: analysis)
        return (answer.partial.groups.mapValues(\.sums), answer.nodes[0])
    }

    @Test func `stay where they are, and the coverage says so`() throws {
        let (groups, report) = try shown(
            [(["01"], [3]), (["02"], [4]), (["03"], [5]), (["04"], [90])], by: [.channel])
        #expect(groups == [["03"]: [5], ["04"]: [90]])
        #expect(report.minCell == 5)
        #expect(try shown([(["03"], [5]), (["04"], [0])], by: [.channel]).report.minCell == nil)
    }

    /// 95 less 90 would be the one that is hidden.
    @Test func `take the next smallest along, so that no total tells them`() throws {
        #expect(
            try shown([(["01"], [3]), (["03"], [7]), (["04"], [90])], by: [.channel]).groups == [["04"]: [90]])
        // 2 and 2 are two groups, and together still few.
        #expect(
            try shown([(["01"], [2]), (["02"], [2]), (["03"], [7]), (["04"], [90])], by: [.channel]).groups
                == [["04"]: [90]])
    }

    @Test func `are not told by the total of their month, county or category either`() throws {
        #expect(
            try shown(
                [
                    (["2025-08-01"], [1]), (["2025-08-02"], [9]), (["2025-08-03"], [50]), (["2025-09-01"], [1]),
                    (["2025-09-02"], [8]), (["2025-09-10"], [70]),
                ], by: [.day]
            ).groups.keys.compactMap { $0[0]?.text }.sorted() == ["2025-08-03", "2025-09-10"])
        #expect(
            try shown(
                [(["01.01"], [2]), (["01.02"], [20]), (["01.03"], [30]), (["02.01"], [4]), (["02.02"], [6])],
                by: [.service(levels: nil)]
            ).groups == [["01.03"]: [30]])
    }

    @Test func `are hidden by any number of rows: a rate of few, and few of many`() throws {
        let (groups, _) = try shown(
            [(["01"], [2, 100]), (["02"], [0, 100]), (["03"], [50, 90]), (["04"], [1, 3]), (["05"], [60, 60])],
            ["on_time_rate"], by: [.channel])
        // 2 and 1 are still few, so 50 goes with them.
        #expect(Set(groups.keys) == [["02"], ["05"]])
    }

    @Test func `are also those that a rate, or one count less another, tells beside what it says`() throws {
        #expect(
            try shown(
                [(["01"], [97, 100]), (["02"], [50, 100]), (["03"], [40, 90]), (["04"], [60, 60])], ["on_time_rate"],
                by: [.channel]
            ).groups.keys.compactMap { $0[0]?.text }.sorted() == ["02", "04"])
        #expect(
            try shown(
                [(["01"], [100, 98]), (["02"], [200, 100]), (["03"], [300, 300])], ["count", "closed"], by: [.channel]
            ).groups.keys.compactMap { $0[0]?.text } == ["03"])
    }

    @Test func `are all there is, and then there is nothing`() throws {
        #expect(try shown([([], [4])], by: []).groups.isEmpty)
        #expect(try shown([(["01"], [4]), (["02"], [40])], by: [.channel]).groups.isEmpty)
    }

    @Test(arguments: 0..<200)
    func `of random tables are told by no margin`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let days = ["2025-08-01", "2025-08-02", "2025-08-20", "2025-09-01", "2025-10-01"]
        var table: [[ExactText?]: Int64] = [:]
        for day in days {
            for channel in ["01", "02", "03", nil] where Bool.random(using: &random) {
                table[[ExactText(day), channel.map { ExactText($0) }]] = Int64.random(in: 0...12, using: &random)
            }
        }
        let groups = try shown(table.map { ($0, [$1]) }, by: [.day, .channel]).groups
        let hidden = table.filter { groups[$0.key] == nil && $0.value > 0 }
        #expect(groups.allSatisfy { $0.value[0] == 0 || $0.value[0] >= Self.least })
        // All that is hidden of a day, a month or everything, in one channel and in all of them.
        for part in ["", "2025", "2025-08", "2025-09"] + days {
            for channel in ["01", "02", "03", nil, "all"] as [String?] {
                let cells = hidden.filter { key, _ in
                    key[0]?.text.hasPrefix(part) == true && (channel == "all" || key[1]?.text == channel)
                }
                let margin = table.filter { key, _ in
                    key[0]?.text.hasPrefix(part) == true && (channel == "all" || key[1]?.text == channel)
                }
                let sum = cells.values.reduce(0, +)
                // Where nothing of it is shown there is nothing to subtract from.
                let isSafe =
                    cells.isEmpty || cells.count >= 2 && sum >= Self.least
                    || margin.filter { $0.value > 0 }.count == cells.count
                #expect(isSafe, "\(part) \(channel ?? "none"): \(cells)")
            }
        }
    }
}
