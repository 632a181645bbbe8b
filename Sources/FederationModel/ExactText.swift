/// A text that is what its bytes are, as SQLite and every other node compare it.
///
/// Swift holds two strings for equal that Unicode holds for equivalent (`Å` as a letter, as the sign of a unit, and as `A` with a
/// ring). A key, a name or a value by which rows are told apart is another one when a byte of it is another, so whatever
/// finds such texts again holds them like this.
package struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    package static func == (a: ExactText, b: ExactText) -> Bool { a.text.isSame(as: b.text) }

    package func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }

    package static func < (a: ExactText, b: ExactText) -> Bool { a.text.precedes(b.text) }
}

extension String {
    /// Whether both have the same bytes.
    package func isSame(as other: String) -> Bool {
        let isSame = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { Self.areSame(bytes, $0) }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// Eight bytes at a time, because an intake compares keys more often than it does anything else.
    private static func areSame(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        let (a, b) = (UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b))
        var place = 0
        while place + 8 <= a.count {
            guard
                a.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    == b.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            else { return false }
            place += 8
        }
        return a[place...].elementsEqual(b[place...])
    }

    /// Whether it stands before `other` in the order of bytes, which is SQLite's.
    package func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

    func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Ends it, as in no text: of two texts in a row it matters where one ends.
        hasher.combine(0xff as UInt8)
    }
}
