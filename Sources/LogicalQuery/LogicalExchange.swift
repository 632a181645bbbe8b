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
    /// Whether an answer of before may stand for one that a node further down does not give.
    package let allowsStale: Bool

    /// - Throws: `E_ANALYSIS_REQUEST` for no, too many or repeated origins, or a deadline out of range.
    package init(
        analysis: Analysis, origins: [NodeID], deadlineMS: Int64, topologyVersion: Int64, allowsStale: Bool = false
    ) throws(FederationError) {
        try Self.check(origins, deadlineMS: deadlineMS)
        self.analysis = analysis
        self.origins = origins
        self.deadlineMS = deadlineMS
        self.topologyVersion = topologyVersion
        self.allowsStale = allowsStale
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
            topologyVersion: container.decode(Int64.self, forKey: .topologyVersion),
            allowsStale: container.decodeIfPresent(Bool.self, forKey: .allowsStale) ?? false)
    }
}

/// How a part of an answer came about.
package struct AnswerStep: Hashable, Sendable, Codable {
    /// From what. A newer node may say a word that this one does not know.
    package struct Source: RawRepresentable, Hashable, Sendable, Codable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The node's own rows.
        package static let rows = Source(rawValue: "rows")
        /// Rows that were copied to it.
        package static let copy = Source(rawValue: "copy")
        /// What was kept of the question, and rows for what has changed since.
        package static let rollup = Source(rawValue: "rollup")
        /// Rows on another engine, which has those of the node and the copies.
        package static let warehouse = Source(rawValue: "warehouse")
        /// The answer of a child.
        package static let child = Source(rawValue: "child")
        /// What a child answered before to the same question.
        package static let remembered = Source(rawValue: "remembered")
    }

    package let node: NodeID
    package let source: Source
    /// Who was asked.
    package let child: NodeID?
    /// The nodes whose rows they are.
    package let origins: [NodeID]
    package let milliseconds: Int64
    /// Why the engine on which the node's analysis runs gave no answer (``WarehouseGap``); nil where it did, or there is none.
    package let gap: String?

    package init(
        node: NodeID, source: Source, child: NodeID? = nil, origins: [NodeID], milliseconds: Int64, gap: String? = nil
    ) {
        self.gap = gap
        self.node = node
        self.source = source
        self.child = child
        self.origins = origins
        self.milliseconds = milliseconds
    }
}

/// The answer on its way up: the sums, and a report on every origin that was asked for.
package struct LogicalAnswer: Hashable, Sendable, Codable {
    package private(set) var partial: PartialResult
    package private(set) var nodes: [NodeReport]
    /// How it came about, for people who want to know (`--explain`).
    package private(set) var steps: [AnswerStep]

    package init(partial: PartialResult, nodes: [NodeReport], steps: [AnswerStep] = []) {
        self.partial = partial
        self.nodes = nodes
        self.steps = steps
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        partial = try container.decode(PartialResult.self, forKey: .partial)
        nodes = try container.decode([NodeReport].self, forKey: .nodes)
        // Earlier releases say nothing of it.
        steps = try container.decodeIfPresent([AnswerStep].self, forKey: .steps) ?? []
    }

    /// The same, as an answer of before that stands for one that a child does not give now.
    ///
    /// - Parameters:
    ///   - time: when the child gave it.
    ///   - code: why it gives none now.
    package func remembered(since time: UnixMilliseconds, because code: String) -> LogicalAnswer {
        LogicalAnswer(partial: partial, nodes: nodes.map { $0.remembered(since: time, because: code) })
    }

    /// The same with a step in front of the others.
    package func after(_ step: AnswerStep) -> LogicalAnswer {
        LogicalAnswer(partial: partial, nodes: nodes, steps: [step] + steps)
    }

    /// Leaves out the groups of fewer rows than `least`, and those that would tell them; see ``PartialResult/suppress(below:of:)``.
    package mutating func suppress(below least: Int64, of analysis: Analysis) {
        guard partial.suppress(below: least, of: analysis) > 0 else { return }
        nodes = nodes.map { $0.suppressing(least) }
    }

    /// Whether every node is in it with what it had.
    package var isWhole: Bool { nodes.allSatisfy(\.state.isAnswered) }

    /// Adds the answer of another part of the plan.
    ///
    /// - Throws: as `PartialResult.add`. Nothing has been added then.
    package mutating func merge(_ other: LogicalAnswer) throws(FederationError) {
        var merged = partial
        try merged.merge(other.partial)
        partial = merged
        nodes += other.nodes
        steps += other.steps
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
        let asked = Set(request.origins)
        let isPlausible =
            steps.count <= 4 * asked.count + 4
            && steps.allSatisfy {
                !$0.origins.isEmpty && asked.isSuperset(of: $0.origins) && $0.milliseconds >= 0
                    && FederationError.isName($0.source.rawValue)
                    && ($0.gap.map(NodeReport.isCode) ?? true)
            }
        guard isPlausible else { throw .badAnswer("it came about in a way that can't be") }
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
