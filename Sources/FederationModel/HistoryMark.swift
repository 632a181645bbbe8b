/// Tells by which commit a seq was given out: a random number that the sender keeps with the seq, and the receiver with its cursor
/// (design rule 6). Two databases that came to one seq by different commits differ in it, whatever their heads and epochs say.
package struct HistoryMark: Hashable, Sendable, LosslessStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    /// Reads the form that `description` writes, hexadecimal.
    package init?(_ text: String) {
        guard let value = UInt64(text, radix: 16) else { return nil }
        self.value = value
    }

    package var description: String { String(value, radix: 16) }
}
