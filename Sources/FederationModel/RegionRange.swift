/// The regions that lie within a region code: GB/T 2260 nests province (2 digits), city (4) and county (6); town and
/// village codes go on to 9 and 12. Zeros fill up a shorter one: 370000 is 37, 370100000000 is 3701.
package struct RegionRange {
    private let prefix: Substring

    package init(_ code: String) {
        let cut = [0, 2, 4, 6, 9].first { code.dropFirst($0).allSatisfy { $0 == "0" } }
        prefix = code.prefix(cut ?? code.count)
    }

    /// How many digits of a code it fixes.
    var prefixLength: Int { prefix.count }

    package func contains(_ code: String) -> Bool { code.hasPrefix(prefix) }
}
