import FederationModel
import Foundation
import TestSupport
import Testing
import Verification

private let jinan = node("370100")

private func digest(_ number: Int) -> RowDigest {
    var random = SplitMix64(seed: UInt64(number))
    return RowDigest(high: random.next(), low: random.next())
}

private func key(_ number: Int) -> String { "370100-" + String(1_000_000 + number) }

private func parted(_ rows: [Int], in range: KeyRange = KeyRange("service_request", jinan)) -> PartedRange {
    var splitter = RangeSplitter(range)
    for row in rows { splitter.add(key: key(row), digest(row)) }
    return splitter.parted
}

@Suite struct `A range of rows` {
    @Test(arguments: [0, 1, 15, 16, 17, 2_048, 2_049, 5_000, 100_000])
    func `is parted into at most 129 that are the whole of it`(rows: Int) throws {
        let whole = parted(Array(0..<rows))
        #expect((1...RangeSplitter.partsMax + 1).contains(whole.parts.count))
        #expect(whole.total.fingerprint.rows == rows)
        #expect(whole.parts.last?.through == nil)
        var sum = Fingerprint()
        for row in (0..<rows).reversed() { sum.add(digest(row)) }
        #expect(whole.total.fingerprint == sum, "the order in which rows are read does not count")
        var after: String?
        for (range, part) in zip(whole.ranges, whole.parts) {
            #expect(range.after == after && range.through == part.through)
            after = part.through
            let inside = (0..<rows).filter { row in
                key(row) > range.after ?? "" && range.through.map { key(row) <= $0 } ?? true
            }
            #expect(inside.count == part.fingerprint.rows)
        }
        let sizes = whole.parts.dropLast().map(\.fingerprint.rows)
        #expect(Set(sizes).count <= 2, "but for the last they are of about equal size: \(sizes)")
    }

    @Test func `is found by two partings among a million`() throws {
        // Each parting of n rows leaves at most n / 64 in a part.
        let first = parted(Array(0..<100_000)).parts.map(\.fingerprint.rows).max() ?? 0
        #expect(first <= 100_000 / 64)
        let bytes = try JSONEncoder().encode(parted(Array(0..<100_000))).count
        #expect(bytes < 16_000, "\(bytes)")
    }

    @Test func `survives its way as JSON, and what is no digest does not`() throws {
        let whole = parted(Array(0..<100))
        #expect(try JSONDecoder().decode(PartedRange.self, from: JSONEncoder().encode(whole)) == whole)
        for text in [
            "", "0", String(repeating: "g", count: 32), String(repeating: "0", count: 33),
            "+" + String(repeating: "0", count: 31),
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([RowDigest].self, from: Data("[\"\(text)\"]".utf8))
            }
        }
    }
}

@Suite struct `Two lists of rows` {
    @Test func `differ by what is missing, extra and different, as the receiver sees it`() {
        func row(_ key: String, _ number: Int) -> RowStatement { RowStatement(key: key, digest: digest(number)) }
        let found = differences(
            granted: [row("a", 1), row("b", 2), row("c", 3)], received: [row("b", 2), row("c", 4), row("d", 5)])
        #expect(found.map(\.key) == ["a", "c", "d"])
        #expect(found.map(\.difference) == [.missing, .different, .extra])
    }

    @Test func `are told apart by bytes, not by what Unicode holds for equal`() {
        let composed = RowStatement(key: "\u{e9}", digest: digest(1))
        let decomposed = RowStatement(key: "e\u{301}", digest: digest(1))
        let found = differences(granted: [composed, decomposed], received: [composed])
        #expect(found.count == 1 && found.first?.key.unicodeScalars.count == 2)
    }
}

@Suite struct `A step of a comparison` {
    @Test func `with more parts than an asker makes is refused`() throws {
        let scope = VerificationScope(sender: jinan, receiver: node("370000"), topologyVersion: 1)
        let rows = (0...VerificationRequest.rowsMax).map { RowStatement(key: key($0), digest: digest($0)) }
        let range = KeyRange("service_request", jinan)
        for step in [
            .rows(range, has: rows), .parts(PartedRange(range: range, parts: [])),
            .resend("service_request", jinan, keys: rows.map(\.key)),
            .release("service_request", jinan, withdrawn: rows.map(\.key), lost: []),
        ] as [VerificationRequest.Step] {
            #expect(errorCode { try VerificationRequest(scope: scope, step: step).check() } == "E_VERIFY_REQUEST")
        }
        try VerificationRequest(scope: scope, step: .rows(range, has: Array(rows.dropLast()))).check()
    }
}
