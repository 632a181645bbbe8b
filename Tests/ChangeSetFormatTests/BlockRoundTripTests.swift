import ChangeSetFormat
import FederationModel
import Testing

@Suite struct `The blocks of a change-set` {
    @Test(arguments: 0..<150 as Range<UInt64>) func `come back as they were written`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let tables = (0..<Int.random(in: 0...2, using: &random)).map { _ in anyRows(&random) }
        let blocks = zip(tables, [BlockKind.tail, .sweep]).map { block($0, kind: $1) }
        #expect(try PlainChangeSet(blocks).rows() == tables)
    }

    @Test func `keep the sign of zero and the smallest and largest doubles`() throws {
        let reals: [Double] = [-0.0, 0, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, .pi]
        let rows = reals.enumerated().map { row("\($0)", Array(repeating: .null, count: 6) + [.real($1)]) }
        let read = try PlainChangeSet([block(rows)]).rows()[0].map { $0[4 + 6] }
        let bits = read.map { value -> UInt64? in if case .real(let real) = value { real.bitPattern } else { nil } }
        #expect(bits == reals.map(\.bitPattern))
    }

    @Test func `hold no column of which no row has a value`() throws {
        let decoded = try PlainChangeSet([block([row("a"), row("b")])]).decoded()
        #expect(decoded[0].columns.map(\.name) == ["origin", "key", "version", "deleted", "name"])
    }

    @Test func `may state that a bucket is empty`() throws {
        let decoded = try PlainChangeSet([block([], kind: .sweep)]).decoded()
        #expect(decoded.map(\.rowCount) == [0])
        #expect(decoded[0].kind == .sweep)
    }

    @Test func `show their cells as they show their values`() throws {
        var random = SplitMix64(seed: 7)
        let rows = (0..<50).map { row("\($0)", anyFields(&random)) }
        let changeSet = PlainChangeSet([block(rows)])
        let decoded = try changeSet.decoded()[0]
        changeSet.payload.withUnsafeBytes { payload in
            decoded.withCells { cells in
                for row in rows.indices {
                    for (cell, column) in zip(cells, decoded.columns) {
                        let value: FieldValue =
                            switch cell[row] {
                            case .null: .null
                            case .text(let range): .text(String(decoding: payload[range], as: UTF8.self))
                            case .integer(let integer): .integer(integer)
                            case .real(let real): .real(real)
                            }
                        #expect(value == column.value(row, payload: payload))
                    }
                }
            }
        }
    }

    private func anyRows(_ random: inout SplitMix64) -> [SampleRow] {
        let count = Int.random(in: 1...(Bool.random(using: &random) ? 3 : 70), using: &random)
        let isConstant = Bool.random(using: &random)
        let constant = anyFields(&random)
        return (0..<count).map { row("k\($0)", isConstant ? constant : anyFields(&random)) }
    }
}

private let texts = [
    "", "路灯不亮", "a", "👨‍👩‍👧 与 𠮷", "line\nline", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10ffff}",
    String(repeating: "长", count: 3_000),
]
private let integers: [Int64] = [0, 1, -1, .max, .min, 1_790_000_000_000]
private let reals: [Double] = [0, 36.65, -1e308, .leastNonzeroMagnitude]

func anyFields(_ random: inout SplitMix64) -> [FieldValue] {
    sample.columns.map { column in
        if Int.random(in: 0..<4, using: &random) == 0 { return .null }
        return switch column.type.storage {
        case .text: texts.randomElement(using: &random).map { .text($0) } ?? .null
        case .integer: integers.randomElement(using: &random).map { .integer($0) } ?? .null
        case .real: reals.randomElement(using: &random).map { .real($0) } ?? .null
        }
    }
}
