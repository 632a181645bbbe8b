import FederationModel
import TestSupport
import Testing

@Suite struct `The topology` {
    /// 370000 ── 370100 (peer of 370900) ── 370102; 370300 logical; 370900.
    let topology = Topology(
        name: "演示", version: 3,
        nodes: [
            TopologyNode(id: "370000", name: "山东省", parent: nil, region: "370000", endpoint: nil),
            TopologyNode(
                id: "370100", name: "济南市", parent: "370000", peers: ["370900"], region: "370100", endpoint: nil,
                sharedWithPeers: ["service_request"]),
            TopologyNode(id: "370102", name: "历下区", parent: "370100", region: "370102", endpoint: nil),
            TopologyNode(
                id: "370300", name: "淄博市", parent: "370000", region: "370300", endpoint: nil,
                modes: ["reply": .physical], defaultMode: .logical),
            TopologyNode(
                id: "370900", name: "泰安市", parent: "370000", peers: ["370100"], region: "370900", endpoint: nil),
        ])

    @Test func `knows what a neighbour is`() {
        #expect(topology.role(of: "370000", to: "370100") == .parent)
        #expect(topology.role(of: "370102", to: "370100") == .child)
        #expect(topology.role(of: "370900", to: "370100") == .peer)
        #expect(topology.role(of: "370300", to: "370100") == nil)
        #expect(topology.role(of: "370100", to: "370100") == nil)
        #expect(topology.neighbours(of: "370100") == ["370000", "370102", "370900"])
    }

    @Test func `lists a subtree with parents before children`() {
        #expect(topology.subtree(of: "370100") == ["370100", "370102"])
        #expect(topology.subtree(of: "370000") == ["370000", "370100", "370102", "370300", "370900"])
        #expect(topology.chain(from: "370102") == ["370102", "370100", "370000"])
    }

    @Test func `states what decides over links, without names and addresses`() {
        func changed(_ change: (TopologyNode) -> TopologyNode) -> Topology {
            Topology(name: "x", version: 3, nodes: topology.nodes.reversed().map(change))
        }
        #expect(
            changed { node in
                TopologyNode(
                    id: node.id, name: "別名", parent: node.parent, peers: node.peers, region: node.region,
                    endpoint: "https://127.0.0.1:1", modes: node.modes, defaultMode: node.defaultMode,
                    sharedWithPeers: node.sharedWithPeers)
            }.statement == topology.statement)
        #expect(
            changed { node in
                TopologyNode(
                    id: node.id, name: node.name, parent: node.parent, peers: node.peers, region: node.region,
                    endpoint: nil, modes: ["call_record": .logical], defaultMode: node.defaultMode,
                    sharedWithPeers: node.sharedWithPeers)
            }.statement != topology.statement)
    }

    /// Digests of it are kept by nodes: this text changes in no release.
    @Test func `states it in a form that no release changes`() {
        var grant = LinkGrant()
        grant.tickets.regions = ["370101", "370100", "370100"]
        grant.tickets.units = ["市\"住建局\"", "市\u{65}\u{301}局", "市\u{e9}局"]
        grant.tickets.confidential = false
        grant.tickets.from = 1_790_000_000_000
        grant.treatments = [
            "service_request": ["reporter_phone": .mask, "reporter_id_number": .drop, "title": .keep], "reply": [:],
            "callback": ["comment": .token],
        ]
        grant.rowQueries = ["service_request", "reply"]
        grant.minCell = 5
        let topology = Topology(
            name: "演示", version: 3,
            nodes: [
                TopologyNode(
                    id: "370100", name: "济南市", parent: "370000", peers: ["370900", "370200"], region: "370100",
                    endpoint: "https://a:1", modes: ["reply": .logical, "closure": .physical],
                    sharedWithPeers: ["service_request", "reply"], grant: grant,
                    peerGrants: ["370900": LinkGrant(), "370200": grant]),
                TopologyNode(
                    id: "370000", name: "山东省", parent: nil, region: "370000", endpoint: nil, isDraining: true),
            ], detached: [DetachedNode(id: "370300", name: "淄博市", parent: "370000")])
        #expect(
            topology.statement == #"""
                {"nodes":[{"id":"370000","mode":"physical","draining":true},{"id":"370100","parent":"370000","peers":["370200","370900"],\#
                "mode":"physical","modes":{"reply":"logical"},"shared":["reply","service_request"],\#
                "grant":{"regions":["3701","370101"],"units":["市\"住建局\"","市e\#u{301}局","市\#u{e9}局"],\#
                "confidential":false,"from":1790000000000,\#
                "treatments":{"callback":{"comment":"token"},\#
                "service_request":{"reporter_id_number":"drop","reporter_phone":"mask"}},\#
                "rowQueries":["reply","service_request"],"minCell":5},"peerGrants":{"370900":{}}}],\#
                "detached":[{"id":"370300","parent":"370000"}]}
                """#)
    }

    @Test func `takes the direct edge, else the tree`() {
        #expect(topology.nextHop(from: "370100", to: "370900") == "370900")
        #expect(topology.nextHop(from: "370102", to: "370900") == "370100")
        #expect(topology.nextHop(from: "370000", to: "370102") == "370100")
        #expect(topology.nextHop(from: "370300", to: "370102") == "370000")
        #expect(topology.nextHop(from: "370100", to: "370100") == nil)
        // A peer is a way to the peer itself, not to what lies behind it.
        #expect(topology.nextHop(from: "370900", to: "370102") == "370000")
    }

    @Test func `has no supplier of a node's own rows or of a stranger's`() {
        #expect(topology.supplier(of: "370100", to: "370100") == nil)
        #expect(topology.supplier(of: "999999", to: "370100") == nil)
    }

    @Test func `names the edges on the way of an origin's rows`() {
        let hops = topology.hops(of: "370102", to: "370000")
        #expect(hops.map(\.sender) == ["370100", "370102"] && hops.map(\.receiver) == ["370000", "370100"])
        #expect(topology.hops(of: "370000", to: "370000").isEmpty)
        #expect(topology.copies(["service_request"], of: "370102", to: "370000"))
        #expect(!topology.copies(["service_request"], of: "370300", to: "370000"))
    }

    @Test func `copies up by the child's mode, to peers what is shared, and nothing down`() {
        #expect(topology.mode(of: "reply", from: "370100", to: "370000") == .physical)
        #expect(topology.mode(of: "reply", from: "370300", to: "370000") == .physical)
        #expect(topology.mode(of: "service_request", from: "370300", to: "370000") == .logical)
        #expect(topology.mode(of: "service_request", from: "370100", to: "370900") == .physical)
        #expect(topology.mode(of: "service_request", from: "370900", to: "370100") == .logical)
        #expect(topology.mode(of: "service_request", from: "370000", to: "370100") == .logical)
        #expect(topology.mode(of: "service_request", from: "370300", to: "370900") == .logical)
    }

    @Test func `gives each direction of a link its policy`() throws {
        func policy(_ sender: NodeID, _ receiver: NodeID) -> LinkPolicy? {
            LinkPolicy(from: sender, to: receiver, topology: topology, resources: BuiltInResources.all)
        }
        let records = BuiltInResources.all.filter { !$0.isReference }.map(\.name)
        let tickets = BuiltInResources.ticketResources.map(\.name)
        let up = try #require(policy("370100", "370000"))
        #expect(up.origins == ["370100", "370102"])
        let removals = RemovalResources.all.map(\.name)
        let cases = CaseResources.all.filter { $0.flow == .byAudience }.map(\.name)
        #expect(up.resources == records && up.wholeResources == Set(records).subtracting(cases))
        #expect(up.nodesBehind == ["370000", "370300"])
        #expect(up.revision == LinkRevision(topology: 3, policy: 0))
        let logical = try #require(policy("370300", "370000"))
        // The catalog and what is registered go along whatever the mode.
        #expect(logical.wholeResources == Catalog.exempt.union(["reply", "external_dataset"]))
        #expect(
            logical.resources == tickets + CatalogResources.all.map(\.name) + ["external_dataset"] + removals + cases,
            "of tickets that somebody above must see")
        let across = try #require(policy("370100", "370900"))
        #expect(across.origins == ["370100"] && across.nodesBehind == ["370900"])
        let catalog = CatalogResources.all.map(\.name)
        #expect(across.wholeResources == Catalog.exempt.union(["service_request", "external_dataset"]))
        #expect(across.resources == tickets + catalog + ["external_dataset"] + removals + cases)
        let down = try #require(policy("370000", "370100"))
        #expect(down.origins == ["370000", "370300"], "above and beside; a peer supplies itself")
        #expect(down.nodesBehind == ["370100", "370102"])
        let reference = ReferenceResources.all.map(\.name)
        let published: [ResourceName] = ["knowledge_article", "detection_rule", "evaluation_scheme"]
        let registered: [ResourceName] = ["indicator_file", "external_dataset"]
        #expect(
            down.wholeResources
                == Set(catalog + reference + registered + published + ["announcement", "removal_confirmation"]))
        #expect(
            down.resources
                == tickets + ["announcement"] + catalog + reference + registered + removals + cases + published)
        #expect(policy("370300", "370100") == nil)
        #expect(topology.holders(of: "370102", audience: []) == ["370100", "370000"])
        #expect(topology.holders(of: "370100", audience: []) == ["370000", "370900"])
        #expect(topology.holders(of: "370000", audience: []) == [])
        #expect(topology.holders(of: "370000", audience: ["370102"]) == ["370100", "370102"])
        #expect(topology.holders(of: "370102", audience: ["370300"]) == ["370100", "370000", "370300"])
    }

    /// Design rule 1, over random trees with random peers: whoever asks for the rows of an origin finds it by going from
    /// supplier to supplier, and no two neighbours supply one origin to one receiver.
    @Test(arguments: 0..<60)
    func `names one supplier for each origin, and suppliers lead to it`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let topology = randomTopology(using: &random)
        for receiver in topology.nodes.map(\.id) {
            var supplied: Set<NodeID> = []
            for neighbour in topology.neighbours(of: receiver) {
                let policy = try #require(
                    LinkPolicy(from: neighbour, to: receiver, topology: topology, resources: BuiltInResources.all))
                #expect(supplied.isDisjoint(with: policy.origins))
                supplied.formUnion(policy.origins)
            }
            #expect(supplied == Set(topology.nodes.map(\.id)).subtracting([receiver]))

            for origin in supplied {
                var path = [receiver]
                while let last = path.last, last != origin, path.count <= topology.nodes.count {
                    let supplier = try #require(topology.supplier(of: origin, to: last))
                    #expect(topology.role(of: supplier, to: last) != nil)
                    path.append(supplier)
                }
                #expect(path.last == origin)
                #expect(Set(path).count == path.count)
                // What `origin` confirms to `receiver` comes the same way, though not to whom it leads back.
                for (next, sender) in zip(path, path.dropFirst()) {
                    let policy = try #require(
                        LinkPolicy(from: sender, to: next, topology: topology, resources: BuiltInResources.all))
                    #expect(policy.origins.contains(origin) && !policy.origins.contains(receiver))
                }
            }
        }
    }

    private func randomTopology(using random: inout SplitMix64) -> Topology {
        let count = Int.random(in: 1...24, using: &random)
        let ids = (0..<count).map { NodeID(stringLiteral: "\(100_000 + $0)") }
        var parents: [NodeID: NodeID] = [:]
        for index in ids.indices.dropFirst() { parents[ids[index]] = ids[..<index].randomElement(using: &random) }
        var peers: [NodeID: Set<NodeID>] = [:]
        for a in ids {
            for b in ids where a < b && parents[a] != b && parents[b] != a && Int.random(in: 0..<8, using: &random) == 0
            {
                peers[a, default: []].insert(b)
                peers[b, default: []].insert(a)
            }
        }
        let nodes = ids.shuffled(using: &random).map {
            TopologyNode(
                id: $0, name: $0.code, parent: parents[$0], peers: peers[$0] ?? [], region: $0.code, endpoint: nil)
        }
        return Topology(name: "random", version: 1, nodes: nodes)
    }
}

/// Codes of tests are written as literals; a wrong one stops the test at once.
extension NodeID: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self = node(text) }
}
