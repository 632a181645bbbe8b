import FederationModel

/// What happened in an invented period beside everyday life, so that rules can be held against it.
package struct PlantedEvent: Hashable, Sendable {
    /// The rule that should find it.
    package let rule: String
    /// Its county; of what happens in all of them, what they lie in.
    package let region: String
    package let category: String
    /// From its first ticket to its last.
    package let time: ClosedRange<UnixMilliseconds>
    /// The requests, in the order of time; nothing of their handling is invented.
    package let tickets: [IntakeRecord]
}

/// Events for a backtest of rules: surges of an hour, of a day and of a day in all counties, groups, repeats, texts that are alike,
/// sensitive words, emergencies. The same recipe and period give the same. Silence is none: it is in no ticket.
package struct PlantedEvents: Sendable {
    private let recipe: TicketRecipe
    private let days: Range<Int64>
    private let perRule: Int
    /// Of everyday life.
    private let ticketsADay: Double

    /// Before that many days rules know too little of what is usual.
    private static let calmDays: Int64 = 70

    /// - Parameters:
    ///   - days: days since 1970; events lie behind the first ten weeks, from which rules learn what is usual.
    ///   - perRule: how many of each.
    ///   - tickets: how many there are beside them in these days, by which it goes what is remarkable.
    package init(_ recipe: TicketRecipe, days: Range<Int64>, perRule: Int, beside tickets: Int) {
        self.recipe = recipe
        self.days = days
        self.perRule = perRule
        ticketsADay = Double(tickets) / Double(max(1, days.count))
    }

    private enum Kind: String, CaseIterable {
        case surgeHour = "SURGE_HOUR"
        case surgeDay = "SURGE_DAY"
        case group = "GROUP"
        case repeated = "REPEAT"
        case cluster = "CLUSTER"
        case sensitive = "SENSITIVE"
        case emergency = "EMERGENCY"
        case surgeSparse = "SURGE_SPARSE"
        case trend = "TREND_STL"
    }

    /// Counties with fewer tickets a day are judged by another rule than the others.
    private static let smallCounty = 10.0

    /// A surge of a day is one for small counties or one for the others; it would make a small one a large one for weeks.
    private var leftOut: Kind {
        ticketsADay / Double(recipe.places.counties.count) < Self.smallCounty ? .surgeDay : .surgeSparse
    }

    /// All of them, by the time of their first ticket.
    package func events() -> [PlantedEvent] {
        let first = days.lowerBound + Self.calmDays
        guard first < days.upperBound - 2 else { return [] }
        return Kind.allCases.enumerated().filter { $1 != leftOut }.flatMap { position, kind in
            (0..<perRule).map { index -> PlantedEvent in
                var random = SplitMix64(seed: recipe.seed &+ 3 &+ UInt64(position), index: index)
                // Spread over the period, so that one does not hide in another.
                let span = days.upperBound - 2 - first
                let day = first + (span * Int64(index) + Int64(random.below(Int(max(1, span))))) / Int64(perRule)
                return event(kind, index, on: min(day, days.upperBound - 3), &random)
            }
        }.sorted { ($0.time.lowerBound, $0.rule) < ($1.time.lowerBound, $1.rule) }
    }

    private func event(_ kind: Kind, _ index: Int, on day: Int64, _ random: inout SplitMix64) -> PlantedEvent {
        let matter = Matter(type: "2", month: nil, places: recipe.places, random: &random)
        let midnight = ShanghaiTime.midnight(ofDay: day)
        let noon = midnight + Int64(random.int(9...16)) * OfficeHours.hour
        let draft: [(time: UnixMilliseconds, person: Int, place: String?, words: String)] =
            switch kind {
            case .surgeHour:
                (0..<random.int(30...60)).map { _ in (noon + Int64(random.below(3_600)) * 1_000, -1, nil, "") }
            case .surgeDay:
                // As many as on several days of the county.
                (0..<random.int(60...120)).map { _ in (inWorkingDay(midnight, &random), -1, nil, "") }
            case .surgeSparse: (0..<random.int(15...25)).map { _ in (inWorkingDay(midnight, &random), -1, nil, "") }
            case .trend:
                (0..<max(30, Int(ticketsADay))).map { _ in (inWorkingDay(midnight, &random), -1, nil, "") }
            case .group:
                (0..<random.int(5...14)).map { person in
                    (noon + Int64(random.below(40 * 3_600)) * 1_000, person, matter.place, "")
                }
            case .repeated:
                (0..<random.int(3...6)).map { turn in
                    (noon - Int64(turn * random.int(2...5)) * OfficeHours.day, 0, matter.place, "")
                }
            case .cluster:
                (0..<random.int(6...12)).map { _ in
                    (
                        noon + Int64(random.below(40 * 3_600)) * 1_000, -1, nil,
                        "统一反映：\(matter.county.name)\(matter.topic.subject)，\(matter.detail)，请\(matter.topic.demand)"
                    )
                }
            case .sensitive: [(noon, -1, nil, random.pick(["再不解决就跳楼", "我们要集体上访", "准备拉横幅维权"]))]
            case .emergency: [(noon, -1, nil, random.pick(["小区燃气泄漏，有人晕倒", "仓库起火，浓烟很大", "路面塌陷，有人受伤"]))]
            }
        let persons = (0..<14).map { _ in Person(region: matter.county.code, year: 2_024, random: &random) }
        let tickets = draft.enumerated().map { position, line in
            var matter = matter
            if kind == .trend { matter.county = random.pick(recipe.places.counties) }
            return ticket(
                "\(recipe.origin.code)-P\(kind.rawValue)-\(index)-\(position)", at: line.time, matter,
                person: line.person < 0
                    ? Person(region: matter.county.code, year: 2_024, random: &random) : persons[line.person],
                place: line.place, words: line.words, &random)
        }.sorted { time(of: $0) < time(of: $1) }
        let times = tickets.map(time)
        return PlantedEvent(
            rule: kind.rawValue, region: kind == .trend ? recipe.region : matter.county.code,
            category: matter.topic.code, time: (times.first ?? noon)...(times.last ?? noon), tickets: tickets)
    }

    private func inWorkingDay(_ midnight: UnixMilliseconds, _ random: inout SplitMix64) -> UnixMilliseconds {
        midnight + 8 * OfficeHours.hour + Int64(random.below(10 * 3_600)) * 1_000
    }

    private func time(of ticket: IntakeRecord) -> UnixMilliseconds { ticket.fields["requested_datetime"]?.integer ?? 0 }

    private func ticket(
        _ id: String, at time: UnixMilliseconds, _ matter: Matter, person: Person, place: String?, words: String,
        _ random: inout SplitMix64
    ) -> IntakeRecord {
        let place =
            place ?? "\(random.pick(recipe.places.roads))\(random.int(1...380))号\(random.pick(Places.communities))"
        let text =
            words.isEmpty
            ? "市民反映，\(random.pick(Wording.since))\(place)\(matter.topic.subject)，\(random.pick(matter.topic.details))。"
            : "\(words)。"
        var fields: [String: FieldValue] = [
            "global_id": .text(id), "service_request_id": .text(String(id.drop { $0 != "-" }.dropFirst())),
            "requested_datetime": .integer(time), "accepted_datetime": .integer(time + 60_000), "channel": .text("01"),
            "request_type": .text("2"), "service_code": .text(matter.topic.code),
            "service_name": .text(matter.topic.name),
            "title": .text(words.isEmpty ? "\(place)\(matter.topic.subject)" : matter.topic.subject),
            "description": .text(text), "region_code": .text(matter.county.code), "urgency": .text("normal"),
            "acceptance": .text("accepted"), "reporter_kind": .text("person"), "reporter_name": .text(person.name),
            "reporter_phone": .text(person.phone),
        ]
        fields["address_string"] = .text("\(recipe.places.cityName)\(matter.county.name)\(place)")
        return IntakeRecord(resource: BuiltInResources.serviceRequest.name, key: id, fields: fields)
    }
}
