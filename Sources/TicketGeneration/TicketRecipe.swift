import FederationModel

/// What invented tickets are made of. Together with a ticket's index and time it decides everything about the ticket, so
/// the same recipe makes the same tickets whether they are made in a batch of ten or of a million.
package struct TicketRecipe: Sendable {
    /// A node to which tickets may be transferred.
    package struct Partner: Sendable {
        package let node: NodeID
        /// The region's name, put before the names of its units.
        package let name: String

        package init(node: NodeID, name: String) {
            self.node = node
            self.name = name
        }
    }

    let seed: UInt64
    let origin: NodeID
    let region: String
    let places: Places
    let numberRegion: String
    let mix: TicketMix
    let includesCalls: Bool
    let dirtRate: Double
    let partners: [Partner]
    let office: OfficeHours
    /// Whether several persons report one matter, or one person again and again, as they do in life. Off where what happens is planted.
    let sharesMatters: Bool

    /// - Parameters:
    ///   - region: the city or county where they happen; those of the demonstration have their own place names.
    ///   - includesCalls: telephone callers have a call record and mostly a recording; some callers hang up in the queue.
    ///   - dirtRate: the share of tickets, 0 to 1, that have one fault of `Dirt`. With 0 every thread is legal.
    ///   - partners: who may take over a ticket. Without them nothing is transferred.
    ///   - calendar: when offices work. The limits are counted by it, so whoever judges the threads uses the same.
    package init(
        seed: UInt64, origin: NodeID, region: String, mix: TicketMix = .a, includesCalls: Bool = false,
        dirtRate: Double = 0, partners: [Partner] = [],
        calendar: WorkCalendar = .weekendsOnly, sharesMatters: Bool = true
    ) {
        self.sharesMatters = sharesMatters
        self.seed = seed
        self.origin = origin
        self.region = region
        self.mix = mix
        self.includesCalls = includesCalls
        self.dirtRate = dirtRate
        self.partners = partners
        office = OfficeHours(calendar: calendar)
        places = Places(region: region)
        numberRegion = String(origin.code.prefix(6))
    }

    /// What a ticket needs to know of those before it.
    struct Before {
        /// The number of the ticket before.
        var number: String?
        /// The first ticket of the shared matter of this block.
        var head: (block: Int, globalID: String)?
    }

    /// One ticket with its whole thread, whoever writes it.
    ///
    /// - Parameters:
    ///   - sequence: the number within its day.
    ///   - end: what would happen at that time or later does not happen.
    func ticket(
        _ index: Int, requested: UnixMilliseconds, sequence: Int, end: UnixMilliseconds, isShowcase: Bool,
        before: inout Before
    ) -> [WrittenRecord] {
        var writer = TicketWriter(
            self, index: index, requested: requested, sequence: sequence, end: end, isShowcase: isShowcase,
            head: before.head)
        var thread = writer.records()
        if let block = writer.sharedBlock, before.head?.block != block { before.head = (block, writer.globalID) }
        if !isShowcase, let (dirt, source) = drawDirt(index) {
            var random = source
            dirt.soil(&thread, context: Dirt.Context(recipe: self, before: before), random: &random)
        }
        before.number = writer.number
        return thread
    }

    /// The fault of a ticket; nil for a clean one. A showcase ticket is clean in any case.
    package func dirt(ofTicket index: Int) -> Dirt? { drawDirt(index)?.dirt }

    /// From a source of chance of its own, so that the other tickets stay what they are without dirt.
    private func drawDirt(_ index: Int) -> (dirt: Dirt, random: SplitMix64)? {
        guard dirtRate > 0 else { return nil }
        var random = SplitMix64(seed: ~seed, index: index)
        guard random.fraction() < dirtRate else { return nil }
        let dirt = random.pick(Dirt.allCases)
        return (dirt, random)
    }
}

/// A record and the node that writes it: the ticket's origin, or another one to which it was transferred.
package struct WrittenRecord: Hashable, Sendable {
    package let node: NodeID
    package var record: IntakeRecord

    package init(node: NodeID, record: IntakeRecord) {
        self.node = node
        self.record = record
    }
}
