import FederationModel
import LocalStore

/// One federation on virtual time: real databases, the real ends of each link, and all that may happen between them. The same history
/// for the same seed.
package final class Federation {
    /// Of virtual time.
    package static let start: UnixMilliseconds = 1_790_000_000_000

    /// What links carry. Each costs each life of a node and each link statements, so what no record here is of is left out.
    static let resources = RandomTopology.resources + RemovalResources.all
    /// What nodes have tables for: the fold of a ticket looks at all of them.
    static let tables = BuiltInResources.all.filter { !$0.isReference && $0.name != "announcement" }

    package let seed: UInt64
    let kind: HistoryKind
    var random: SplitMix64
    private(set) var now = Federation.start
    private var queue = EventQueue()
    let ground: Ground
    var paths: [String] = []
    package internal(set) var problems: [String] = []
    /// Whether the next topology waits until nobody has anything to get back.
    var isReleaseDue = false
    package private(set) var trace: Trace

    var topology: RandomTopology
    /// By version, every topology that was released.
    var releases: [Int64: Topology] = [:]
    let order: [NodeID]
    var nodes: [NodeID: SimulatedNode] = [:]
    var network = Network()
    var ledger = Ledger()
    var sightings = Sightings()
    let records: RandomRecords
    package internal(set) var counts = Counts()

    /// What a history came to: whether campaigns reach what they are meant to reach.
    package struct Counts: Sendable {
        package var events = 0
        package var applied = 0
        package var refused = 0
        package var restores = 0
        package var powerLosses = 0
        package var crashes = 0
        package var releases = 0
        package var givenBack = 0
        package var views = 0

        package init() {}

        package static func += (a: inout Counts, b: Counts) {
            a.events += b.events
            a.applied += b.applied
            a.refused += b.refused
            a.restores += b.restores
            a.powerLosses += b.powerLosses
            a.crashes += b.crashes
            a.releases += b.releases
            a.givenBack += b.givenBack
            a.views += b.views
        }
    }

    package init(seed: UInt64, ground: Ground, traceLines: Int = 0) throws {
        self.seed = seed
        self.ground = ground
        random = SplitMix64(seed: seed)
        trace = Trace(linesMax: traceLines)
        kind = HistoryKind(using: &random)
        topology = RandomTopology(isLarge: kind.isLarge, isOpen: kind.isOpen, using: &random)
        order = topology.nodes
        records = RandomRecords(nodes: order, names: topology.current.nodes.map(\.name))
        releases[topology.current.version] = topology.current
        for id in order {
            let path = try ground.create(id)
            paths.append(path)
            let isOld = kind.hasOldReleases && Bool.random(using: &random)
            nodes[id] = SimulatedNode(
                id, store: try open(path), path: path, capabilities: isOld ? [] : kind.capabilities)
        }
    }

    deinit {
        for node in nodes.values { try? node.store.close() }
        ground.clear(paths)
    }

    // MARK: - Time

    func after(_ delay: Int64, _ action: @escaping EventQueue.Action) {
        queue.add(at: now + max(0, delay), action)
    }

    func play(for duration: Int64) async throws {
        let end = now + duration
        while let event = queue.next(until: end) {
            now = event.at
            counts.events += 1
            try await event.action(self)
            if problems.count >= 10 { return }
        }
        now = end
    }

    // MARK: - Chance

    func roll(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }

    func any(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    func anyNode() -> SimulatedNode? { order.randomElement(using: &random).flatMap { nodes[$0] } }

    // MARK: - Notes

    func note(_ line: @autoclosure () -> String) { trace.note(now, line) }

    package func problem(_ text: String) {
        note("PROBLEM: \(text)")
        problems.append(text)
    }
}
