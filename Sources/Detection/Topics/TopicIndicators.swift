import FederationModel

/// What a topic's tickets add up to, as an analysis gives it.
package struct TopicFigures: Hashable, Sendable {
    package var name: String
    package var volume: Int
    package var previousVolume: Int
    package var evaluated: Int
    package var satisfied: Int
    /// Closed tickets and the sum of their days from dispatch to closing.
    package var closed: Int
    package var days: Double
    package var extended: Int
    /// Callbacks that reached somebody, and those of them that said it is not solved.
    package var calledBack: Int
    package var unresolved: Int
    package var returned: Int
    /// Tickets that more than one unit had.
    package var severalUnits: Int

    package init(
        _ name: String, volume: Int, previousVolume: Int, evaluated: Int = 0, satisfied: Int = 0, closed: Int = 0,
        days: Double = 0, extended: Int = 0, calledBack: Int = 0, unresolved: Int = 0, returned: Int = 0,
        severalUnits: Int = 0
    ) {
        self.name = name
        self.volume = volume
        self.previousVolume = previousVolume
        self.evaluated = evaluated
        self.satisfied = satisfied
        self.closed = closed
        self.days = days
        self.extended = extended
        self.calledBack = calledBack
        self.unresolved = unresolved
        self.returned = returned
        self.severalUnits = severalUnits
    }
}

/// 热点, 痛点, 难点, 堵点 (7.2.3): four lists of topics, each by one measure.
package enum TopicIndicator: String, CaseIterable, Sendable {
    /// 热: share of all tickets × growth.
    case hot
    /// 痛: dissatisfied evaluations, as a share × volume.
    case painful
    /// 难: how long it takes against all tickets, + the share extended, + the share unresolved.
    case hard
    /// 堵: the share returned + the share that several units had.
    case blocked

    package var title: String {
        switch self {
        case .hot: "热点"
        case .painful: "痛点"
        case .hard: "难点"
        case .blocked: "堵点"
        }
    }

    /// The topics that have any of it, the most first.
    package func ranking(of topics: [TopicFigures]) -> [(topic: TopicFigures, value: Double)] {
        let volume = topics.reduce(0) { $0 + $1.volume }
        let closed = topics.reduce(0) { $0 + $1.closed }
        let days = topics.reduce(0) { $0 + $1.days } / Double(max(1, closed))
        return topics.map { ($0, value(of: $0, volume: volume, meanDays: days)) }
            .filter { $0.1 > 0 }
            .sorted { $0.1 == $1.1 ? $0.0.name.precedes($1.0.name) : $0.1 > $1.1 }
            .map { (topic: $0.0, value: $0.1) }
    }

    private func value(of topic: TopicFigures, volume: Int, meanDays: Double) -> Double {
        func share(_ part: Int, of all: Int) -> Double { all == 0 ? 0 : Double(part) / Double(all) }
        switch self {
        case .hot:
            return share(topic.volume, of: volume) * Double(topic.volume) / Double(max(1, topic.previousVolume))
        case .painful:
            return share(topic.evaluated - topic.satisfied, of: topic.evaluated) * Double(topic.volume)
        case .hard:
            let duration = topic.closed == 0 || meanDays == 0 ? 0 : topic.days / Double(topic.closed) / meanDays
            return duration + share(topic.extended, of: topic.volume) + share(topic.unresolved, of: topic.calledBack)
        case .blocked:
            return share(topic.returned, of: topic.volume) + share(topic.severalUnits, of: topic.volume)
        }
    }
}
