import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

/// What figures are read from that no sum gives.
struct StateTests {
    private func merged(_ parts: [MergeableState]) throws -> MergeableState {
        var merged = parts[0]
        for part in parts.dropFirst() { try merged.merge(part) }
        return merged
    }

    private func state(_ kind: MergeableState.Kind, _ values: some Sequence<Int64>) -> MergeableState {
        var state = kind.empty
        for value in values { state.add(value) }
        return state
    }

    /// Whatever is merged with what, in whatever order, and over the wire: it is what all values give at once.
    @Test(arguments: MergeableState.Kind.allCases, 0..<20)
    func `merging is associative and commutative`(kind: MergeableState.Kind, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let size = [5, 400, 3_000].randomElement(using: &random) ?? 5
        let values = (0..<size).map { _ in
            kind == .distinct
                ? Int64(bitPattern: random.next() % 4 == 0 ? 7 : random.next())
                : Int64.random(in: 0...[9, 1_000_000_000_000].randomElement(using: &random)!, using: &random)
        }
        var parts: [MergeableState] = [kind.empty]
        var rest = values.shuffled(using: &random)[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int.random(in: 1...1_500, using: &random))
            rest = rest.dropFirst(part.count)
            parts.append(state(kind, part))
        }
        while parts.count > 1 {
            parts.shuffle(using: &random)
            let last = try MergeableState(kind, text: parts.removeLast().text)
            try parts[0].merge(last)
        }
        #expect(parts[0] == state(kind, values))
    }

    @Test func `quantiles are exact up to a thousand values, between two of them in proportion`() throws {
        // 7.1.1a-1: 10, 20, 30 and 240 minutes.
        let hop = Distribution([10, 20, 30, 240])
        #expect(hop.quantile(percent: 50) == 25)
        #expect(hop.quantile(percent: 90).map { ($0 * 1_000).rounded() } == 177_000)
        #expect(Distribution([7]).quantile(percent: 99) == 7)
        #expect(Distribution().quantile(percent: 50) == nil)
        #expect(Distribution([-1, -5]).count == 0, "a length is never below 0")
        var random = SplitMix64(seed: 4)
        let values = (0..<Distribution.exactMax).map { _ in Int64.random(in: 0...10_000_000_000, using: &random) }
        let sorted = values.sorted()
        #expect(Distribution(values).quantile(percent: 50) == Double(sorted[499] + sorted[500]) / 2)
    }

    @Test(arguments: [3, 100, 50_000, 400_000_000_000] as [Int64])
    func `beyond a thousand values a quantile is within one percent`(most: Int64) {
        var random = SplitMix64(seed: UInt64(most))
        let values = (0..<20_000).map { _ in
            Int64.random(in: 0...Int64.random(in: 0...most, using: &random), using: &random)
        }
        let sorted = values.sorted()
        let distribution = Distribution(values)
        #expect(distribution.count == 20_000)
        for percent in [1, 25, 50, 75, 90, 95, 99] {
            let rank = Double(percent) / 100 * 19_999
            let (low, high) = (Double(sorted[Int(rank)]), Double(sorted[min(Int(rank) + 1, 19_999)]))
            let exact = low + (rank - rank.rounded(.down)) * (high - low)
            let found = distribution.quantile(percent: percent) ?? -1
            #expect(abs(found - exact) <= exact * 0.01, "\(percent) %: \(found), not \(exact)")
        }
    }

    @Test func `persons are exact up to a thousand, and beyond within some standard errors of 1_6 percent`() {
        var random = SplitMix64(seed: 1)
        func count(_ persons: Int) -> Int64 {
            let hashes = (0..<persons).map { _ in random.next() }
            return DistinctCount(hashes + hashes.prefix(persons / 2)).estimate
        }
        for persons in [0, 1, 5, 999, 1_000] { #expect(count(persons) == Int64(persons)) }
        for persons in [1_001, 3_000, 10_000, 30_000, 100_000, 500_000] {
            let error = abs(Double(count(persons)) - Double(persons)) / Double(persons)
            #expect(error < 0.05, "\(persons): \(error)")
        }
    }

    @Test func `a masked or empty field says of nobody who he is, and the number goes before the telephone`() {
        #expect(PersonDigest.identity(among: ["370102X", "138"]) == "370102X")
        #expect(PersonDigest.identity(among: ["3701****", "138"]) == "138")
        #expect(PersonDigest.identity(among: [nil, "", "138****8000"]) == nil)
        #expect(PersonDigest.hash(ofToken: "~0000000000000010ffffffffffffffff") == 16)
        #expect(PersonDigest.hash(ofToken: "13800138000") == nil)
    }

    /// 1,001 values in two buckets, and what is wrong with each of the others.
    @Test(
        arguments: [
            (
                .distribution,
                [
                    "", "x", "v1 ", "v-1", "v+1", "vzzzzzzzzzzzzzz", "b1", "b1.1", "b1.0 1.rt", "b0.rt 0.rt", "b2v4.rt",
                    "b1.1y2p0ij32e8e7 1.1y2p0ij32e8e7", "b-1.rt", "v1  2",
                    "v" + Array(repeating: "1", count: 1_001).joined(separator: " "),
                ]
            ),
            (
                .distinct,
                [
                    "", "h1 0", "h-1", "h3w5e11264sgsf 1", "r", "r000", "r" + String(repeating: "z", count: 4_096),
                    "r" + String(repeating: "0", count: 4_097),
                    "h" + Array(repeating: "1", count: 1_001).joined(separator: " "),
                ]
            ),
            (.least, ["a", "1.5", "99999999999999999999"]), (.greatest, ["--1"]),
        ] as [(MergeableState.Kind, [String])])
    func `a state that no node writes is refused`(kind: MergeableState.Kind, texts: [String]) {
        for text in texts {
            #expect(errorCode { _ = try MergeableState(kind, text: text) } == "E_ANALYSIS_ANSWER", "\(text.prefix(40))")
        }
    }

    @Test func `registers that no number of persons gives are counted without a trap`() throws {
        for register in ["0", "q", "r"] {
            let text = "r" + String(repeating: register, count: 4_096)
            guard case .distinct(let count) = try MergeableState(.distinct, text: text) else { continue }
            #expect(count.estimate >= 0)
        }
    }

    // MARK: - In a partial result

    private func analysis(_ names: [String]) throws -> Analysis {
        try Analysis(measures: names.map { try .named($0) }, dimensions: [.channel], asOf: 0)
    }

    @Test func `measures of the same lengths share what they are read from, and sums travel as before`() throws {
        let sums = PartialResult(for: try analysis(["count", "closed_rate"]))
        #expect(sums.stateKinds.isEmpty)
        let text = String(decoding: try JSONEncoder().encode(sums), as: UTF8.self)
        #expect(!text.contains("tate"), "as a release before the states has it: \(text)")
        let hop = PartialResult(
            for: try analysis([
                "p50_sign_minutes", "p90_sign_minutes", "max_sign_minutes", "p50_reply_minutes", "person_count",
            ]))
        #expect(hop.stateKinds == [.distribution, .greatest, .distribution, .distinct] && hop.sumCount == 0)
    }

    @Test func `quantiles of two nodes are merged, not averaged`() throws {
        let question = try analysis(["sign_hop_count", "p50_sign_minutes", "p90_sign_minutes", "max_sign_minutes"])
        func city(_ minutes: [Int64]) throws -> PartialResult {
            var partial = PartialResult(for: question)
            let lengths = minutes.map { $0 * 60_000 }
            try partial.add(
                key: ["01"],
                PartialResult.Group(
                    sums: [Int64(minutes.count)], states: [state(.distribution, lengths), state(.greatest, lengths)]))
            return try overTheWire(partial)
        }
        var merged = try city([10, 240])
        try merged.merge(city([30, 20]))
        #expect(
            try merged.table(for: question).rows.map(\.cells) == [
                [.text("01"), .integer(4), .real(25), .real(177), .real(240)]
            ])
        #expect(try merged.table(for: question).rows.map(\.parts) == [[[4], [], [], []]])
    }

    @Test func `no row has no quantile, no greatest value and no person`() throws {
        let question = try Analysis(
            measures: ["p50_sign_minutes", "max_sign_minutes", "person_count"].map { try .named($0) }, asOf: 0)
        #expect(
            try PartialResult(for: question).table(for: question).rows.map(\.cells) == [[.null, .null, .integer(0)]])
    }

    @Test func `an answer with other states, or none, is not one to the question`() throws {
        let question = try analysis(["p50_sign_minutes"])
        let request = try LogicalRequest(
            analysis: question, origins: [node("370300")], deadlineMS: 1, topologyVersion: 1)
        for other in [try analysis(["max_sign_minutes"]), try analysis(["count"])] {
            let answer = LogicalAnswer(
                partial: PartialResult(for: other), nodes: [NodeReport(node: node("370300"), state: .ok)])
            #expect(errorCode { try answer.check(against: request) } == "E_ANALYSIS_ANSWER")
        }
        for json in [
            #"{"keyCount":0,"sumCount":0,"keys":[[]],"sums":[[]],"stateKinds":["distribution"],"states":[[]]}"#,
            #"{"keyCount":0,"sumCount":0,"keys":[[]],"sums":[[]],"stateKinds":["distribution"],"states":[]}"#,
            #"{"keyCount":0,"sumCount":0,"keys":[[]],"sums":[[]],"stateKinds":["distribution"],"states":[["r"]]}"#,
        ] {
            #expect(
                errorCode { _ = try JSONDecoder().decode(PartialResult.self, from: Data(json.utf8)) }
                    == "E_ANALYSIS_ANSWER", "\(json)")
        }
    }

    @Test func `states are bounded together`() throws {
        let question = try analysis(["person_count"])
        var partial = PartialResult(for: question)
        let crowd = state(.distinct, (0..<1_000).map { Int64($0) << 40 })
        var groups = 0
        while errorCode({
            try partial.add(key: [ExactText("\(groups)")], PartialResult.Group(sums: [], states: [crowd]))
        }) == nil {
            groups += 1
        }
        #expect(groups == PartialResult.stateWordsMax / 1_000)
    }

    @Test func `averages of averages can't be written down`() throws {
        for (numerator, denominator) in [
            ("p50(closed_at - dispatched_at)", "count"), ("count", "persons"), ("greatest(round)", "count"),
        ] {
            let term = try Measure.Term(.ticket, base: "", numerator: numerator, denominator: denominator)
            #expect(
                errorCode { _ = try Measure("a", version: 1, unit: .hours, terms: [term]) } == "E_INDICATOR_INVALID")
        }
        let alone = try Measure.Term(.ticket, base: "", numerator: "p50(closed_at - dispatched_at)")
        #expect(
            errorCode { _ = try Measure("a", version: 1, unit: .hours, terms: [alone, alone]) } == "E_INDICATOR_INVALID"
        )
        for aggregate in ["p0(round)", "p100(round)", "p(round)", "median(round)", "persons(round)", "p50(status)"] {
            #expect(errorCode { _ = try Aggregate(aggregate, on: .ticket) } == "E_INDICATOR_INVALID", "\(aggregate)")
        }
    }
}
