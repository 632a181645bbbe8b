import FederationModel
import LogicalQuery

/// What codes are called where a report is made, and which codes there are.
package struct ReportNames: Sendable {
    private let node: NodeID
    private let topology: Topology
    private let reference: ReferenceData
    /// The last day of the report, since 1970-01-01: its codes are those of that day.
    private let day: Int64

    package init(node: NodeID, topology: Topology, reference: ReferenceData, day: Int64) {
        self.node = node
        self.topology = topology
        self.reference = reference
        self.day = day
    }

    func title(of value: String, _ dimension: Analysis.Dimension) -> String {
        if dimension.isNode { return NodeID(value).flatMap { topology.name(of: $0) } ?? value }
        return dimension.list(reference)?.title(of: value, on: day) ?? value
    }

    /// All codes of a dimension, in the order of their list; of nodes this one and its children.
    func codes(of dimension: Analysis.Dimension) -> [String] {
        if dimension.isNode { return ([node] + topology.children(of: node)).map(\.code) }
        let entries = (dimension.list(reference)?.entries ?? []).filter { $0.isValid(on: day) }
        if case .service(let levels) = dimension.value {
            return entries.map(\.code).filter { $0.split(separator: ".").count == levels }
        }
        return entries.map(\.code)
    }

    /// What days of a period are called that are not like others.
    func specialDates(in period: CalendarPeriod) -> [String] { reference.specialDates.titles(in: period.days) }

    /// The child of this node under which another one lies, which an answer counts it under; the node itself for its own.
    package func child(above origin: String) -> String {
        guard let id = NodeID(origin) else { return origin }
        let start = topology.contains(id) ? id : topology.detached.first { $0.id == id }?.parent ?? id
        let chain = topology.chain(from: start)
        guard let index = chain.firstIndex(of: node) else { return origin }
        return index == 0 ? (id == node ? origin : node.code) : chain[index - 1].code
    }
}

extension PartialResult {
    /// With the rows of nodes counted under the children of the node that reports: 历下区 under 济南市.
    ///
    /// - Throws: as `add`.
    package func rolledUp(
        for analysis: Analysis, under names: ReportNames
    ) throws(FederationError) -> PartialResult {
        guard let place = analysis.dimensions.firstIndex(of: .origin) else { return self }
        var result = PartialResult(for: analysis)
        for (key, group) in groups {
            var key = key
            key[place] = key[place].map { ExactText(names.child(above: $0.text)) }
            try result.add(key: key, group)
        }
        return result
    }
}

extension CalendarPeriod {
    /// `2025年8月`, `2025年第35周(2025-08-25至2025-08-31)`.
    package var title: String {
        let (year, month, day) = CivilDate.date(dayNumber: firstDay)
        return switch unit {
        case .day: "\(year)年\(month)月\(day)日"
        case .week:
            "\(label.prefix(4))年第\(label.suffix(2))周(\(CivilDate.text(dayNumber: firstDay))至\(CivilDate.text(dayNumber: days.upperBound - 1)))"
        case .month: "\(year)年\(month)月"
        case .quarter: "\(year)年第\((month + 2) / 3)季度"
        case .year: "\(year)年"
        }
    }
}
