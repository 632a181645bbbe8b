import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

struct PartialResultTests {
    private func analysis(
        _ measures: [String] = ["count"], by dimensions: [Dimension] = [], top: Int? = nil
    ) throws -> Analysis {
        try Analysis(measures: measures.map { try .named($0) }, dimensions: dimensions, top: top, asOf: 0)
    }

    private func partial(_ analysis: Analysis, _ groups: [([ExactText?], [Int64])]) throws -> PartialResult {
        var partial = PartialResult(for: analysis)
        for (key, sums) in groups { try partial.add(key: key, sums: sums) }
        return partial
    }

    @Test func `rates are never averaged: 90 of 100 and 10 of 20 are 83.33 percent`() throws {
        let question = try analysis(["on_time_rate", "count"])
        var jinan = try partial(question, [([], [90, 100, 100])])
        try jinan.merge(partial(question, [([], [10, 20, 20])]))
        #expect(
            try jinan.table(for: question)
                == ResultTable(
                    columns: question.measures.map { .figure(.value, of: $0) },
                    rows: [.init(cells: [.real(83.33), .integer(120)], parts: [[100, 120], [120]])]))
    }

    @Test func `a rate over nothing is not available, and neither is a mean`() throws {
        let question = try analysis(["satisfaction_rate", "mean_handling_hours", "count"])
        #expect(
            try PartialResult(for: question).table(for: question).rows.map(\.cells) == [[.null, .null, .integer(0)]])
    }

    @Test func `a mean of handling times is in hours`() throws {
        let question = try analysis(["mean_handling_hours"])
        #expect(
            try partial(question, [([], [3 * 5_400_000, 3])]).table(for: question).rows.map(\.cells) == [[.real(1.5)]])
    }

    @Test func `without groups there is no row, unless there are no dimensions`() throws {
        let question = try analysis(by: [.channel])
        #expect(try PartialResult(for: question).table(for: question).rows.isEmpty)
    }

    /// Merging in any order and any grouping gives what adding up all tickets at once gives.
    @Test(arguments: 0..<50)
    func `the order of merging does not matter`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let question = try analysis(
            ["count", "on_time_rate"], by: [.channel, .unit], top: Bool.random(using: &random) ? 3 : nil)
        var parts: [PartialResult] = []
        var expected: [[ExactText?]: [Int64]] = [:]
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            var part = PartialResult(for: question)
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                let key: [ExactText?] = [
                    ["01", "02", nil].randomElement(using: &random) ?? nil,
                    ["甲", "乙", nil].randomElement(using: &random) ?? nil,
                ]
                let sums = (0..<3).map { _ in Int64.random(in: 0...1_000, using: &random) }
                try part.add(key: key, sums: sums)
                expected[key] = zip(expected[key] ?? [0, 0, 0], sums).map { $0 + $1 }
            }
            parts.append(part)
        }
        parts.shuffle(using: &random)
        while parts.count > 1 {
            let last = try overTheWire(parts.removeLast())
            try parts[Int.random(in: 0..<parts.count, using: &random)].merge(last)
        }
        #expect(parts[0].groups.mapValues(\.sums) == expected)
        #expect(
            try parts[0].table(for: question) == (try partial(question, expected.map { ($0, $1) })).table(for: question)
        )
    }

    @Test func `rows are in the order of their dimensions, those without a value last`() throws {
        let question = try analysis(by: [.channel, .unit])
        let rows = try partial(
            question, [(["02", "a"], [1]), ([nil, "a"], [2]), (["01", nil], [3]), (["01", "b"], [4])]
        ).table(for: question).rows.map(\.cells)
        #expect(
            rows == [
                [.text("01"), .text("b"), .integer(4)], [.text("01"), .null, .integer(3)],
                [.text("02"), .text("a"), .integer(1)], [.null, .text("a"), .integer(2)],
            ])
    }

    @Test func `top takes the most of the first measure, ties by dimension, n a last`() throws {
        let question = try analysis(["satisfaction_rate", "count"], by: [.unit], top: 4)
        let result = try partial(
            question,
            [
                (["a"], [0, 0, 9]), (["b"], [1, 2, 5]), (["d"], [3, 4, 1]), (["c"], [3, 4, 2]), (["e"], [0, 1, 7]),
                (["f"], [0, 0, 1]),
            ])
        #expect(
            try result.table(for: question).rows.map(\.cells.first) == [.text("c"), .text("d"), .text("b"), .text("e")])
        let all = try analysis(["satisfaction_rate", "count"], by: [.unit], top: 100)
        #expect(try result.table(for: all).rows.map(\.cells.first).suffix(2) == [.text("a"), .text("f")])
    }

    @Test func `one group too many is an error that says what to do`() throws {
        let question = try analysis(by: [.unit])
        var result = PartialResult(for: question)
        for group in 0..<PartialResult.groupsMax { try result.add(key: [ExactText("\(group)")], sums: [1]) }
        try result.add(key: ["0"], sums: [1])
        #expect(errorCode { try result.add(key: ["new"], sums: [1]) } == "E_ANALYSIS_TOO_MANY_GROUPS")
        let more = try partial(question, [(["other"], [1])])
        #expect(errorCode { try result.merge(more) } == "E_ANALYSIS_TOO_MANY_GROUPS")
    }

    @Test func `an overflow and a wrong width are errors, not traps`() throws {
        let question = try analysis(by: [.unit])
        var result = try partial(question, [(["a"], [.max])])
        #expect(errorCode { try result.add(key: ["a"], sums: [1]) } == "E_ANALYSIS_ANSWER")
        #expect(errorCode { try result.add(key: [], sums: [1]) } == "E_ANALYSIS_ANSWER")
        #expect(errorCode { try result.add(key: ["a"], sums: []) } == "E_ANALYSIS_ANSWER")
        let other = PartialResult(for: try analysis(["count", "open"], by: [.unit]))
        try result.merge(other)
        #expect(result.groups.mapValues(\.sums) == [["a"]: [.max]])
    }

    @Test(arguments: [
        #"{"keyCount":1,"sumCount":1,"keys":[["a"]],"sums":[]}"#,
        #"{"keyCount":1,"sumCount":1,"keys":[["a","b"]],"sums":[[1]]}"#,
        #"{"keyCount":-1,"sumCount":1,"keys":[["a"]],"sums":[[1]]}"#,
        #"{"keyCount":1,"sumCount":1,"keys":[["a"],["a"]],"sums":[[9223372036854775807],[1]]}"#,
    ])
    func `a malformed partial from a peer is refused`(json: String) {
        #expect(
            errorCode { _ = try JSONDecoder().decode(PartialResult.self, from: Data(json.utf8)) } == "E_ANALYSIS_ANSWER"
        )
    }

    @Test func `cells are plain JSON values`() throws {
        let row: [FieldValue] = [.null, .text("370100"), .integer(1_200), .real(83.33)]
        #expect(String(decoding: try JSONEncoder().encode(row), as: UTF8.self) == #"[null,"370100",1200,83.33]"#)
        #expect(try overTheWire(row) == row)
    }
}
