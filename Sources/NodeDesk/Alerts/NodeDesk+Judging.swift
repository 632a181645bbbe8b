import Detection
import FederationModel
import Foundation
import LocalStore

extension NodeDesk {
    /// What was decided longer ago raises nothing any more: old records that are handed in later are for `rule backtest`.
    static let alertHorizon: UnixMilliseconds = 7 * ShanghaiTime.day

    /// What one turn of judging came to.
    package struct JudgingTurn: Sendable {
        /// Alerts that this node had not raised before.
        package var raised: [String] = []
        package var withdrawn = 0
        /// Tickets that had changed.
        package var tickets = 0
        /// Whether nothing is left that changed.
        package var isEnd = true
        /// Counties of which tickets changed: texts of theirs may be alike. nil for those of none.
        package var counties: Set<String?> = []
        /// Hours whose alert stands at its level already: what it rests on is written by ``judge(_:)`` later.
        package var hours: Set<SeriesHour> = []
    }

    /// An hour (since 1970) of a series.
    package struct SeriesHour: Hashable, Sendable {
        package let series: CountSubject
        package let hour: Int64
    }

    /// Judges what has changed since the last time, by every rule that looks at tickets and at running hours. Only tickets that a change
    /// concerns are read. Judging the same again changes nothing.
    package func judgeChanges() async throws -> JudgingTurn {
        try await perform(.judge) { now in
            let cursor = try await store.detectionCursor()
            let changes = try await store.changedObservations(after: cursor)
            guard changes.upto > cursor else { return JudgingTurn() }
            let rules = try rulesInForce()
            var judgements = Judgements()
            var hours: Set<SeriesHour> = []
            let since = now - Self.alertHorizon
            for rule in rules.rules {
                let changed = (changes.tickets + changes.former).filter { $0.at >= since - rule.pause }
                switch rule.method {
                case .immediate:
                    let tickets = changes.tickets.filter { $0.at >= since }
                    for ticket in changed {
                        guard let subject = rule.subject(of: ticket) else { continue }
                        judgements.judged.insert(.subject(subject.digest(under: rule), since...now + ShanghaiTime.day))
                    }
                    try add(rule.judge(tickets), since: since, to: &judgements)
                case .repeated, .group:
                    try await judge(rule, around: changed, since: since, into: &judgements)
                case .surgeHour:
                    let touched = Self.hours(of: changed.filter { $0.at >= since })
                    hours.formUnion(try await judge(touched, rule, isFirst: true, into: &judgements))
                case .cluster, .surgeDay, .surgeSparse, .trend, .silence: break
                }
            }
            var turn = try await write(judgements, upto: changes.upto, now: now)
            turn.tickets = changes.tickets.count
            turn.isEnd = changes.isEnd
            turn.hours = hours
            turn.counties = Set((changes.tickets + changes.former).filter { $0.at >= since }.map(\.county))
            return turn
        }
    }

    /// Judges the texts of counties.
    package func judgeTexts(of counties: Set<String?>) async throws -> JudgingTurn {
        try await perform(.judge) { now in
            let since = now - Self.alertHorizon
            var judgements = Judgements()
            for rule in try rulesInForce().rules where rule.method == .cluster {
                for county in counties {
                    let tickets = try await store.observations(
                        inCounty: county, since - rule.pause..<now + ShanghaiTime.day)
                    judgements.judged.insert(.place(rule: rule.id, county, since...now + ShanghaiTime.day))
                    try add(rule.judge(tickets), since: since, to: &judgements)
                }
            }
            return try await write(judgements, upto: nil, now: now)
        }
    }

    /// Counties with tickets of which texts may still be judged, for a service that has just begun.
    package func countiesToJudge() async throws -> Set<String?> {
        try await perform(.judge) { now in try await store.countiesObserved(since: now - Self.alertHorizon) }
    }

    /// Judges the days that have closed: the last, and the one before it, of which late tickets may have come.
    package func judgeDays() async throws -> JudgingTurn {
        try await perform(.judge) { now in
            var judgements = Judgements()
            let today = ShanghaiTime.dayNumber(now)
            let rules = try rulesInForce().rules
            let weeks = rules.map { $0.parameter(.weeks) }.max() ?? 0
            let special = (today - 2..<today).flatMap {
                DetectionRule.days(toJudge: $0, specialDates: reference.specialDates)
            }
            let first = ([today - 9 - Int64(weeks) * 7] + special).min() ?? today
            let all = try await store.dayCounts(on: today - 2..<today, since: first)
            for series in all where serves(series.subject.place) {
                for rule in rules where rule.scope.contains(series.subject) {
                    for day in today - 2..<today {
                        let found = rule.judge(
                            closedDay: day, of: series, ownRegion: topology.node(id)?.region,
                            specialDates: reference.specialDates)
                        let midnight = ShanghaiTime.midnight(ofDay: day)
                        judgements.judged.insert(.subject(series.subject.digest(under: rule), midnight...midnight))
                        let time = midnight..<ShanghaiTime.midnight(ofDay: day + 1)
                        if let found { try add([try await withTickets(found, time)], since: 0, to: &judgements) }
                    }
                }
            }
            return try await write(judgements, upto: nil, now: now)
        }
    }

    /// Judges whether children that normally report have gone silent: by what arrived of those that are copied, and by their links.
    package func judgeSilence() async throws -> JudgingTurn {
        try await perform(.judge) { now in
            var judgements = Judgements()
            let links = try await LinkReport.all(of: local, now: now).filter { $0.role == .child }
            for rule in try rulesInForce().rules where rule.method == .silence {
                for child in topology.children(of: id) {
                    let subject = AlertSubject(place: child.code)
                    judgements.judged.insert(.subject(subject.digest(under: rule), now - Self.alertHorizon...now))
                    let minutes = try await store.arrivalMinutes(of: topology.subtree(of: child))
                    var alert: Alert?
                    if let start = minutes.first {
                        alert = rule.judge(
                            silenceAt: now / 60_000,
                            of: ArrivalPattern(node: child, minutes: Set(minutes), start: start))
                    }
                    alert = alert ?? Self.silence(links.filter { $0.peer.id == child }, subject, rule, now: now)
                    try add([alert].compactMap(\.self), since: now - Self.alertHorizon, to: &judgements)
                }
            }
            return try await write(judgements, upto: nil, now: now)
        }
    }

    /// A child that nobody has reached for as long as the rule says, though it was there once: of one in logical mode, whose tickets do not
    /// come, the link is all that tells.
    private static func silence(
        _ links: [LinkReport], _ subject: AlertSubject, _ rule: DetectionRule, now: UnixMilliseconds
    ) -> Alert? {
        guard let last = links.compactMap(\.lastContact).max(), links.allSatisfy({ $0.state == .unreachable }),
            now - last >= UnixMilliseconds(rule.parameter(.silenceMinutes) * 60_000)
        else { return nil }
        return Alert(
            rule, level: .yellow, subject: subject, period: String(ShanghaiTime.minute(last)), decidedAt: last,
            evidence: AlertEvidence(figures: ["silent_minutes": Double((now - last) / 60_000)]))
    }

    // MARK: - Subjects

    /// Judges the subjects of tickets by all tickets that may belong to them.
    private func judge(
        _ rule: DetectionRule, around changed: [ObservedTicket], since: UnixMilliseconds,
        into judgements: inout Judgements
    ) async throws {
        var times: [AlertSubject: ClosedRange<UnixMilliseconds>] = [:]
        var keys: [AlertSubject: ObservationWindow.Key] = [:]
        for ticket in changed {
            guard let subject = rule.subject(of: ticket), let key = Self.key(of: ticket, under: rule) else { continue }
            keys[subject] = key
            let known = times[subject] ?? ticket.at...ticket.at
            times[subject] = min(known.lowerBound, ticket.at)...max(known.upperBound, ticket.at)
        }
        let subjects = Array(times)
        let windows = subjects.compactMap { subject, time in
            keys[subject].map {
                ObservationWindow($0, from: time.lowerBound, to: time.upperBound, pause: rule.pause)
            }
        }
        for ((subject, time), tickets) in zip(subjects, try await store.observations(in: windows)) {
            let own = tickets.filter { rule.subject(of: $0) == subject }
            let first = min(time.lowerBound, own.first?.at ?? time.lowerBound)
            let last = max(time.upperBound, own.last?.at ?? time.upperBound)
            judgements.judged.insert(.subject(subject.digest(under: rule), max(since, first)...max(since, last)))
            try add(rule.judge(own), since: since, to: &judgements)
        }
    }

    private static func key(of ticket: ObservedTicket, under rule: DetectionRule) -> ObservationWindow.Key? {
        rule.method == .repeated ? ticket.person.map { .person($0) } : ticket.place.map { .place($0) }
    }

    // MARK: - Hours

    /// Judges hours again, for all that their alerts rest on now.
    package func judge(_ hours: Set<SeriesHour>) async throws -> JudgingTurn {
        try await perform(.judge) { now in
            var judgements = Judgements()
            for rule in try rulesInForce().rules where rule.method == .surgeHour {
                _ = try await judge(hours, rule, isFirst: false, into: &judgements)
            }
            return try await write(judgements, upto: nil, now: now)
        }
    }

    private static func hours(of tickets: [ObservedTicket]) -> Set<SeriesHour> {
        Set(
            tickets.flatMap { ticket in
                CountSubject.all(of: ticket).map {
                    SeriesHour(series: $0, hour: ticket.at.flooredQuotient(by: 3_600_000))
                }
            })
    }

    /// - Parameter isFirst: whether an alert that stands at its level is left as it is: in a surge it would be written anew with every ticket.
    /// - Returns: the hours of which that is so.
    private func judge(
        _ touched: Set<SeriesHour>, _ rule: DetectionRule, isFirst: Bool, into judgements: inout Judgements
    ) async throws -> Set<SeriesHour> {
        let hours = touched.filter { serves($0.series.region) && rule.scope.contains($0.series.subject) }
        // Nearly all hours have too few tickets to be remarkable, and are done with here.
        let counts = try await store.hourCounts(hours.map { ($0.series, [$0.hour]) })
        let likely = zip(hours, counts).filter { Double($1[$0.hour]) >= rule.parameter(.countMin) }.map(\.0)
        let dates = reference.specialDates
        let series = try await store.hourCounts(
            likely.map { ($0.series, rule.hours(toJudge: $0.hour, specialDates: dates)) })
        var left: Set<SeriesHour> = []
        for (item, series) in zip(likely, series) {
            guard let alert = rule.judge(hour: item.hour, of: series, specialDates: dates) else { continue }
            if isFirst, try await ownLevel(of: alert.key) == alert.level {
                left.insert(item)
                continue
            }
            let time = item.hour * 3_600_000
            try add([try await withTickets(alert, time..<time + 3_600_000)], since: 0, to: &judgements)
        }
        for item in hours where !left.contains(item) {
            let time = item.hour * 3_600_000
            judgements.judged.insert(.subject(item.series.subject.digest(under: rule), time...time))
        }
        return left
    }

    /// The level at which this node's record of an alert stands; nil when it has none, or has withdrawn it.
    private func ownLevel(of alert: String) async throws -> AlertLevel? {
        try await store.thread(alert, of: AlertKind())?.records.first {
            $0.resource.name == CaseResources.alert.name && $0.origin == id.code && $0.fields["withdrawn_at"] == nil
        }?.fields["level"]?.text.flatMap { AlertLevel(rawValue: $0) }
    }

    /// Whether a node sees all of a region: one that lies within its own.
    private func serves(_ region: String?) -> Bool {
        guard let region, let own = topology.node(id)?.region else { return false }
        return RegionRange(own).contains(region)
    }

    /// An alert on a count, with what was counted.
    private func withTickets(_ alert: Alert, _ time: Range<UnixMilliseconds>) async throws -> Alert {
        let series = CountSubject(region: alert.subject.place ?? "", category: alert.subject.category ?? "")
        let tickets = try await store.observations(of: series, time, limit: Self.countedTicketsMax)
        var alert = alert
        alert.evidence = AlertEvidence(of: tickets, figures: alert.evidence.figures)
        return alert
    }

    // MARK: - Writing

    /// Of more tickets an alert names the latest.
    private static let evidenceTicketsMax = 1_000
    /// Of those that were counted, as examples, so many of each county.
    private static let countedTicketsMax = 100

    private func add(_ alerts: [Alert], since: UnixMilliseconds, to judgements: inout Judgements) throws {
        for alert in alerts where alert.decidedAt >= since { judgements.found.append(try found(alert)) }
    }

    private func found(_ alert: Alert) throws -> Judgements.Found {
        var evidence = alert.evidence
        let origins = Set(evidence.tickets.compactMap { NodeID(String($0.prefix { $0 != "-" })) })
        let nodes = AlertKind.concerned(
            place: alert.subject.place, origins: origins,
            isUrgent: alert.level >= .orange || alert.kind == .emergency, topology: topology)
        evidence.tickets = evidence.tickets.suffix(Self.evidenceTicketsMax)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var fields: [String: FieldValue] = [
            "alert_id": .text(alert.key), "rule": .text(alert.rule), "rule_version": .integer(Int64(alert.ruleVersion)),
            "level": .text(alert.level.rawValue), "kind": .text(alert.kind.rawValue), "period": .text(alert.period),
            "decided_at": .integer(alert.decidedAt), "tickets": .integer(Int64(alert.evidence.tickets.count)),
            "persons": .integer(Int64(evidence.persons)),
            "evidence": .text(String(decoding: try encoder.encode(evidence), as: UTF8.self)),
            "nodes": .text(CaseResources.list(nodes.union([id]))),
        ]
        fields["place"] = alert.subject.place.map { .text($0) }
        fields["category"] = alert.subject.category.map { .text($0) }
        return Judgements.Found(
            IntakeRecord(resource: CaseResources.alert.name, key: alert.key, fields: fields), rule: alert.rule,
            subject: alert.subjectDigest, place: alert.subject.place, decidedAt: alert.decidedAt)
    }

    private func write(_ judgements: Judgements, upto: Seq?, now: UnixMilliseconds) async throws -> JudgingTurn {
        // Whoever follows the feed is woken by what is new in it, and by nothing else: this is one of those who follow it.
        let report = try await store.write(judgements, upto: upto, now: now)
        if !judgements.found.isEmpty || !report.withdrawn.isEmpty {
            _ = try await commit(\.head) { report }
        }
        return JudgingTurn(raised: report.raised, withdrawn: report.withdrawn.count)
    }
}
