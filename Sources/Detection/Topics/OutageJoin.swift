import FederationModel

/// A planned outage of water, power, gas or heating (停水停电计划).
package struct Outage: Hashable, Sendable {
    package var id: String
    /// A region code; what lies in it is concerned.
    package var region: String
    /// The part of the region, as an address has it; nil for all of it.
    package var area: String?
    package var from: UnixMilliseconds
    package var to: UnixMilliseconds

    package init(id: String, region: String, area: String? = nil, from: UnixMilliseconds, to: UnixMilliseconds) {
        self.id = id
        self.region = region
        self.area = area
        self.from = from
        self.to = to
    }
}

/// Which tickets of a theme planned outages explain (7.2.3): the rest is what the utility has to look into.
package struct OutageExplanation: Hashable, Sendable {
    /// Outages by tickets that they explain.
    package let explained: [String: Outage]
    package let unexplained: [String]

    /// - Parameter slack: people call a little before and after an outage.
    package init(
        _ tickets: [ObservedTicket], outages: [Outage], slack: UnixMilliseconds = 2 * 3_600_000
    ) {
        var explained: [String: Outage] = [:]
        for ticket in tickets {
            let place = ticket.place ?? ""
            explained[ticket.id] = outages.first { outage in
                (ticket.region?.hasPrefix(outage.region) ?? false)
                    && (outage.from - slack...max(outage.from, outage.to) + slack).contains(ticket.at)
                    && outage.area.map { area in
                        let plain = string(ComparableText.scalars(of: area))
                        return place.contains(plain) || string(ComparableText.scalars(of: ticket.text)).contains(plain)
                    } ?? true
            }
        }
        self.explained = explained
        unexplained = tickets.sorted(by: isEarlier).map(\.id).filter { explained[$0] == nil }
    }

    /// In percent; nil without tickets.
    package var explainedPercent: Double? {
        let all = explained.count + unexplained.count
        return all == 0 ? nil : Double(explained.count) / Double(all) * 100
    }
}
