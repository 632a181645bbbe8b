import FederationModel

/// What rules would have raised over a time, and how well that agrees with what is known to have happened.
package enum Backtest {
    /// Something that happened, as the rule that should find it tells it.
    package struct Event: Hashable, Sendable {
        package let rule: String
        package let region: String
        package let category: String
        package let time: ClosedRange<UnixMilliseconds>
        package let tickets: Set<String>

        package init(
            rule: String, region: String, category: String, time: ClosedRange<UnixMilliseconds>, tickets: Set<String>
        ) {
            self.rule = rule
            self.region = region
            self.category = category
            self.time = time
            self.tickets = tickets
        }

        /// Whether an alert speaks of it: it rests on one of its tickets; or, where it rests on a count, it is of a place that has the
        /// event's in it or lies in that, and of a day of the event or the two after, in which averages still remember it.
        func explains(_ alert: Alert) -> Bool {
            if !alert.evidence.tickets.isEmpty { return !tickets.isDisjoint(with: alert.evidence.tickets) }
            let days = ShanghaiTime.dayNumber(time.lowerBound)...ShanghaiTime.dayNumber(time.upperBound) + 2
            return days.contains(ShanghaiTime.dayNumber(alert.decidedAt))
                && alert.subject.place.map { RegionRange($0).contains(region) || RegionRange(region).contains($0) }
                    ?? false
                && alert.subject.category.map { category.hasPrefix($0) } ?? true
        }
    }

    /// How a rule did.
    package struct Score: Hashable, Sendable {
        package let rule: String
        package let raised: Int
        /// Events that this rule should find, and those of them that it found.
        package let planted: Int
        package let found: Int
        /// Alerts that speak of something that happened, whatever rule should have found it.
        package let right: Int

        /// Found ÷ planted; nil without any.
        package var recall: Double? { planted == 0 ? nil : Double(found) / Double(planted) }
        /// Right ÷ raised; nil without any.
        package var precision: Double? { raised == 0 ? nil : Double(right) / Double(raised) }
    }

    package static func score(_ rule: DetectionRule, _ alerts: [Alert], against events: [Event]) -> Score {
        let own = events.filter { $0.rule.isSame(as: rule.id) }
        return Score(
            rule: rule.id, raised: alerts.count, planted: own.count,
            found: own.count { event in alerts.contains { event.explains($0) } },
            right: alerts.count { alert in events.contains { $0.explains(alert) } })
    }

    /// What a rule on counts raises on the days of a time.
    ///
    /// - Parameters:
    ///   - tickets: those of the days, and of the weeks before that say what is usual.
    ///   - region: that of the node that judges.
    package static func alerts(
        _ rule: DetectionRule, counting tickets: [ObservedTicket], days: Range<Int64>, in region: String,
        specialDates: SpecialDates = .none
    ) -> [Alert] {
        var hours: [CountSubject: [Int64: Int]] = [:]
        for ticket in tickets {
            for subject in CountSubject.all(of: ticket) where RegionRange(region).contains(subject.region) {
                hours[subject, default: [:]][ticket.at.flooredQuotient(by: 3_600_000), default: 0] += 1
            }
        }
        let first = tickets.map(\.at).min()?.flooredQuotient(by: 3_600_000) ?? 0
        return hours.filter { rule.scope.contains($0.key.subject) }.flatMap { subject, counts -> [Alert] in
            if rule.method == .surgeHour {
                let series = CountSeries(subject.subject, counts: counts, start: first)
                return counts.keys.filter { days.contains(CountSubject.day(ofHour: $0)) }.compactMap {
                    rule.judge(hour: $0, of: series, specialDates: specialDates)
                }
            }
            let byDay = Dictionary(counts.map { (CountSubject.day(ofHour: $0.key), $0.value) }, uniquingKeysWith: +)
            let series = CountSeries(subject.subject, counts: byDay, start: CountSubject.day(ofHour: first) + 1)
            return days.compactMap {
                rule.judge(closedDay: $0, of: series, ownRegion: region, specialDates: specialDates)
            }
        }.sorted { $0.key.precedes($1.key) }
    }
}

/// What tickets are counted under: a county, a city or a province, and all categories or one at its first level.
package struct CountSubject: Hashable, Sendable {
    /// Six digits; ends in zeros for a city or a province.
    package let region: String
    /// The first level of a category; empty for all.
    package let category: String

    package init(region: String, category: String) {
        self.region = region
        self.category = category
    }

    package var subject: AlertSubject { AlertSubject(place: region, category: category.isEmpty ? nil : category) }

    /// Where and as what a ticket counts.
    package static func all(of ticket: ObservedTicket) -> Set<CountSubject> { all(ticket.region, ticket.category) }

    package static func all(_ region: String?, _ category: String?) -> Set<CountSubject> {
        guard let region, region.utf8.count >= 6 else { return [] }
        let regions: Set = ["\(region.prefix(6))", "\(region.prefix(4))00", "\(region.prefix(2))0000"]
        let categories = [""] + (category?.split(separator: ".").first.map { [String($0)] } ?? [])
        return Set(regions.flatMap { region in categories.map { CountSubject(region: region, category: $0) } })
    }

    static func day(ofHour hour: Int64) -> Int64 { (hour + 8).flooredQuotient(by: 24) }
}

extension DetectionRule {
    /// Judges a day that has closed by the rule's method, where the series is one for it: all categories together, since so many single ones
    /// would be remarkable by chance each day; small counties by EARS and the others by EWMA; and the trend for who looks over all of
    /// its own region. A special date is held against the same date of the years before, once two of them are known.
    package func judge(
        closedDay day: Int64, of series: CountSeries, ownRegion: String?, specialDates: SpecialDates = .none
    ) -> Alert? {
        guard series.subject.category == nil, let place = series.subject.place else { return nil }
        let isFor =
            switch method {
            case .surgeDay: !series.isSparse(before: day)
            case .surgeSparse: !place.hasSuffix("00") && series.isSparse(before: day)
            case .trend: place == ownRegion
            default: false
            }
        guard isFor else { return nil }
        if let baseline = SpecialBaseline(day, of: series, specialDates) {
            return judge(specialDay: day, of: series, against: baseline)
        }
        return switch method {
        case .surgeDay: judge(day: day, of: series, specialDates: specialDates)
        case .surgeSparse: judge(sparseDay: day, of: series)
        default: judge(trendDay: day, of: series)
        }
    }
}
