import FederationModel
import Foundation
import LogicalQuery
import Testing

typealias Dimension = Analysis.Dimension
typealias Measure = Analysis.Measure
typealias Filter = Analysis.Filter

/// The measures that most tests ask for.
extension Measure {
    static func named(_ name: String) throws -> Measure { try IndicatorLibrary.builtIn.named(name).measure }
}

/// The analysis as it arrives at the other node.
func overTheWire<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
}

extension TopologyNode {
    init(
        _ code: String, _ name: String = "", under parent: String? = nil, peers: [String] = [],
        _ mode: AggregationMode = .physical, modes: [ResourceName: AggregationMode] = [:],
        sharedWithPeers: Set<ResourceName> = []
    ) throws {
        self.init(
            id: try #require(NodeID(code)), name: name, parent: parent.flatMap { NodeID($0) },
            peers: Set(peers.compactMap { NodeID($0) }), region: code, endpoint: nil, modes: modes, defaultMode: mode,
            sharedWithPeers: sharedWithPeers)
    }
}

/// 齐鲁演示: 淄博 is logical, 历下 is copied to 济南 and on to the province.
func demoTopology() throws -> Topology {
    Topology(
        name: "齐鲁演示", version: 3,
        nodes: [
            try TopologyNode("370000", "山东省"),
            try TopologyNode("370100", "济南市", under: "370000", peers: ["370900"]),
            try TopologyNode("370102", "历下区", under: "370100"),
            try TopologyNode("370300", "淄博市", under: "370000", .logical),
            try TopologyNode("370900", "泰安市", under: "370000", peers: ["370100"]),
        ])
}
