import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct QueryPlanTests {
    private let requestsOnly: [ResourceName] = ["service_request"]

    private func plan(_ topology: Topology, _ code: String, _ resources: [ResourceName], wanted: [String]? = nil) throws
        -> QueryPlan
    {
        try QueryPlan(
            topology: topology, node: node(code), resources: resources, wanted: wanted.map { $0.map(node) })
    }

    @Test func `the province answers for its copies and asks the logical city`() throws {
        let plan = try plan(demoTopology(), "370000", requestsOnly)
        #expect(plan.local.map(\.code) == ["370000", "370100", "370102", "370900"])
        #expect(plan.delegated == [node("370300"): [node("370300")]])
    }

    @Test func `one logical hop or one logical resource on the way is enough to ask`() throws {
        let topology = Topology(
            name: "t", version: 1,
            nodes: [
                try TopologyNode("370000"), try TopologyNode("370100", under: "370000"),
                try TopologyNode("370102", under: "370100", .logical),
                try TopologyNode("370200", under: "370000", modes: ["reply": .logical]),
                try TopologyNode("370202", under: "370200"),
            ])
        let requests = try plan(topology, "370000", requestsOnly)
        #expect(requests.local.map(\.code) == ["370000", "370100", "370200", "370202"])
        #expect(requests.delegated == [node("370100"): [node("370102")]])
        let threads = try plan(topology, "370000", ["service_request", "reply"])
        #expect(threads.local.map(\.code) == ["370000", "370100"])
        #expect(threads.delegated[node("370200")]?.map(\.code) == ["370200", "370202"])
        let below = try plan(topology, "370200", ["service_request", "reply"], wanted: ["370200", "370202"])
        #expect(below.local.map(\.code) == ["370200", "370202"] && below.delegated.isEmpty)
    }

    @Test func `a node without children answers alone`() throws {
        let plan = try plan(demoTopology(), "370102", requestsOnly)
        #expect(plan.local.map(\.code) == ["370102"] && plan.delegated.isEmpty)
    }

    @Test func `a copy from a peer is not in the scope`() throws {
        let plan = try plan(demoTopology(), "370100", requestsOnly)
        #expect(plan.origins.map(\.code) == ["370100", "370102"])
    }

    @Test(arguments: ["370900", "370000", "999999"])
    func `a node does not answer for what is not below it`(foreign: String) throws {
        let topology = try demoTopology()
        #expect(
            errorCode { _ = try plan(topology, "370100", requestsOnly, wanted: ["370100", foreign]) } == "E_QUERY_SCOPE"
        )
    }

    /// A random tree of up to 40 nodes with peers, modes by resource, and what each peer shares.
    private func randomTopology(_ random: inout SplitMix64) throws -> Topology {
        let modes: [AggregationMode] = [.physical, .physical, .logical]
        let count = Int.random(in: 1...40, using: &random)
        let codes = (0..<count).map { "\(100_000 + $0)" }
        var peers: [Int: Set<Int>] = [:]
        for _ in 0..<count / 3 {
            let a = Int.random(in: 0..<count, using: &random)
            let b = Int.random(in: 0..<count, using: &random)
            if a != b {
                peers[a, default: []].insert(b)
                peers[b, default: []].insert(a)
            }
        }
        var nodes: [TopologyNode] = []
        for index in 0..<count {
            let parent = index == 0 ? nil : codes[Int.random(in: max(0, index - 8)..<index, using: &random)]
            nodes.append(
                try TopologyNode(
                    codes[index], under: parent, peers: (peers[index] ?? []).map { codes[$0] },
                    modes.randomElement(using: &random) ?? .physical,
                    modes: ["reply": modes.randomElement(using: &random) ?? .physical],
                    sharedWithPeers: Bool.random(using: &random) ? ["service_request", "reply"] : []))
        }
        return Topology(name: "random", version: 1, nodes: nodes)
    }

    /// What a node holds of a resource: its own rows, and what each neighbour supplies and copies, to a fixed point.
    private func holdings(_ topology: Topology, _ resource: ResourceName) -> [NodeID: Set<NodeID>] {
        var held = Dictionary(uniqueKeysWithValues: topology.nodes.map { ($0.id, Set([$0.id])) })
        var changed = true
        while changed {
            changed = false
            for receiver in topology.nodes.map(\.id) {
                for sender in topology.neighbours(of: receiver)
                where topology.mode(of: resource, from: sender, to: receiver) == .physical {
                    for origin in held[sender] ?? [] where topology.supplier(of: origin, to: receiver) == sender {
                        if held[receiver]?.insert(origin).inserted == true { changed = true }
                    }
                }
            }
        }
        return held
    }

    /// Answers as a node would, from what it really holds: how often each origin was counted.
    private func count(
        _ topology: Topology, _ asking: NodeID, _ resources: [ResourceName], wanted: [NodeID]?,
        held: [[NodeID: Set<NodeID>]], into counts: inout [NodeID: Int]
    ) throws {
        let plan = try QueryPlan(topology: topology, node: asking, resources: resources, wanted: wanted)
        for origin in plan.local {
            #expect(held.allSatisfy { $0[asking]?.contains(origin) == true }, "\(asking) does not hold \(origin)")
            counts[origin, default: 0] += 1
        }
        for (child, origins) in plan.delegated {
            #expect(topology.children(of: asking).contains(child) && !origins.isEmpty)
            try count(topology, child, resources, wanted: origins, held: held, into: &counts)
        }
    }

    /// Whatever the tree, its modes and its peers: each wanted origin is counted once, by a node that holds its rows, and
    /// an origin is asked for below only when it is not held here.
    @Test(arguments: 0..<150)
    func `every origin is counted exactly once`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let topology = try randomTopology(&random)
        let resources: [ResourceName] = Bool.random(using: &random) ? requestsOnly : ["service_request", "reply"]
        let held = resources.map { holdings(topology, $0) }
        for asking in topology.nodes.map(\.id) {
            let subtree = topology.subtree(of: asking)
            var wanted: [NodeID]?
            if Bool.random(using: &random) { wanted = subtree.filter { _ in Bool.random(using: &random) } }
            let plan = try QueryPlan(topology: topology, node: asking, resources: resources, wanted: wanted)
            #expect(plan.origins.sorted() == (wanted ?? subtree).sorted())
            for origin in plan.delegated.values.joined() {
                #expect(!held.allSatisfy { $0[asking]?.contains(origin) == true }, "\(origin) is held at \(asking)")
            }
            var counts: [NodeID: Int] = [:]
            try count(topology, asking, resources, wanted: wanted, held: held, into: &counts)
            #expect(counts == Dictionary(uniqueKeysWithValues: (wanted ?? subtree).map { ($0, 1) }))
        }
    }
}
