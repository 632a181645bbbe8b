import FederationModel

/// A rule by which alerts are raised, as data: published by the top node, extended by each node (domain model 3.6).
package struct DetectionRule: Codable, Hashable, Sendable {
    /// As alerts name it: `GROUP`.
    package var id: String
    /// Counted from 1; raised with every change, since an alert says by which version it was judged.
    package var version: Int
    /// What people read.
    package var title: String
    package var method: DetectionMethod
    /// Which of the five situations an alert of it points to.
    package var kind: SituationType
    /// Numbers by their names; what is not named has the method's default.
    package var parameters: [String: Double]
    /// From which value on an alert has a level; what the value is depends on the method.
    package var levels: [String: Double]
    package var scope: Scope
    /// Words that decide by themselves; only where the method reads texts for them.
    package var words: [WordClass]

    /// What it looks at.
    package struct Scope: Codable, Hashable, Sendable {
        /// Beginnings of region codes; empty for everywhere.
        package var regions: [String]
        /// Beginnings of categories; empty for all.
        package var categories: [String]

        package init(regions: [String] = [], categories: [String] = []) {
            self.regions = regions
            self.categories = categories
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            regions = try container.decodeIfPresent([String].self, forKey: .regions) ?? []
            categories = try container.decodeIfPresent([String].self, forKey: .categories) ?? []
        }

        /// Whether a series of counts belongs to it: one of all categories only where it is of all.
        package func contains(_ subject: AlertSubject) -> Bool {
            contains(ObservedTicket(id: "", at: 0, region: subject.place, category: subject.category))
        }

        package func contains(_ ticket: ObservedTicket) -> Bool {
            (regions.isEmpty || regions.contains { ticket.region?.hasPrefix($0) == true })
                && (categories.isEmpty || categories.contains { ticket.category?.hasPrefix($0) == true })
        }
    }

    package init(
        id: String, version: Int = 1, title: String, method: DetectionMethod, kind: SituationType,
        parameters: [String: Double] = [:], levels: [AlertLevel: Double] = [:], scope: Scope = Scope(),
        words: [WordClass] = []
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.method = method
        self.kind = kind
        self.parameters = parameters
        self.levels = Dictionary(uniqueKeysWithValues: levels.map { ($0.key.rawValue, $0.value) })
        self.scope = scope
        self.words = words
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        version = try container.decode(Int.self, forKey: .version)
        title = try container.decode(String.self, forKey: .title)
        method = try container.decode(DetectionMethod.self, forKey: .method)
        kind = try container.decode(SituationType.self, forKey: .kind)
        parameters = try container.decodeIfPresent([String: Double].self, forKey: .parameters) ?? [:]
        levels = try container.decodeIfPresent([String: Double].self, forKey: .levels) ?? [:]
        scope = try container.decodeIfPresent(Scope.self, forKey: .scope) ?? Scope()
        words = try container.decodeIfPresent([WordClass].self, forKey: .words) ?? []
    }

    /// A parameter, or the method's default.
    package func parameter(_ name: DetectionParameter.Name) -> Double {
        parameters[name.rawValue] ?? method.parameters.first { $0.name == name }?.standard ?? 0
    }

    /// The highest level whose threshold a value reaches; nil when it reaches none.
    package func level(of value: Double) -> AlertLevel? {
        AlertLevel.allCases.last { level in
            guard let threshold = levels[level.rawValue] else { return false }
            return method.isRareWhenSmall ? value < threshold : value >= threshold
        }
    }

    /// The least that raises an alert; nil when no level has a threshold.
    var leastThreshold: Double? {
        AlertLevel.allCases.lazy.compactMap { levels[$0.rawValue] }.first
    }
}

/// How a rule judges.
package enum DetectionMethod: String, Codable, CaseIterable, Sendable {
    /// The count of an hour against the same hour of earlier weeks; levels are tail probabilities.
    case surgeHour = "surge_hour"
    /// EWMA of a day's count, adjusted by weekday; levels are widths in standard deviations of the average.
    case surgeDay = "surge_day"
    /// EARS C1, C2, C3 for small counts; levels are standard deviations.
    case surgeSparse = "surge_sparse"
    /// Robust decomposition into trend, week and rest; levels are multiples of the median absolute deviation.
    case trend
    /// Tickets of one person about one matter; levels are tickets.
    case repeated = "repeat"
    /// Distinct persons about one category and place; levels are persons.
    case group
    /// Distinct persons with texts that are alike; levels are persons.
    case cluster
    /// One ticket by its category or its words; a level's number is not used, words have levels of their own.
    case immediate
    /// A node that does not report; levels are multiples of its normal gap.
    case silence

    /// Whether a level is reached from above: a probability is the more remarkable the smaller it is.
    var isRareWhenSmall: Bool { self == .surgeHour }

    /// Whether it judges sets of tickets, and not counts.
    package var judgesTickets: Bool { [.repeated, .group, .cluster, .immediate].contains(self) }

    /// The numbers that a rule may set.
    package var parameters: [DetectionParameter] {
        switch self {
        case .surgeHour:
            [
                .init(.weeks, 8, in: 3...52), .init(.countMin, 10, in: 1...1_000_000),
                .init(.categoryStart, 1e-5, in: 0...1),
            ]
        case .surgeDay:
            [.init(.lambda, 0.3, in: 0.01...1), .init(.weeks, 8, in: 3...52), .init(.countMin, 10, in: 1...1_000_000)]
        case .surgeSparse:
            [.init(.countMin, 3, in: 1...1_000_000), .init(.deviationMin, 0.5, in: 0.01...1_000)]
        case .trend:
            [.init(.weeks, 8, in: 3...52), .init(.countMin, 10, in: 1...1_000_000)]
        case .repeated:
            [.init(.windowHours, 720, in: 1...8_784), .init(.categoryLevels, 3, in: 1...6)]
        case .group:
            [.init(.windowHours, 72, in: 1...8_784), .init(.categoryLevels, 3, in: 1...6)]
        case .cluster:
            [.init(.windowHours, 72, in: 1...8_784), .init(.similarity, 0.6, in: 0.3...1)]
        case .immediate: []
        case .silence:
            [.init(.rateMin, 5, in: 0.1...1_000_000), .init(.silenceMinutes, 30, in: 1...100_000)]
        }
    }
}

/// A number that a rule may set.
package struct DetectionParameter: Hashable, Sendable {
    package enum Name: String, CaseIterable, Sendable {
        /// Weeks of history.
        case weeks
        /// The least count that is remarkable at all.
        case countMin = "count_min"
        /// Series of one category are many, so they count only from this probability on.
        case categoryStart = "category_start"
        /// Weight of the latest day, above 0.
        case lambda
        /// The least standard deviation that a calm baseline is taken to have.
        case deviationMin = "deviation_min"
        case windowHours = "window_hours"
        /// How many levels of the category must be the same.
        case categoryLevels = "category_levels"
        /// The least share of common character pairs (Jaccard).
        case similarity
        /// Arrivals an hour from which on a node is expected to be heard.
        case rateMin = "rate_min"
        case silenceMinutes = "silence_minutes"
    }

    package let name: Name
    package let standard: Double
    package let range: ClosedRange<Double>

    init(_ name: Name, _ standard: Double, in range: ClosedRange<Double>) {
        self.name = name
        self.standard = standard
        self.range = range
    }
}

/// Words that are remarkable wherever they stand, with what is recommended then.
package struct WordClass: Codable, Hashable, Sendable {
    /// As alerts name it: 极端行为.
    package var name: String
    package var level: AlertLevel
    /// Each with its variants; what separates characters, their width and their case do not matter.
    package var words: [String]
    /// Longer words in which one of them means nothing: 跳楼价.
    package var exclusions: [String]
    /// Whom to connect the caller to: 119.
    package var receivers: [String]

    package init(
        _ name: String, _ level: AlertLevel, words: [String], exclusions: [String] = [], receivers: [String] = []
    ) {
        self.name = name
        self.level = level
        self.words = words
        self.exclusions = exclusions
        self.receivers = receivers
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        level = try container.decode(AlertLevel.self, forKey: .level)
        words = try container.decode([String].self, forKey: .words)
        exclusions = try container.decodeIfPresent([String].self, forKey: .exclusions) ?? []
        receivers = try container.decodeIfPresent([String].self, forKey: .receivers) ?? []
    }
}
