import FederationModel

/// How a partial is kept in the database: small and quick to read, for nobody but this release. What travels between nodes is JSON.
extension PartialResult {
    /// The number of groups; of each its labels, its sums and the texts of its states. Numbers are zigzag varints, texts have their length in
    /// front, a label of nothing is -1.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        Self.append(Int64(groups.count), to: &bytes)
        for (key, group) in groups {
            for label in key { Self.append(label?.text, to: &bytes) }
            for sum in group.sums { Self.append(sum, to: &bytes) }
            for state in group.states { Self.append(state.text, to: &bytes) }
        }
        return bytes
    }

    /// - Returns: nil for bytes that are not of a partial of `analysis`.
    package init?(_ bytes: UnsafeRawBufferPointer, of analysis: Analysis) {
        self.init(for: analysis)
        var rest = bytes[...]
        guard let count = Self.number(&rest) else { return nil }
        reserveCapacity(min(max(0, Int(count)), bytes.count))
        for _ in 0..<max(0, count) {
            var key: [ExactText?] = []
            for _ in 0..<keyCount {
                guard let label = Self.text(&rest) else { return nil }
                key.append(label.map { ExactText($0) })
            }
            var group = emptyGroup
            do throws(FederationError) {
                var sums: [Int64] = []
                for _ in 0..<sumCount {
                    guard let sum = Self.number(&rest) else { return nil }
                    sums.append(sum)
                }
                var states: [MergeableState] = []
                for kind in stateKinds {
                    guard case .some(.some(let text)) = Self.text(&rest) else { return nil }
                    states.append(try MergeableState(kind, text: text))
                }
                group = Group(sums: sums, states: states)
                try add(key: key, group)
            } catch {
                return nil
            }
        }
        guard rest.isEmpty else { return nil }
    }

    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: (number << 1) ^ (number >> 63))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func append(_ text: String?, to bytes: inout [UInt8]) {
        guard let text else { return append(-1, to: &bytes) }
        append(Int64(text.utf8.count), to: &bytes)
        bytes += text.utf8
    }

    private static func number(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> Int64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
        }
        return nil
    }

    /// - Returns: nil where there is none; a label of nothing is a text of nothing.
    private static func text(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> String?? {
        guard let count = number(&bytes) else { return nil }
        if count < 0 { return .some(nil) }
        guard count <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return .some(String(decoding: bytes.prefix(Int(count)), as: UTF8.self))
    }
}
