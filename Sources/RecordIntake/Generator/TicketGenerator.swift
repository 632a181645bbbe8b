import FederationModel

/// Invents tickets: believable, consistent in time, the same for the same seed. For demonstrations, benchmarks and tests.
///
/// Each element is one ticket with its whole thread, the service request first. Tickets come in the order of their request
/// time and are made one by one, so any number takes the memory of one. What would happen after the period does not happen,
/// so some tickets are still open at its end. On average a ticket has about five records; with `includesCalls` those of
/// telephone callers have a call record and mostly a recording besides.
///
/// Persons, telephone numbers (1xx 0000 xxxx), addresses and events are invented; regions are real.
package struct TicketGenerator: Sequence, Sendable {
    let seed: UInt64
    let origin: NodeID
    let places: Places
    let numberRegion: String
    let firstDay: Int64
    let end: UnixMilliseconds
    let includesCalls: Bool
    private let showcase: Bool
    /// How many tickets each day brings.
    private let ticketsByDay: [Int]

    /// - Parameters:
    ///   - region: the city or county where they happen; those of the demonstration have their own place names.
    ///   - from: the period begins at Shanghai's midnight of that day.
    ///   - days: length of the period, at least 1.
    ///   - tickets: how many in all; Mondays bring 15 % more, weekends 40 % less.
    ///   - showcase: let the first ticket go through all eight stages, supervision included, whatever the period.
    package init(
        seed: UInt64, origin: NodeID, region: String, from: UnixMilliseconds, days: Int, tickets: Int,
        includesCalls: Bool = false, showcase: Bool = false
    ) {
        self.seed = seed
        self.origin = origin
        self.includesCalls = includesCalls
        self.showcase = showcase
        places = Places(region: region)
        numberRegion = String(origin.code.prefix(6))
        let first = WorkCalendar.dayNumber(from)
        let afterLast = first + Int64(Swift.max(days, 1))
        firstDay = first
        end = WorkCalendar.midnight(ofDay: afterLast)
        let weights = (first..<afterLast).map { dayWeights[WorkCalendar.weekday($0)] }
        let total = weights.reduce(0, +)
        let wanted = Swift.max(tickets, 0)
        var sum = 0
        ticketsByDay = weights.map { weight in
            let before = wanted * sum / total
            sum += weight
            return wanted * sum / total - before
        }
    }

    package var underestimatedCount: Int { ticketsByDay.reduce(0, +) }

    package func makeIterator() -> Iterator { Iterator(generator: self) }

    package struct Iterator: IteratorProtocol {
        private let generator: TicketGenerator
        private var day = 0
        private var indexInDay = 0
        private var index = 0

        init(generator: TicketGenerator) { self.generator = generator }

        package mutating func next() -> [IntakeRecord]? {
            while day < generator.ticketsByDay.count, indexInDay == generator.ticketsByDay[day] {
                day += 1
                indexInDay = 0
            }
            guard day < generator.ticketsByDay.count else { return nil }
            defer {
                index += 1
                indexInDay += 1
            }
            return generator.ticket(index, day: day, indexInDay: indexInDay)
        }
    }

    private func ticket(_ index: Int, day: Int, indexInDay: Int) -> [IntakeRecord] {
        var random = SplitMix64(seed: seed, index: index)
        let share = (Double(indexInDay) + random.fraction()) / Double(ticketsByDay[day])
        let dayNumber = firstDay + Int64(day)
        let requested = WorkCalendar.midnight(ofDay: dayNumber) + timeOfDay(share)
        var writer = TicketWriter(
            self, random: random, dayNumber: dayNumber, ordinal: indexInDay + 1, requested: requested,
            isShowcase: showcase && index == 0)
        return writer.records()
    }
}

/// Monday to Sunday, in hundredths of an ordinary day.
private let dayWeights = [115, 100, 100, 100, 100, 60, 60]

/// Shares of the hours of a day in thousandths: peaks from 9 to 11 and from 14 to 17, few calls at night.
private let hourWeights = [
    6, 4, 3, 2, 2, 4, 12, 33, 84, 112, 106, 68, 42, 46, 86, 98, 94, 66, 40, 34, 25, 18, 10, 5,
]

private let hourSums: [Int] = hourWeights.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }

/// The time of day by which `share` of the day's calls have come.
private func timeOfDay(_ share: Double) -> Int64 {
    let position = min(share, 0.999_999_9) * Double(hourSums[24])
    let hour = (hourSums.firstIndex { Double($0) > position } ?? 24) - 1
    let within = (position - Double(hourSums[hour])) / Double(hourWeights[hour])
    return Int64((Double(hour) + within) * Double(WorkCalendar.hour))
}
