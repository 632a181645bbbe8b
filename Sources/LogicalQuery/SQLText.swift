import FederationModel

/// SQL with the values for its places, in their order. Written as a literal, with other SQL in `\(…)`; a value only ever comes in by
/// `SQLText.bound`.
struct SQLText: ExpressibleByStringInterpolation {
    private(set) var sql: String
    private(set) var arguments: [FieldValue]

    private init(sql: String, arguments: [FieldValue]) {
        self.sql = sql
        self.arguments = arguments
    }

    init(stringLiteral sql: String) { self.init(sql: sql, arguments: []) }
    init(stringInterpolation text: Interpolation) { self.init(sql: text.sql, arguments: text.arguments) }

    /// SQL without values.
    init(_ sql: String) { self.init(sql: sql, arguments: []) }

    static func bound(_ value: FieldValue) -> SQLText { SQLText(sql: "?", arguments: [value]) }

    /// With its values in it, for texts that the program alone has written.
    var inlined: String {
        var values = arguments[...]
        return sql.split(separator: "?", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 0 ? String(part) : Self.literal(values.removeFirst()) + part
        }.joined()
    }

    private static func literal(_ value: FieldValue) -> String {
        switch value {
        case .null: "NULL"
        case .integer(let integer): String(integer)
        case .real(let real): String(real)
        case .text(let text): "'\(text.replacing("'", with: "''"))'"
        }
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var sql = ""
        fileprivate var arguments: [FieldValue] = []

        init(literalCapacity: Int, interpolationCount: Int) { sql.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { sql += literal }

        mutating func appendInterpolation(_ text: SQLText) {
            sql += text.sql
            arguments += text.arguments
        }

        mutating func appendInterpolation(_ sql: String) { self.sql += sql }
        mutating func appendInterpolation(_ number: Int) { sql += String(number) }
        mutating func appendInterpolation(_ number: Int64) { sql += String(number) }
    }
}

extension [SQLText] {
    func joined(_ separator: String) -> SQLText {
        var joined = SQLText.Interpolation(literalCapacity: 0, interpolationCount: count)
        for (index, part) in enumerated() {
            if index > 0 { joined.appendLiteral(separator) }
            joined.appendInterpolation(part)
        }
        return SQLText(stringInterpolation: joined)
    }
}
