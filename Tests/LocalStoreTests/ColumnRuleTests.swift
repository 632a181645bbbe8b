import FederationModel
import LocalStore
import TestSupport
import Testing

@Suite struct `A column rule` {
    private static let columns = [ColumnType.text, .integer, .real, .boolean, .timestamp, .json].flatMap { type in
        [true, false].flatMap { required in
            [nil, "channel"].map { list in
                ColumnDefinition("x", "x", type, level: .open, codeList: list, required: required, bytesMax: 8)
            }
        }
    }

    private static let texts = [
        "", "a", "A.b-_9", "12345678", "123456789", "é", "e\u{301}", "\u{212a}", "市", "市市市", "a b", "a\u{0}b", "\u{0}",
        "*", "[", "]", "^",
    ]
    private static let integers: [Int64] = [
        0, 1, 2, -1, .min, .max, ColumnRule.timestamps.lowerBound, ColumnRule.timestamps.upperBound,
        ColumnRule.timestamps.lowerBound - 1, ColumnRule.timestamps.upperBound + 1,
    ]
    private static let reals: [Double] = [
        0, -0.5, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .leastNonzeroMagnitude,
    ]

    private static var values: [FieldValue] {
        texts.map(FieldValue.text) + integers.map(FieldValue.integer) + reals.map(FieldValue.real)
    }

    /// Values go through text in the statement, so that nothing but SQLite reads them.
    private func literal(_ value: FieldValue) -> String {
        switch value {
        case .null: "NULL"
        case .integer(let integer): integer == .min ? "(-9223372036854775807 - 1)" : "\(integer)"
        case .real(let real): real.isInfinite ? (real < 0 ? "-9e999" : "9e999") : "\(real)"
        case .text(let text):
            "CAST(x'" + text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "' AS TEXT)"
        }
    }

    @Test func `says the same in Swift and in SQL`() async throws {
        let owner = try TemporaryStore(jinan)
        var kept = 0
        for column in Self.columns {
            for value in Self.values {
                let condition = column.rule.condition(value: literal(value), type: "typeof(\(literal(value)))")
                let isKept = try await owner.store.rows(sql: "SELECT \(condition)", arguments: [])[0][0] == .integer(1)
                let violation = column.violation(of: value)
                // Whether a code is in its list is asked at intake alone.
                let isBroken =
                    violation.map {
                        $0.code != RowRejection.Rule.notInCodeList.rawValue
                            || $0.reason.contains("shape")
                    } ?? false
                #expect(isKept == !isBroken, "\(column.type) \(column.isRequired) \(column.rule.isCode): \(value)")
                kept += isKept ? 1 : 0
            }
        }
        #expect(kept > 100)
    }
}
