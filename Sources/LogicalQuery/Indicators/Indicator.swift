import FederationModel

/// A figure that people know by name, with what it means in words and how it is computed.
package struct Indicator: Hashable, Sendable {
    package let measure: Analysis.Measure
    package let title: String
    package let english: String
    /// Where it comes from: a clause, a law, a chapter of practice.
    package let clause: String
    /// 分子 and 分母 in words; of a count, what is counted.
    package let numerator: String
    package let denominator: String?
    /// What is left out, in words; nil when nothing is.
    package let exclusions: String?
    /// Who has defined it.
    package fileprivate(set) var source = Source.program

    package enum Source: String, Hashable, Sendable {
        case program
        /// The registration of an external data set.
        case dataset
        /// The top node, for everybody.
        case published
        /// This node, for itself.
        case own
    }

    package var name: String { measure.name }

    /// With the unit, where it is not a count.
    package var heading: String {
        switch measure.unit {
        case .count: title
        case .percent: "\(title)%"
        case .hours: "\(title)(小时)"
        case .minutes: "\(title)(分钟)"
        case .seconds: "\(title)(秒)"
        case .perTenThousand: "\(title)(件/万人)"
        }
    }

    package init(
        _ measure: Analysis.Measure, title: String, english: String, clause: String, numerator: String,
        denominator: String? = nil, exclusions: String? = nil
    ) {
        self.measure = measure
        self.title = title
        self.english = english
        self.clause = clause
        self.numerator = numerator
        self.denominator = denominator
        self.exclusions = exclusions
    }
}

/// The indicators that a node knows.
package struct IndicatorLibrary: Sendable {
    package private(set) var all: [Indicator]

    package func has(_ indicator: Indicator) -> Bool {
        all.contains { $0.name == indicator.name || $0.title == indicator.title }
    }

    /// Adds figures; one whose name is there already takes its place.
    package mutating func adopt(_ indicators: [Indicator], from source: Indicator.Source) {
        for indicator in indicators {
            var indicator = indicator
            indicator.source = source
            if let index = all.firstIndex(where: { $0.name == indicator.name }) {
                all[index] = indicator
            } else {
                all.append(indicator)
            }
        }
    }

    /// By its name; dashes stand for underscores (`on-time-rate`). By its Chinese title too.
    ///
    /// - Throws: `E_ANALYSIS_UNKNOWN` with the nearest name and all known ones.
    package func named(_ text: String) throws(FederationError) -> Indicator {
        let name = text.withUnderscores
        guard let indicator = all.first(where: { $0.name == name || $0.title == text }) else {
            throw .unknownWord(text, kind: "measure", known: all.map(\.name), code: "E_ANALYSIS_UNKNOWN")
        }
        return indicator
    }

    package static let builtIn = IndicatorLibrary(all: Indicator.builtIn)
}

extension Analysis.Measure {
    /// 诉求量, which is measured when nothing else is named.
    package static let count = Indicator.builtIn[0].measure
    /// 呼入量.
    static let callCount = Indicator.builtIn.first { $0.name == "call_count" }?.measure ?? count
}
