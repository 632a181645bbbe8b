/// What each of the three rates (三率) counts. No law says it, and it was changed over the years, so it is a setting.
package struct ThreeRateWeights: Hashable, Sendable {
    /// Of the indicators that are made with them.
    package let version: Int
    package let response: Double
    package let resolution: Double
    package let satisfaction: Double

    /// - Precondition: they add up to 1.
    package init(version: Int, response: Double, resolution: Double, satisfaction: Double) {
        self.version = version
        self.response = response
        self.resolution = resolution
        self.satisfaction = satisfaction
    }

    package static let standard = ThreeRateWeights(version: 1, response: 0.1, resolution: 0.45, satisfaction: 0.45)
}
