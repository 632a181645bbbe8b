import FederationModel

/// Reads the language of declarations (``Condition``) from the left to the right.
struct DeclarationParser {
    /// Longest declaration in bytes of UTF-8: its parts become parts of one SQL expression, whose depth is limited
    /// (https://www.sqlite.org/limits.html, 6).
    static let bytesMax = 2_000
    /// Parentheses and `not` in one another.
    private static let depthMax = 32

    private enum Token: Hashable {
        case word(String)
        case number(Int64)
        case text(String)
        case sign(String)
    }

    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    /// - Throws: `E_INDICATOR_INVALID`.
    init(_ text: String) throws(FederationError) {
        guard text.utf8.count <= Self.bytesMax else {
            throw Self.invalid("it is longer than \(Self.bytesMax) bytes")
        }
        tokens = try Self.tokens(of: Array(text.unicodeScalars))
    }

    // MARK: - Grammar

    typealias Kinds = (String) -> Fact.Kind?

    mutating func condition(_ kinds: Kinds) throws(FederationError) -> Criterion {
        guard !tokens.isEmpty else { return .always }
        let condition = try alternatives(kinds)
        try end()
        return condition
    }

    mutating func aggregate(_ kinds: Kinds) throws(FederationError) -> (Aggregate.Function, Criterion) {
        let function = try function(kinds)
        guard take(word: "where") else {
            try end()
            return (function, .always)
        }
        let condition = try alternatives(kinds)
        try end()
        return (function, condition)
    }

    private mutating func function(_ kinds: Kinds) throws(FederationError) -> Aggregate.Function {
        guard case .word(let word)? = next else { throw Self.noFunction }
        position += 1
        switch word {
        case "count": return .count
        case "persons": return .persons
        case "sum": return .sum(try argument(kinds))
        case "least": return .least(try argument(kinds))
        case "greatest": return .greatest(try argument(kinds))
        default:
            guard word.first == "p", let percent = Int(word.dropFirst()), (1...99).contains(percent) else {
                throw Self.noFunction
            }
            return .quantile(percent, try argument(kinds))
        }
    }

    private static var noFunction: FederationError {
        invalid("it begins with none of count, sum(…), least(…), greatest(…), p1(…) to p99(…), persons")
    }

    private mutating func argument(_ kinds: Kinds) throws(FederationError) -> Operand {
        try expect("(")
        let (operand, kind) = try sum(kinds)
        guard kind == .number else { throw Self.invalid("a sum, a least or greatest value or a quantile of texts") }
        try expect(")")
        return operand
    }

    private mutating func alternatives(_ kinds: Kinds) throws(FederationError) -> Criterion {
        var parts = [try conjunction(kinds)]
        while take(word: "or") { parts.append(try conjunction(kinds)) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction(_ kinds: Kinds) throws(FederationError) -> Criterion {
        var parts = [try negation(kinds)]
        while take(word: "and") { parts.append(try negation(kinds)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation(_ kinds: Kinds) throws(FederationError) -> Criterion {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw Self.invalid("more than \(Self.depthMax) levels") }
        if take(word: "not") { return .not(try negation(kinds)) }
        guard take(sign: "(") else { return try comparison(kinds) }
        let inner = try alternatives(kinds)
        try expect(")")
        return inner
    }

    private mutating func comparison(_ kinds: Kinds) throws(FederationError) -> Criterion {
        let (left, kind) = try sum(kinds)
        if take(word: "is") {
            let isPresent = take(word: "not")
            guard take(word: "null") else { throw Self.invalid("is without null") }
            return isPresent ? .not(.isMissing(left)) : .isMissing(left)
        }
        if take(word: "in") {
            try expect("(")
            var choices: [Criterion] = []
            repeat {
                let (choice, choiceKind) = try sum(kinds)
                guard choiceKind == kind else { throw Self.invalid("a text is compared with a number") }
                choices.append(.compare(left, .equal, choice))
            } while take(sign: ",")
            try expect(")")
            return .any(choices)
        }
        guard case .sign(let sign)? = next, let comparison = Criterion.Comparison(rawValue: sign) else {
            guard kind == .number else { throw Self.invalid("a text stands where a condition must") }
            return .compare(left, .equal, .number(1))
        }
        position += 1
        let (right, rightKind) = try sum(kinds)
        guard rightKind == kind else { throw Self.invalid("a text is compared with a number") }
        return .compare(left, comparison, right)
    }

    private mutating func sum(_ kinds: Kinds) throws(FederationError) -> (Operand, Fact.Kind) {
        var (result, kind) = try operand(kinds)
        while case .sign(let sign)? = next, sign == "+" || sign == "-" {
            position += 1
            let (right, rightKind) = try operand(kinds)
            guard kind == .number, rightKind == .number else { throw Self.invalid("arithmetic with a text") }
            result = sign == "+" ? .plus(result, right) : .minus(result, right)
        }
        return (result, kind)
    }

    mutating func operand(_ kinds: Kinds) throws(FederationError) -> (Operand, Fact.Kind) {
        guard let token = next else { throw Self.invalid("it ends too early") }
        position += 1
        switch token {
        case .text(let text): return (.text(text), .text)
        case .number(let number): return (.number(number), .number)
        case .word("now"): return (.asOf, .number)
        case .word("coalesce"):
            try expect("(")
            let (first, kind) = try operand(kinds)
            try expect(",")
            let (second, secondKind) = try operand(kinds)
            try expect(")")
            guard kind == secondKind else { throw Self.invalid("coalesce of a text and a number") }
            return (.coalesce(first, second), kind)
        case .word("working"):
            try expect("(")
            let (begin, kind) = try operand(kinds)
            try expect(",")
            let (end, endKind) = try operand(kinds)
            try expect(")")
            guard kind == .number, endKind == .number else { throw Self.invalid("working time between texts") }
            return (.workingTime(begin, end), .number)
        case .word(let name):
            guard let kind = kinds(name) else {
                throw FederationError(
                    "E_ANALYSIS_UNKNOWN",
                    "an indicator reads the column \(name.prefix(64)), which its fact does not have")
            }
            return (.column(name), kind)
        case .sign(let sign): throw Self.invalid("\(sign) stands where a value must")
        }
    }

    // MARK: - Tokens

    private var next: Token? { position < tokens.count ? tokens[position] : nil }

    private mutating func take(word: String) -> Bool { take(.word(word)) }
    private mutating func take(sign: String) -> Bool { take(.sign(sign)) }

    private mutating func take(_ token: Token) -> Bool {
        guard next == token else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ sign: String) throws(FederationError) {
        guard take(sign: sign) else { throw Self.invalid("\(sign) is missing") }
    }

    private func end() throws(FederationError) {
        guard position == tokens.count else { throw Self.invalid("something is left over behind its end") }
    }

    private static func tokens(of scalars: [Unicode.Scalar]) throws(FederationError) -> [Token] {
        var tokens: [Token] = []
        var position = 0
        func run(_ isPart: (Unicode.Scalar) -> Bool) -> String {
            let begin = position
            while position < scalars.count, isPart(scalars[position]) { position += 1 }
            return String(String.UnicodeScalarView(scalars[begin..<position]))
        }
        while position < scalars.count {
            let scalar = scalars[position]
            switch scalar {
            case " ", "\n", "\t": position += 1
            case "a"..."z": tokens.append(.word(run { "a"..."z" ~= $0 || "0"..."9" ~= $0 || $0 == "_" || $0 == "." }))
            case "0"..."9":
                let digits = run { "0"..."9" ~= $0 }
                let unit = run { "a"..."z" ~= $0 }
                guard let number = Int64(digits), number <= 1_000_000_000, let length = units[unit] else {
                    throw invalid("a number is too large, or has a unit other than s, min, h, d")
                }
                tokens.append(.number(number * length))
            case "'":
                position += 1
                tokens.append(.text(run { $0 != "'" }))
                guard position < scalars.count else { throw invalid("a text does not end") }
                position += 1
            case "<", ">", "=":
                tokens.append(.sign(run { "<>=".unicodeScalars.contains($0) }))
            case "(", ")", ",", "+", "-":
                position += 1
                tokens.append(.sign(String(scalar)))
            default: throw invalid("it has a character that means nothing there")
            }
        }
        return tokens
    }

    /// Milliseconds of a unit.
    private static let units: [String: Int64] = ["": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000]

    private static func invalid(_ reason: String) -> FederationError {
        FederationError("E_INDICATOR_INVALID", "a declaration can't be read: \(reason)")
    }
}
