import FederationModel

/// An analysis on its way down to a child, with the origins that the child must answer for.
package struct LogicalRequest: Hashable, Sendable, Codable {
    /// More than the country has counties, cities and provinces together.
    package static let originsMax = 10_000
    /// Ten minutes. Nobody waits longer, and a slow statement must not run on for nobody.
    package static let deadlineMSMax: Int64 = 600_000

    package let analysis: Analysis
    package let origins: [NodeID]
    /// Time left for the answer in milliseconds, counted from its arrival. The child gives its own children less.
    package let deadlineMS: Int64
    /// Both nodes must stand on it: another topology parts the origins in another way.
    package let topologyVersion: Int64

    /// - Throws: `E_ANALYSIS_REQUEST` for no, too many or repeated origins, or a deadline out of range.
    package init(analysis: Analysis, origins: [NodeID], deadlineMS: Int64, topologyVersion: Int64)
        throws(FederationError)
    {
        try Self.check(origins, deadlineMS: deadlineMS)
        self.analysis = analysis
        self.origins = origins
        self.deadlineMS = deadlineMS
        self.topologyVersion = topologyVersion
    }

    /// - Throws: `E_ANALYSIS_REQUEST`.
    static func check(_ origins: [NodeID], deadlineMS: Int64) throws(FederationError) {
        guard (1...originsMax).contains(origins.count), Set(origins).count == origins.count else {
            throw FederationError(
                "E_ANALYSIS_REQUEST", "\(origins.count) origins; 1 to \(originsMax), each once, can be asked for")
        }
        guard (1...deadlineMSMax).contains(deadlineMS) else {
            throw FederationError(
                "E_ANALYSIS_REQUEST", "a deadline of \(deadlineMS) ms, not 1 to \(deadlineMSMax)")
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            analysis: container.decode(Analysis.self, forKey: .analysis),
            origins: container.decode([NodeID].self, forKey: .origins),
            deadlineMS: container.decode(Int64.self, forKey: .deadlineMS),
            topologyVersion: container.decode(Int64.self, forKey: .topologyVersion))
    }
}

/// The answer on its way up: the sums, and a report on every origin that was asked for.
package struct LogicalAnswer: Hashable, Sendable, Codable {
    package private(set) var partial: PartialResult
    package private(set) var nodes: [NodeReport]

    package init(partial: PartialResult, nodes: [NodeReport]) {
        self.partial = partial
        self.nodes = nodes
    }

    /// Adds the answer of another part of the plan.
    ///
    /// - Throws: as `PartialResult.add`. Nothing has been added then.
    package mutating func merge(_ other: LogicalAnswer) throws(FederationError) {
        var merged = partial
        try merged.merge(other.partial)
        partial = merged
        nodes += other.nodes
    }

    /// Holds a child's answer against what it was asked, before it is merged.
    ///
    /// - Throws: `E_ANALYSIS_ANSWER` when it reports on other nodes than those asked for, has sums of another analysis or
    ///   below 0, or groups of origins that were not asked for.
    package func check(against request: LogicalRequest) throws(FederationError) {
        try NodeReport.check(nodes, areOf: request.origins)
        let empty = PartialResult(for: request.analysis)
        guard partial.keyCount == empty.keyCount, partial.sumCount == empty.sumCount,
            partial.stateKinds == empty.stateKinds
        else {
            throw .badAnswer("it is grouped or measured in another way")
        }
        let originColumn = request.analysis.dimensions.firstIndex(of: .origin)
        let codes = Set(request.origins.map(\.code))
        for (key, group) in partial.groups {
            if group.sums.contains(where: { $0 < 0 }) { throw .badAnswer("a sum below 0") }
            if let originColumn, !codes.contains(key[originColumn]?.text ?? "") {
                throw .badAnswer("a group of an origin that was not asked for")
            }
        }
    }
}
