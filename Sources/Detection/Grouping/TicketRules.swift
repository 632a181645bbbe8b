import FederationModel

extension DetectionRule {
    /// Everything that the rule finds in a set of tickets, by key. It depends on the set alone, not on the order in which they arrived.
    ///
    /// - Parameter tickets: each once, within the rule's scope or not.
    package func judge(_ tickets: [ObservedTicket]) -> [Alert] {
        let alerts =
            switch method {
            case .repeated: repeated(tickets.filter(scope.contains))
            case .group: groups(tickets.filter(scope.contains))
            case .cluster: clusters(tickets.filter(scope.contains))
            case .immediate: immediate(tickets)
            case .surgeHour, .surgeDay, .surgeSparse, .trend, .silence: [Alert]()
            }
        return alerts.sorted { $0.key.precedes($1.key) }
    }

    /// What tickets have to have in common to be judged together, or what a ticket that is judged alone is known by; nil for a ticket that
    /// the rule can't count, and for every ticket where texts decide what belongs together.
    package func subject(of ticket: ObservedTicket) -> AlertSubject? {
        let category = ticket.category(levels: Int(parameter(.categoryLevels)))
        switch method {
        case .repeated:
            guard let person = ticket.person, let category else { return nil }
            // One matter is one category at one place; where no place is known, in one county.
            return AlertSubject(
                place: ticket.county, category: category, detail: "\(person)\n\(ticket.place ?? ticket.county ?? "")")
        case .group:
            guard let place = ticket.place, let category else { return nil }
            return AlertSubject(place: ticket.county, category: category, detail: place)
        case .immediate: return AlertSubject(place: ticket.county, category: ticket.category, detail: ticket.id)
        case .cluster, .surgeHour, .surgeDay, .surgeSparse, .trend, .silence: return nil
        }
    }

    /// After so long without a ticket of one subject, what comes is another matter: no window reaches back over it, nor does a day.
    package var pause: UnixMilliseconds { max(window, ShanghaiTime.day) }

    private var window: UnixMilliseconds { UnixMilliseconds(parameter(.windowHours)) * 3_600_000 }

    private func repeated(_ tickets: [ObservedTicket]) -> [Alert] { alerts(tickets) { $0.count } }

    private func groups(_ tickets: [ObservedTicket]) -> [Alert] { alerts(tickets, value: Episodes.persons) }

    private func alerts(_ tickets: [ObservedTicket], value: (ArraySlice<ObservedTicket>) -> Int) -> [Alert] {
        var bySubject: [AlertSubject: [ObservedTicket]] = [:]
        for ticket in tickets {
            if let subject = subject(of: ticket) { bySubject[subject, default: []].append(ticket) }
        }
        return bySubject.flatMap { subject, tickets in
            episodes(tickets.sorted(by: isEarlier), value: value).map { alert($0, subject) }
        }
    }

    /// County by county, so that a city and the province that hold the same tickets of it find the same.
    private func clusters(_ tickets: [ObservedTicket]) -> [Alert] {
        Dictionary(grouping: tickets, by: \.county).flatMap { county, tickets in
            TextClusters.of(tickets, similarity: parameter(.similarity), window: window).flatMap { cluster in
                episodes(cluster, value: Episodes.persons).map { episode in
                    // Texts have no name; the first ticket of an episode stands for what they say.
                    alert(episode, AlertSubject(place: county, detail: episode.tickets.first?.id))
                }
            }
        }
    }

    private func episodes(_ ordered: [ObservedTicket], value: (ArraySlice<ObservedTicket>) -> Int) -> [Episode] {
        guard let least = leastThreshold else { return [] }
        return Episodes.of(ordered, window: window, least: Int(least.rounded(.up)), value: value)
    }

    private func alert(_ episode: Episode, _ subject: AlertSubject) -> Alert {
        Alert(
            self, level: level(of: Double(episode.peak)) ?? .blue, subject: subject,
            period: CivilDate.text(dayNumber: ShanghaiTime.dayNumber(episode.decidedAt)), decidedAt: episode.decidedAt,
            evidence: AlertEvidence(of: episode.tickets, figures: ["observed": Double(episode.peak)]))
    }

    private func immediate(_ tickets: [ObservedTicket]) -> [Alert] {
        let scanner = WordScanner(words)
        let categoryLevel = AlertLevel.allCases.last { levels[$0.rawValue] != nil }
        return tickets.compactMap { ticket in
            let isNamed = !scope.categories.isEmpty && scope.contains(ticket)
            let isHere = scope.regions.isEmpty || scope.regions.contains { ticket.region?.hasPrefix($0) == true }
            let found = isHere ? Set(scanner.hits(in: ticket.text).map(\.group)).sorted().map { words[$0] } : []
            guard let level = (found.map(\.level) + (isNamed ? [categoryLevel].compactMap { $0 } : [])).max() else {
                return nil
            }
            var evidence = AlertEvidence(of: [ticket])
            evidence.classes = found.map(\.name)
            for receiver in found.flatMap(\.receivers) where !evidence.receivers.contains(receiver) {
                evidence.receivers.append(receiver)
            }
            return Alert(
                self, level: level, subject: subject(of: ticket) ?? AlertSubject(),
                period: CivilDate.text(dayNumber: ShanghaiTime.dayNumber(ticket.at)), decidedAt: ticket.at,
                evidence: evidence)
        }
    }
}
