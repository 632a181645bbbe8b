import FederationModel

extension PartialResult {
    /// Adds what ClickHouse answers to a statement, as tab-separated lines.
    ///
    /// - Throws: as `add`, and `E_ANALYSIS_ANSWER` for what it does not answer.
    package mutating func add(_ answer: String, of query: WarehouseQuery) throws(FederationError) {
        for line in answer.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(Self.text)
            var rest = fields[...]
            guard rest.count >= query.keyCount + query.sums.count else { throw .badAnswer("too few columns") }
            let key = rest.prefix(query.keyCount).map { $0.map { ExactText($0) } }
            rest = rest.dropFirst(query.keyCount)
            var sums = Array(repeating: Int64(0), count: sumCount)
            for place in query.sums {
                guard let sum = rest.removeFirst().flatMap({ Int64($0) }) else {
                    throw .badAnswer("a sum that is none")
                }
                sums[place] = sum
            }
            var states = stateKinds.map(\.empty)
            for place in query.states {
                let kind = stateKinds[place]
                guard rest.count >= kind.columns else { throw .badState }
                states[place] = try MergeableState(kind, columns: Array(rest.prefix(kind.columns)))
                rest = rest.dropFirst(kind.columns)
            }
            try add(key: key, Group(sums: sums, states: states))
        }
    }

    /// A field of a line; nil for a missing value.
    private static func text(_ field: Substring.UTF8View.SubSequence) -> String? {
        if field.elementsEqual("\\N".utf8) { return nil }
        guard field.contains(UInt8(ascii: "\\")) else { return String(Substring(field)) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in field {
            if isEscaped {
                bytes.append(Self.escapes[byte] ?? byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 0x0a, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "b"): 0x08,
        UInt8(ascii: "f"): 0x0c, UInt8(ascii: "0"): 0,
    ]
}

extension MergeableState.Kind {
    /// How many columns a statement has for it.
    fileprivate var columns: Int {
        switch self {
        case .least, .greatest: 1
        case .distribution, .distinct: 2
        }
    }
}

extension MergeableState {
    /// - Parameter columns: of least and greatest the value; of a distribution some values, and the buckets of all with their numbers; of
    ///   persons some hashes, and the registers of all with each rank that was seen.
    fileprivate init(_ kind: Kind, columns: [String?]) throws(FederationError) {
        func numbers<Number: FixedWidthInteger>(_ text: Substring) throws(FederationError) -> [Number] {
            guard text.first == "[", text.last == "]" else { throw .badState }
            let words = text.dropFirst().dropLast().split(separator: ",")
            let numbers = words.compactMap { Number($0) }
            guard numbers.count == words.count else { throw .badState }
            return numbers
        }
        switch kind {
        case .least, .greatest: try self.init(kind, text: columns[0] ?? "")
        case .distribution:
            let parts = (columns[1] ?? "").dropFirst().dropLast().split(separator: "],")
            guard parts.count == 2 else { throw .badState }
            let (buckets, counts): ([Int], [Int64]) = (try numbers(parts[0] + "]"), try numbers(parts[1]))
            guard buckets.count == counts.count else { throw .badState }
            self = .distribution(
                try Distribution(values: numbers((columns[0] ?? "")[...]), buckets: Array(zip(buckets, counts))))
        case .distinct:
            self = .distinct(
                try DistinctCount(
                    hashes: numbers((columns[0] ?? "")[...]), registers: numbers((columns[1] ?? "")[...])))
        }
    }
}
