import FederationModel
import Foundation

/// Tickets as they come in, one after the other at random (a Poisson process), each with its thread following in
/// accelerated time. A value without a clock: whoever uses it says what time it is.
package struct LiveTickets: Sendable {
    private let recipe: TicketRecipe
    private let meanInterval: Double
    private let speed: Double
    private var arrivals: SplitMix64
    private var before = TicketRecipe.Before()
    private var nextArrival: Double
    private var lastDay: Int64 = 0
    private var lastSequence = 0
    /// What is still to come of the tickets so far, the next one last.
    private var pending: [(time: UnixMilliseconds, record: IntakeRecord)] = []

    /// How many tickets have come.
    package private(set) var tickets = 0

    /// - Parameters:
    ///   - start: the first ticket comes after it.
    ///   - ticketsPerSecond: on average; above 0.
    ///   - speed: a thread that takes so many seconds takes one; at least 1.
    package init(_ recipe: TicketRecipe, start: UnixMilliseconds, ticketsPerSecond: Double, speed: Double) {
        self.recipe = recipe
        self.speed = speed
        meanInterval = 1_000 / ticketsPerSecond
        arrivals = SplitMix64(seed: recipe.seed &+ 3)
        nextArrival = Double(start)
        drawArrival()
    }

    /// When something happens next.
    package var nextTime: UnixMilliseconds { min(UnixMilliseconds(nextArrival), pending.last?.time ?? .max) }

    /// Records that are still to come.
    package var pendingCount: Int { pending.count }

    /// What has happened until `now` since the last call, in the order of time.
    package mutating func records(until now: UnixMilliseconds) -> [IntakeRecord] {
        var due: [IntakeRecord] = []
        while nextTime <= now {
            if let next = pending.last, next.time <= UnixMilliseconds(nextArrival) {
                pending.removeLast()
                due.append(next.record)
            } else {
                due += arrive(at: UnixMilliseconds(nextArrival))
                drawArrival()
            }
        }
        return due
    }

    private mutating func drawArrival() { nextArrival -= log(1 - arrivals.fraction()) * meanInterval }

    /// - Returns: what exists when the ticket has been taken: the request and the call. The rest waits in `pending`.
    private mutating func arrive(at arrival: UnixMilliseconds) -> [IntakeRecord] {
        let thread = recipe.ticket(
            tickets, requested: arrival, sequence: sequence(of: arrival), end: .max, isShowcase: false, before: &before)
        tickets += 1
        let accepted = thread[0].record.fields["accepted_datetime"]?.integer ?? arrival
        var now: [IntakeRecord] = []
        var latest = arrival
        for written in thread where written.node == recipe.origin {
            var record = written.record
            let definition = BuiltInResources.named(record.resource)
            // The conversation ends now, so it began some minutes ago.
            for column in definition?.columns ?? [] where column.type == .timestamp {
                guard let time = record.fields[column.name]?.integer else { continue }
                let isOfThread = definition?.isThreadRecord == true && time > accepted
                record.fields[column.name] = .integer(
                    arrival + (isOfThread ? Int64(Double(time - accepted) / speed) : time - accepted))
            }
            guard definition?.isThreadRecord == true, let time = record.fields["occurred_at"]?.integer else {
                now.append(record)
                continue
            }
            // What was a second apart keeps its order.
            latest = max(latest + 1, time)
            record.fields["occurred_at"] = .integer(latest)
            wait(record, until: latest)
        }
        return now
    }

    private mutating func wait(_ record: IntakeRecord, until time: UnixMilliseconds) {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].time >= time { low = middle + 1 } else { high = middle }
        }
        pending.insert((time, record), at: low)
    }

    /// The tenths of a second of the day, so that a second run on one day gives out other numbers. Where tickets come too
    /// fast for that it is the hundredths, and a ticket has a label in place of a number of 23 digits.
    private mutating func sequence(of arrival: UnixMilliseconds) -> Int {
        let day = ShanghaiTime.dayNumber(arrival)
        if day != lastDay { (lastDay, lastSequence) = (day, 0) }
        lastSequence = max(
            lastSequence + 1, Int((arrival - ShanghaiTime.midnight(ofDay: day)) / (meanInterval >= 200 ? 100 : 10)))
        return lastSequence
    }
}
