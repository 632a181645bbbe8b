import FederationModel
import LogicalQuery
import NodeDesk

extension Analysis.Dimension {
    /// A value as people read it: the name of a code, if it has one.
    func text(of value: String, _ desk: NodeDesk) -> String {
        if isNode { return NodeID(value).flatMap { desk.topology.node($0) }.map { "\(value) \($0.name)" } ?? value }
        guard let list = list(desk.reference), let title = list.title(of: value) else { return value }
        return showsCode ? "\(value) \(title)" : title
    }
}

extension AnalysisReport {
    /// Which definitions the figures are by.
    var definitions: String {
        "口径 " + indicators.map { "\($0.title) \($0.name) v\($0.measure.version)" }.joined(separator: "、")
    }
}
