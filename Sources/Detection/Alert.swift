import FederationModel

/// What a rule found: a value that follows from the tickets and the rule alone. Judging the same again gives the same alert with the same
/// key, at every node that holds the same.
package struct Alert: Hashable, Sendable {
    /// Made from rule, subject and period; it names nobody.
    package let key: String
    package let rule: String
    package let ruleVersion: Int
    package let level: AlertLevel
    package let kind: SituationType
    package let subject: AlertSubject
    /// See ``AlertSubject/digest(under:)``.
    package let subjectDigest: UInt64
    /// The day (`2025-09-30`) or hour (`2025-09-30 10`) on which it was decided, as clocks in China show it.
    package let period: String
    /// The time of what decided it.
    package let decidedAt: UnixMilliseconds
    package var evidence: AlertEvidence

    package init(
        _ rule: DetectionRule, level: AlertLevel, subject: AlertSubject, period: String, decidedAt: UnixMilliseconds,
        evidence: AlertEvidence
    ) {
        self.rule = rule.id
        ruleVersion = rule.version
        self.level = level
        kind = rule.kind
        self.subject = subject
        self.period = period
        self.decidedAt = decidedAt
        self.evidence = evidence
        subjectDigest = subject.digest(under: rule)
        let digits = String(fnv1a64("\(subjectDigest)\n\(period)".utf8), radix: 16)
        let day = period.prefix(10).filter { $0 != "-" }
        key = "\(rule.id)-\(day)-\(String(repeating: "0", count: 16 - digits.count))\(digits)"
    }
}

/// What an alert is about.
package struct AlertSubject: Hashable, Sendable {
    /// A region code, or the code of a node that is silent; nil when the matter is of no one place.
    package var place: String?
    package var category: String?
    /// What else tells the subject from others: a place key, a person's keyed digest, a ticket.
    package var detail: String?

    package init(place: String? = nil, category: String? = nil, detail: String? = nil) {
        self.place = place
        self.category = category
        self.detail = detail
    }

    /// The same for all alerts of one rule about one subject; it names nobody.
    package func digest(under rule: DetectionRule) -> UInt64 { fnv1a64("\(rule.id)\n\(identity)".utf8) }

    /// Different for different subjects.
    private var identity: String { [place, category, detail].map { $0 ?? "" }.joined(separator: "\n") }
}

/// On what an alert rests.
package struct AlertEvidence: Codable, Hashable, Sendable {
    /// Global ids, by the time of the tickets.
    package var tickets: [String]
    /// Distinct persons among them, as far as they can be told apart.
    package var persons: Int
    /// What was counted or computed, and what was expected, each by a name: `observed`, `expected`, `p`.
    package var figures: [String: Double]
    /// Where from: by place, category, unit and hour.
    package var causes: [AlertCause]
    /// Whom to tell, as the rule recommends.
    package var receivers: [String]
    /// Classes of words that were found.
    package var classes: [String]

    package init(
        tickets: [String] = [], persons: Int = 0, figures: [String: Double] = [:], causes: [AlertCause] = [],
        receivers: [String] = [], classes: [String] = []
    ) {
        self.tickets = tickets
        self.persons = persons
        self.figures = figures
        self.causes = causes
        self.receivers = receivers
        self.classes = classes
    }

    /// What tickets show by themselves: who they are, how many persons, where from.
    package init(of tickets: [ObservedTicket], figures: [String: Double] = [:]) {
        let ordered = tickets.sorted(by: isEarlier)
        self.init(
            tickets: ordered.map(\.id), persons: Set(ordered.compactMap(\.person)).count, figures: figures,
            causes: AlertCause.table(of: ordered))
    }
}

/// A line of an alert's cause table.
package struct AlertCause: Codable, Hashable, Sendable {
    package enum Dimension: String, CaseIterable, Codable, Sendable {
        case place
        case category
        case unit
        case hour
    }

    package let dimension: Dimension
    /// A region, a category, a unit, or the hour of the day (`08`).
    package let value: String
    package let tickets: Int

    package init(_ dimension: Dimension, _ value: String, tickets: Int) {
        self.dimension = dimension
        self.value = value
        self.tickets = tickets
    }

    /// The five most frequent values of each dimension, the most frequent first.
    package static func table(of tickets: [ObservedTicket]) -> [AlertCause] {
        Dimension.allCases.flatMap { dimension in
            var counts: [String: Int] = [:]
            for ticket in tickets { if let value = value(dimension, of: ticket) { counts[value, default: 0] += 1 } }
            return counts.map { AlertCause(dimension, $0.key, tickets: $0.value) }
                .sorted { $0.tickets == $1.tickets ? $0.value.precedes($1.value) : $0.tickets > $1.tickets }.prefix(5)
        }
    }

    private static func value(_ dimension: Dimension, of ticket: ObservedTicket) -> String? {
        switch dimension {
        case .place: ticket.county
        case .category: ticket.category
        case .unit: ticket.unit
        case .hour: String(ShanghaiTime.minute(ticket.at).dropFirst(11).prefix(2))
        }
    }
}
