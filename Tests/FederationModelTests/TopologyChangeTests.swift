import FederationModel
import Testing

/// 1 x 2 x 2, every link physical; the parts are changed one at a time.
private struct Federation {
    var version: Int64 = 1
    var cities = ["370100", "370200"]
    var parents: [String: String] = ["370102": "370100", "370103": "370100", "370202": "370200", "370203": "370200"]
    var grants: [String: LinkGrant] = [:]
    var modes: [String: AggregationMode] = [:]
    var names: [String: String] = [:]
    var endpoints: [String: String] = [:]
    var detached: [DetachedNode] = []

    var topology: Topology {
        func node(_ code: String, under parent: String?) -> TopologyNode {
            TopologyNode(
                id: id(code), name: names[code] ?? "节点\(code)", parent: parent.map(id), region: code,
                endpoint: endpoints[code], defaultMode: modes[code] ?? .physical, grant: grants[code] ?? LinkGrant())
        }
        return Topology(
            name: "t", version: version,
            nodes: [node("370000", under: nil)] + cities.map { node($0, under: "370000") }
                + parents.sorted { $0.key < $1.key }.map { node($0.key, under: $0.value) }, detached: detached)
    }
}

private func id(_ code: String) -> NodeID {
    guard let node = NodeID(code) else { preconditionFailure("a test names a node \(code)") }
    return node
}

private func change(
    known: Set<NodeID> = [], _ edit: (inout Federation) -> Void
) -> TopologyChange {
    let old = Federation()
    var new = old
    new.version = 2
    edit(&new)
    return TopologyChange(from: old.topology, to: new.topology, known: known, resources: BuiltInResources.all)
}

private func links(_ change: TopologyChange) -> [String: LinkChange] {
    Dictionary(
        uniqueKeysWithValues: change.links.map { ("\($0.edge.sender)>\($0.edge.receiver)", $0.change) })
}

@Suite struct `A change of the topology` {
    @Test func `that only renumbers it changes no link`() {
        #expect(change { _ in }.links.isEmpty)
    }

    @Test func `that moves an endpoint changes no policy`() {
        #expect(change { $0.endpoints["370100"] = "https://127.0.0.1:1" }.links.isEmpty)
    }

    @Test func `that brings a city sends nothing of the others again`() {
        let links = links(change { $0.cities.append("370300") })
        #expect(links["370000>370300"] == .added)
        #expect(links["370300>370000"] == .added)
        #expect(links["370100>370000"] == nil)
        #expect(links["370102>370100"] == nil)
        // Its tickets may come down from above, so the way down is another one; nothing of it is here yet.
        #expect(links["370000>370100"] == .rerouted)
        #expect(!links.values.contains(.swept))
    }

    @Test func `that brings a node back which an earlier one had sweeps the links over which it is reached`() {
        let links = links(change(known: [id("370300")]) { $0.cities.append("370300") })
        #expect(links["370000>370100"] == .swept)
        // Tickets that it had to see may lie there since.
        #expect(links["370100>370000"] == .swept)
    }

    @Test func `that narrows a filter sweeps this one link`() {
        let links = links(
            change {
                var grant = LinkGrant()
                grant.tickets.requestTypes = ["2"]
                $0.grants["370100"] = grant
            })
        #expect(links == ["370100>370000": .swept])
    }

    @Test func `that lets the parent ask for rows travels nothing`() {
        let change = change {
            var grant = LinkGrant()
            grant.rowQueries = ["service_request"]
            grant.minCell = 5
            $0.grants["370100"] = grant
        }
        #expect(links(change) == ["370100>370000": .rerouted] || links(change).isEmpty)
        #expect(!links(change).values.contains(.swept))
    }

    @Test func `that moves a county removes and adds its own links and sweeps those on its way`() {
        let links = links(change { $0.parents["370102"] = "370200" })
        #expect(links["370102>370100"] == .removed)
        #expect(links["370102>370200"] == .added)
        #expect(links["370100>370000"] == .swept)
        #expect(links["370200>370000"] == .swept)
        #expect(links["370103>370100"] == nil)
        #expect(links["370202>370200"] == nil)
    }

    @Test func `that removes a node purges it, unless it names it as detached`() {
        let purge = change { $0.parents["370102"] = nil }
        #expect(purge.purged.map(\.id) == [id("370102")])
        #expect(links(purge)["370100>370000"] == .rerouted)
        #expect(!links(purge).values.contains(.swept))
        let kept = change {
            $0.parents["370102"] = nil
            $0.detached = [DetachedNode(id: id("370102"), name: "历下区", parent: id("370100"))]
        }
        #expect(kept.purged.isEmpty)
        #expect(kept.frozen.map(\.id) == [id("370102")])
        #expect(kept.new.origins(under: id("370100")).contains(id("370102")))
        #expect(!kept.new.origins(under: id("370200")).contains(id("370102")))
    }

    @Test func `that turns a city to queries sweeps its link up`() {
        #expect(links(change { $0.modes["370100"] = .logical })["370100>370000"] == .swept)
    }

    /// 1 x 16 x 136, the size of 山东省.
    @Test func `is computed for a whole province`() {
        func province(moved: Bool) -> Topology {
            var nodes = [TopologyNode(id: id("370000"), name: "省", parent: nil, region: "370000", endpoint: nil)]
            for city in 1...16 {
                let code = 370_000 + city * 100
                nodes.append(
                    TopologyNode(
                        id: id("\(code)"), name: "市\(city)", parent: id("370000"), region: "\(code)", endpoint: nil))
                for county in 1...(city <= 8 ? 9 : 8) {
                    let parent = moved && city == 1 && county == 1 ? code + 100 : code
                    nodes.append(
                        TopologyNode(
                            id: id("\(code + county)"), name: "县\(code + county)", parent: id("\(parent)"),
                            region: "\(code + county)", endpoint: nil))
                }
            }
            return Topology(name: "山东", version: moved ? 2 : 1, nodes: nodes)
        }
        let (old, new) = (province(moved: false), province(moved: true))
        #expect(old.nodes.count == 153)
        let change = TopologyChange(from: old, to: new, known: [], resources: BuiltInResources.all)
        #expect(links(change).filter { $0.value == .swept }.keys.sorted().contains("370100>370000"))
        #expect(!links(change).keys.contains("370300>370000"))
    }
}

@Suite struct `A copy after a change of topology` {
    private func doubted(_ edit: (inout Federation) -> Void) -> Set<NodeID> {
        var new = Federation()
        new.version = 2
        edit(&new)
        return new.topology.origins(
            inDoubtAt: id("370000"), after: Federation().topology, resources: BuiltInResources.all)
    }

    @Test func `is not in doubt when nothing on its way has changed`() {
        #expect(doubted { $0.names["370102"] = "泉城" } == [])
        #expect(doubted { $0.endpoints["370102"] = "https://x:1" } == [])
    }

    @Test func `is in doubt when any hop of its way grants something else`() {
        #expect(doubted { $0.modes["370102"] = .logical } == [id("370102")])
        #expect(doubted { $0.modes["370100"] = .logical } == [id("370100"), id("370102"), id("370103")])
    }

    @Test func `is in doubt when it comes by another way`() {
        #expect(doubted { $0.parents["370102"] = "370200" }.contains(id("370102")))
    }
}

@Suite struct `The stamp of a topology` {
    @Test func `tells two topologies of one number apart, and does not compare what was made in different ways`() {
        let one = Federation().topology.stamp
        var other = Federation()
        other.modes["370100"] = .logical
        #expect(one.contradicts(other.topology.stamp))
        #expect(!one.contradicts(Federation().topology.stamp))
        #expect(!one.contradicts(TopologyStamp(version: 1, digest: nil)))
        #expect(!one.contradicts(TopologyStamp(version: 1, digest: "0-abc")))
        #expect(!one.contradicts(TopologyStamp(version: 2, digest: "1-abc")))
    }
}
