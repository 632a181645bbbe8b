import FederationModel

/// What is to happen, in the order of virtual time; of two things at one time, first what was planned first.
struct EventQueue {
    typealias Action = (Federation) async throws -> Void

    /// The next one is the last.
    private var events: [(at: UnixMilliseconds, order: Int, action: Action)] = []
    private var order = 0

    mutating func add(at time: UnixMilliseconds, _ action: @escaping Action) {
        order += 1
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].at > time { low = middle + 1 } else { high = middle }
        }
        events.insert((time, order, action), at: low)
    }

    /// Takes out the next one that is due at `end` or before.
    mutating func next(until end: UnixMilliseconds) -> (at: UnixMilliseconds, action: Action)? {
        guard let last = events.last, last.at <= end else { return nil }
        events.removeLast()
        return (last.at, last.action)
    }
}
