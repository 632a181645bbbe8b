/// How likely a count is that is at least as large as one that was seen: by Poisson where earlier counts vary no more than their mean, else
/// by the negative binomial distribution with the same mean and variance.
///
/// The weights of all counts are made from the most likely one by their ratios and then summed up, with nothing but the four
/// operations, so that every machine finds the same probability to the last bit.
package struct CountTail: Hashable, Sendable {
    package let mean: Double
    /// Of the sample (n − 1).
    package let variance: Double

    package var isOverdispersed: Bool { variance > mean }

    /// - Parameter history: at least two counts.
    package init(history: [Int]) {
        let count = Double(history.count)
        let mean = Double(history.reduce(0, +)) / count
        self.init(
            mean: mean, variance: history.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / (count - 1))
    }

    package init(mean: Double, variance: Double) {
        // Where nothing ever happened, once in as many weeks as there are is still nothing to wonder at.
        self.mean = max(mean, 0.1)
        self.variance = variance
    }

    /// The probability of `count` or more.
    package func probability(atLeast count: Int) -> Double {
        if count <= 0 { return 1 }
        let (mode, below) = modeAndWeightBelow
        var (tail, total) = (0.0, below)
        var (index, weight) = (mode, 1.0)
        // Counts that can't happen any more, as far as a Double can tell, end it.
        while weight > 0 {
            total += weight
            if index >= count { tail += weight }
            if index >= count && weight < tail * 1e-17 { break }
            weight *= ratio(after: index)
            index += 1
        }
        return count > mode ? tail / total : 1 - weights(below: count, mode: mode) / total
    }

    /// The least count whose probability is below `limit`.
    package func threshold(_ limit: Double) -> Int {
        var count = Int(mean)
        while probability(atLeast: count) >= limit { count += 1 }
        return count
    }

    /// How much likelier the next count is.
    private func ratio(after count: Int) -> Double {
        let next = Double(count + 1)
        guard isOverdispersed else { return mean / next }
        let size = mean * mean / (variance - mean)
        return (Double(count) + size) / next * (1 - mean / variance)
    }

    /// The most likely count, with weight 1, and the weight of all that are less.
    private var modeAndWeightBelow: (mode: Int, below: Double) {
        var mode = isOverdispersed ? max(0, Int(mean - variance / mean)) : Int(mean)
        while ratio(after: mode) > 1 { mode += 1 }
        return (mode, weights(below: mode, mode: mode))
    }

    /// The weight of all counts below `count`, which is the mode at most or reached going down from it.
    private func weights(below count: Int, mode: Int) -> Double {
        var (sum, weight, index) = (0.0, 1.0, mode)
        while index > 0 && weight > 0 {
            index -= 1
            weight /= ratio(after: index)
            if index < count { sum += weight }
        }
        return sum
    }
}
