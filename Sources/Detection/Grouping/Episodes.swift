import FederationModel

/// A time in which a sliding window over tickets of one subject holds enough of them.
struct Episode {
    /// By time.
    var tickets: [ObservedTicket]
    /// The highest value that the window came to.
    var peak: Int
    /// The time of the ticket that made it enough.
    var decidedAt: UnixMilliseconds
}

enum Episodes {
    /// Follows a window over tickets. While it holds enough, its tickets are one episode; episodes that were decided on the same day are one
    /// too, since an alert is named by its day.
    ///
    /// - Parameters:
    ///   - ordered: tickets of one subject, by time.
    ///   - value: what the window holds, of all tickets in it.
    static func of(
        _ ordered: [ObservedTicket], window: UnixMilliseconds, least: Int, value: (ArraySlice<ObservedTicket>) -> Int
    ) -> [Episode] {
        var episodes: [(episode: Episode, end: Int)] = []
        var (first, isOpen) = (0, false)
        for (last, ticket) in ordered.enumerated() {
            while ticket.at - ordered[first].at > window { first += 1 }
            let count = value(ordered[first...last])
            guard count >= least else {
                isOpen = false
                continue
            }
            let day = ShanghaiTime.dayNumber(ticket.at)
            let joins = episodes.last.map { isOpen || ShanghaiTime.dayNumber($0.episode.decidedAt) == day } ?? false
            if joins, var latest = episodes.popLast() {
                latest.episode.tickets += ordered[max(first, latest.end + 1)...last]
                latest.episode.peak = max(latest.episode.peak, count)
                latest.end = last
                episodes.append(latest)
            } else {
                let episode = Episode(tickets: Array(ordered[first...last]), peak: count, decidedAt: ticket.at)
                episodes.append((episode, last))
            }
            isOpen = true
        }
        return episodes.map(\.episode)
    }

    static func persons(_ tickets: ArraySlice<ObservedTicket>) -> Int { Set(tickets.lazy.compactMap(\.person)).count }
}
