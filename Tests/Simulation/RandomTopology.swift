import FederationModel
import TestSupport

/// The topologies of one history: a random tree with peers, whose policies and edges change from release to release.
struct RandomTopology {
    private var places: [Place]
    private(set) var current: Topology
    /// Whether no link ever has a row filter, so that the log begins with the first report on a neighbour.
    private let isOpen: Bool

    private struct Place {
        let id: NodeID
        let name: String
        var parent: NodeID?
        var peers: Set<NodeID> = []
        var policies = Policies()
    }

    private struct Policies {
        var modes: [ResourceName: AggregationMode] = [:]
        var shared: Set<ResourceName> = []
        var grant = LinkGrant()
        var peerGrants: [NodeID: LinkGrant] = [:]
    }

    /// Resources of which there are records.
    static let resources = [
        BuiltInResources.serviceRequest, BuiltInResources.handling, BuiltInResources.transfer,
        BuiltInResources.assignment, BuiltInResources.ticketAction, BuiltInResources.callRecord,
    ]

    private static let provinceName = ("370000", "山东省")
    private static let cityNames = [
        ("370100", "济南市"), ("370200", "青岛市"), ("370300", "淄博市"), ("370400", "枣庄市"), ("370500", "东营市"),
    ]
    private static let countyNames = [
        [("370102", "历下区"), ("370103", "市中区"), ("370104", "槐荫区")],
        [("370202", "市南区"), ("370203", "市北区"), ("370211", "黄岛区")],
        [("370302", "淄川区"), ("370303", "张店区"), ("370304", "博山区")],
        [("370403", "薛城区"), ("370404", "峄城区"), ("370405", "台儿庄区")],
        [("370502", "东营区"), ("370503", "河口区"), ("370505", "垦利区")],
    ]

    /// - Parameter isLarge: up to a province with five cities of three counties each; else two to seven nodes.
    init(isLarge: Bool, isOpen: Bool, using random: inout SplitMix64) {
        self.isOpen = isOpen
        let province = node(Self.provinceName.0)
        places = [Place(id: province, name: Self.provinceName.1, parent: nil)]
        let cities = (isLarge ? [3, 4, 5] : [1, 1, 2, 2, 3]).randomElement(using: &random) ?? 1
        for city in 0..<cities {
            let id = node(Self.cityNames[city].0)
            places.append(Place(id: id, name: Self.cityNames[city].1, parent: province))
            for county in 0..<Int.random(in: isLarge ? 1...3 : 0...1, using: &random) {
                let (code, name) = Self.countyNames[city][county]
                places.append(Place(id: node(code), name: name, parent: id))
            }
        }
        current = Topology(name: "random", version: 0, nodes: [])
        for one in places.indices {
            for other in places.indices where one < other && Int.random(in: 0..<(isLarge ? 24 : 6), using: &random) == 0
            {
                togglePeers(one, other)
            }
        }
        for place in places.indices { places[place].policies = anyPolicies(of: place, using: &random) }
        release()
    }

    var nodes: [NodeID] { places.map(\.id) }

    // MARK: - Changes

    /// Another policy of one node; often only its filter is lifted, or set.
    mutating func changePolicy(using random: inout SplitMix64) {
        let place = Int.random(in: places.indices, using: &random)
        if Bool.random(using: &random) {
            places[place].policies = anyPolicies(of: place, using: &random)
        } else if places[place].policies.grant.tickets.isEmpty {
            places[place].policies.grant.tickets = anyGrant(using: &random).tickets
        } else {
            places[place].policies.grant.tickets = GrantFilter()
        }
        release()
    }

    /// A node moves to another parent, or two become peers, or no longer.
    mutating func changeEdges(using random: inout SplitMix64) {
        let (one, other) = (
            Int.random(in: 1..<places.count, using: &random), Int.random(in: places.indices, using: &random)
        )
        let isLeaf = !places.contains { $0.parent == places[one].id }
        if isLeaf, one != other, places[other].parent != places[one].id, Bool.random(using: &random) {
            places[one].parent = places[other].id
            places[one].peers.remove(places[other].id)
            places[other].peers.remove(places[one].id)
        } else if one != other {
            togglePeers(one, other)
        }
        release()
    }

    private mutating func togglePeers(_ one: Int, _ other: Int) {
        let (a, b) = (places[one], places[other])
        guard a.parent != b.id, b.parent != a.id else { return }
        places[one].peers.formSymmetricDifference([b.id])
        places[other].peers.formSymmetricDifference([a.id])
    }

    private mutating func release() {
        current = Topology(
            name: "random", version: current.version + 1,
            nodes: places.map { place in
                TopologyNode(
                    id: place.id, name: place.name, parent: place.parent, peers: place.peers, region: place.id.code,
                    endpoint: nil, modes: place.policies.modes, sharedWithPeers: place.policies.shared,
                    grant: place.policies.grant, peerGrants: place.policies.peerGrants)
            })
    }

    // MARK: - Policies

    private func anyPolicies(of place: Int, using random: inout SplitMix64) -> Policies {
        var policies = Policies()
        for resource in Self.resources where Int.random(in: 0..<4, using: &random) == 0 {
            policies.modes[resource.name] = .logical
        }
        for resource in Self.resources where Bool.random(using: &random) { policies.shared.insert(resource.name) }
        policies.grant = anyGrant(using: &random)
        for peer in places[place].peers.sorted() where Bool.random(using: &random) {
            policies.peerGrants[peer] = anyGrant(using: &random)
        }
        return policies
    }

    private func anyGrant(using random: inout SplitMix64) -> LinkGrant {
        var grant = LinkGrant()
        // Many links give everything: rows that are held nowhere make dull histories.
        if Int.random(in: 0..<3, using: &random) == 0 { return grant }
        func maybe() -> Bool { Int.random(in: 0..<5, using: &random) == 0 }
        if !isOpen {
            if maybe() {
                let regions = [["370102"], ["370100"], ["370103", "370104"]]
                grant.tickets.regions = regions.randomElement(using: &random) ?? []
            }
            if maybe() { grant.tickets.serviceCodes = ["01"] }
            if maybe() { grant.tickets.requestTypes = ["1", "2"].filter { _ in Bool.random(using: &random) } }
            if maybe() { grant.tickets.confidential = Bool.random(using: &random) }
            if maybe() { grant.tickets.from = Federation.start }
            if maybe() { grant.tickets.units = ["住建局", "城管局"].filter { _ in Bool.random(using: &random) } }
        }
        for resource in Self.resources {
            for column in resource.columns where maybe() {
                let treatment = FieldTreatment.allCases.randomElement(using: &random) ?? .keep
                // A filter that looks at what the hop below dropped grants nothing, which is right and dull; so is a
                // transfer to nobody.
                let deciding = ["to_node", "step", "assignee_unit", "role", "action", "target"]
                let isDull = treatment != .keep && (GrantFilter.columns + deciding).contains(column.name)
                if treatment.objection(to: column) == nil && !isDull {
                    grant.treatments[resource.name, default: [:]][column.name] = treatment
                }
            }
        }
        return grant
    }
}
