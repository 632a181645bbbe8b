/// Whether `text` is made as the names of resources, fields and lists are: 1 to 64 of a to z, 0 to 9 and `_`.
///
/// What else stands in the place of a name may be what a citizen said, and is in no message.
package func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
}
