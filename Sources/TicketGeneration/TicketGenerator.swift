import FederationModel

/// Invents tickets: believable, consistent in time, the same for the same seed. For demonstrations, benchmarks and tests.
///
/// Each element is one ticket with its thread, the service request first. Tickets come in the order of their request time
/// and are made one by one, so any number takes the memory of one. What would happen after the period does not happen, so
/// some tickets are still open at its end. On average a ticket has about five records: two when it is answered at once,
/// nine to twelve when it is dispatched; calls and recordings come besides.
///
/// Persons, telephone numbers (1xx 0000 xxxx), identity numbers, addresses and events are invented; regions are real.
package struct TicketGenerator: Sequence, Sendable {
    let recipe: TicketRecipe
    let firstDay: Int64
    let end: UnixMilliseconds
    private let showcase: Bool
    /// How many tickets each day brings.
    private let ticketsByDay: [Int]

    /// - Parameters:
    ///   - from: the period begins at Shanghai's midnight of that day.
    ///   - days: length of the period, at least 1.
    ///   - tickets: how many in all; Mondays bring 15 % more, days off 40 % less.
    ///   - showcase: let the first ticket go through all eight stages, supervision included, whatever the period.
    package init(
        _ recipe: TicketRecipe, from: UnixMilliseconds, days: Int, tickets: Int, showcase: Bool = false
    ) {
        self.recipe = recipe
        self.showcase = showcase
        let first = ShanghaiTime.dayNumber(from)
        let afterLast = first + Int64(Swift.max(days, 1))
        firstDay = first
        end = ShanghaiTime.midnight(ofDay: afterLast)
        let weights = (first..<afterLast).map(recipe.office.weight(ofDay:))
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
        private var before = TicketRecipe.Before()

        init(generator: TicketGenerator) { self.generator = generator }

        /// The next ticket, as far as its own node writes it.
        package mutating func next() -> [IntakeRecord]? {
            let origin = generator.recipe.origin
            return nextOfAllNodes()?.filter { $0.node == origin }.map(\.record)
        }

        /// The next ticket with what other nodes write of it after a transfer.
        package mutating func nextOfAllNodes() -> [WrittenRecord]? {
            while day < generator.ticketsByDay.count, indexInDay == generator.ticketsByDay[day] {
                day += 1
                indexInDay = 0
            }
            guard day < generator.ticketsByDay.count else { return nil }
            defer {
                index += 1
                indexInDay += 1
            }
            var random = SplitMix64(seed: generator.recipe.seed &+ 1, index: index)
            let share = (Double(indexInDay) + random.fraction()) / Double(generator.ticketsByDay[day])
            let midnight = ShanghaiTime.midnight(ofDay: generator.firstDay + Int64(day))
            return generator.recipe.ticket(
                index, requested: midnight + OfficeHours.timeOfDay(share), sequence: indexInDay + 1,
                end: generator.end, isShowcase: generator.showcase && index == 0, before: &before)
        }
    }
}
