import FederationModel
import LogicalQuery
import NodeDesk

extension Analysis.Dimension {
    /// A value as people read it: the name of a code, if it has one.
    func text(of value: String, _ language: Language, _ desk: NodeDesk) -> String {
        if isNode { return NodeID(value).flatMap { desk.topology.node($0) }.map { "\(value) \($0.name)" } ?? value }
        guard let list = list(desk.reference), let title = list.title(of: value, in: language) else { return value }
        return showsCode ? "\(value) \(title)" : title
    }
}
