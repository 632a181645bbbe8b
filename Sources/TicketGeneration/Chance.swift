import FederationModel

extension SplitMix64 {
    /// An independent stream for one index of one seed.
    init(seed: UInt64, index: Int) {
        var mixer = SplitMix64(seed: seed ^ UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03)
        self.init(seed: mixer.next())
    }

    /// 0 ..< `bound`. The standard library's `random(in:using:)` may change its use of a generator; this does not.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    mutating func int(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// True in `perMille` of a thousand cases.
    mutating func chance(_ perMille: Int) -> Bool { below(1_000) < perMille }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func pick<Element>(_ table: WeightedTable<Element>) -> Element { table[below(table.total)] }
}

/// Values with their shares.
struct WeightedTable<Element: Sendable>: Sendable {
    private let elements: [(upTo: Int, element: Element)]
    let total: Int

    init(_ weighted: [(Element, Int)]) {
        var sum = 0
        elements = weighted.map { element, weight in
            sum += weight
            return (sum, element)
        }
        total = sum
    }

    subscript(position: Int) -> Element {
        elements[elements.firstIndex { position < $0.upTo } ?? elements.count - 1].element
    }
}
