/// Where the true share behind a sample lies with 95 % certainty (Wilson, 1927). It stays between 0 and 1, also for small samples.
package struct WilsonInterval: Hashable, Sendable {
    package let lower: Double
    package let upper: Double

    /// - Returns: nil for an empty sample, and for more hits than there were tries.
    package init?(_ hits: Int, of tries: Int) {
        guard tries > 0, (0...tries).contains(hits) else { return nil }
        let (n, share) = (Double(tries), Double(hits) / Double(tries))
        let square = Self.z * Self.z
        let middle = share + square / (2 * n)
        let half = Self.z * (share * (1 - share) / n + square / (4 * n * n)).squareRoot()
        lower = max(0, (middle - half) / (1 + square / n))
        upper = min(1, (middle + half) / (1 + square / n))
    }

    /// The 97.5 % point of the standard normal distribution.
    static let z = 1.959963984540054
}
