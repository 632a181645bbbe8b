import FederationModel
import LocalStore

/// What has happened, as nobody inside the federation knows it: what the checks hold the nodes against.
struct Ledger {
    /// By origin, what each of its rows was written as last.
    private(set) var written: [NodeID: [String: Fields]] = [:]
    /// Every row that its origin ever wrote.
    private(set) var ever: Set<String> = []
    /// Nodes that ever went back to an older database: what they wrote may be gone.
    private(set) var restored: Set<NodeID> = []
    /// By row, the latest version that any node held when somebody went back.
    private(set) var known: [String: Int64] = [:]
    /// By origin and ticket, when it was taken in. Without those that name somebody as their respondent, which do not go everywhere.
    private(set) var tickets: [NodeID: [String: UnixMilliseconds]] = [:]

    mutating func noteWritten(_ records: [IntakeRecord], by node: SimulatedNode, at time: UnixMilliseconds) {
        for record in records {
            let id = "\(record.resource) \(node.id) \(record.key)"
            written[node.id, default: [:]][id] = record.fields.filter { !$0.value.isNull }
            ever.insert(id)
            guard record.resource == "service_request" else { continue }
            let isPlain = record.fields["respondent_name"]?.isNull ?? true
            tickets[node.id, default: [:]][record.key] =
                isPlain ? tickets[node.id]?[record.key] ?? time : nil
        }
    }

    /// - Parameter live: what is left at the node.
    mutating func noteRemoval(of ticket: String, by node: NodeID, left live: [String: Int64]) {
        tickets[node]?[ticket] = nil
        written[node] = written[node]?.filter { live[$0.key] != nil }
    }

    /// - Parameter held: by node, all live rows, after `node` has gone back.
    mutating func noteRestore(of node: NodeID, _ held: [NodeID: [Look]]) {
        restored.insert(node)
        known = Self.latest(held)
        let own = Set(held[node, default: []].filter { $0.origin == node }.map(\.key))
        tickets[node] = tickets[node]?.filter { own.contains($0.key) }
    }

    /// What only the node that has lost its power held, and not durably yet, nobody can give back any more.
    ///
    /// - Parameter held: by node, all live rows, after that.
    mutating func notePowerLoss(_ held: [NodeID: [Look]]) {
        let left = Self.latest(held)
        known = Dictionary(
            uniqueKeysWithValues: known.compactMap { row, version in left[row].map { (row, min(version, $0)) } })
    }

    private static func latest(_ held: [NodeID: [Look]]) -> [String: Int64] {
        Dictionary(held.values.joined().map { ($0.id, $0.version) }, uniquingKeysWith: max)
    }
}
