import FederationModel

/// A question to the merged view, as a value: what to measure, split by what, over which rows of its facts.
///
/// It is not SQL. Each engine compiles it to a partial aggregation, each node answers with partial sums, and the sums
/// merge (design section 4). It travels between nodes as JSON; reading it checks the same limits as making it.
package struct Analysis: Hashable, Sendable, Codable {
    package static let measuresMax = 16
    package static let dimensionsMax = 8
    package static let filtersMax = 32
    /// All filters together; every value is one parameter of the statement, and SQLite's default limit is 32,766
    /// (https://www.sqlite.org/limits.html, 9).
    package static let filterValuesMax = 10_000

    package let measures: [Measure]
    package let dimensions: [Dimension]
    /// All must hold.
    package let filters: [Filter]
    /// Rows whose period, as each measure has it, begins at this time or later; nil has no lower end.
    package let from: UnixMilliseconds?
    /// Rows whose period is before this time; nil has no upper end.
    package let to: UnixMilliseconds?
    /// Only so many rows, those with the most of the first measure. Applied after the merge: a node's own top rows need
    /// not be the federation's.
    package let top: Int?
    /// What "now" means for overdue tickets. Fixed by the asking node, so that every node decides alike.
    package let asOf: UnixMilliseconds
    /// The day whose tree of regions tickets are counted in, as any time of it; nil for that of `asOf`. With an earlier
    /// day a report can be made again as it was then.
    package let regionsAsOf: UnixMilliseconds?

    /// - Throws: `E_ANALYSIS_INVALID` naming the limit that is exceeded; `E_ANALYSIS_DIMENSION` for a dimension or filter that the
    ///   rows of a measure do not have.
    package init(
        measures: [Measure] = [.count], dimensions: [Dimension] = [], filters: [Filter] = [],
        from: UnixMilliseconds? = nil, to: UnixMilliseconds? = nil, top: Int? = nil, asOf: UnixMilliseconds,
        regionsAsOf: UnixMilliseconds? = nil
    ) throws(FederationError) {
        self.measures = measures
        self.dimensions = dimensions
        self.filters = filters
        self.from = from
        self.to = to
        self.top = top
        self.asOf = asOf
        self.regionsAsOf = regionsAsOf
        if let violation { throw FederationError("E_ANALYSIS_INVALID", violation) }
        for fact in facts {
            guard let missing = fields.first(where: { !fact.has($0) }) else { continue }
            throw FederationError(
                "E_ANALYSIS_DIMENSION", "\(fact.title) (\(fact.name)) has no \(missing.name)",
                hint: "known: \(Dimension.allCases.filter(fact.has).map(\.name).joined(separator: ", "))")
        }
    }

    private var violation: String? {
        if measures.isEmpty { return "no measure" }
        if measures.count > Self.measuresMax { return "\(measures.count) measures, at most \(Self.measuresMax)" }
        if dimensions.count > Self.dimensionsMax {
            return "\(dimensions.count) dimensions, at most \(Self.dimensionsMax)"
        }
        if filters.count > Self.filtersMax { return "\(filters.count) filters, at most \(Self.filtersMax)" }
        let values = filters.reduce(0) { $0 + $1.values.count }
        if values > Self.filterValuesMax { return "\(values) filter values, at most \(Self.filterValuesMax)" }
        if Set(measures.map(\.name)).count < measures.count { return "a measure is named twice" }
        if Set(dimensions).count < dimensions.count { return "a dimension is named twice" }
        if let from, let to, from >= to { return "the period is empty: it ends before or when it begins" }
        if let top, !(1...PartialResult.groupsMax).contains(top) {
            return "top must be 1 to \(PartialResult.groupsMax)"
        }
        return nil
    }

    /// The same question over other rows.
    ///
    /// - Throws: as `init`.
    func with(
        filters: [Filter], from: UnixMilliseconds?, to: UnixMilliseconds?
    ) throws(FederationError) -> Analysis {
        try Analysis(
            measures: measures, dimensions: dimensions, filters: filters, from: from, to: to, top: top, asOf: asOf,
            regionsAsOf: regionsAsOf)
    }

    /// What tells this question from others that are asked at another time: it without `asOf`.
    package var lasting: Analysis {
        get throws(FederationError) {
            try Analysis(
                measures: measures, dimensions: dimensions, filters: filters, from: from, to: to, top: nil, asOf: 0,
                regionsAsOf: regionsAsOf)
        }
    }

    /// Which rows a term is about. Of a period that is over, none is asked whether the time has passed by which it belongs to the period.
    func base(of term: Measure.Term) -> Criterion {
        guard let to, asOf >= to else { return term.base.criterion }
        return term.base.criterion.settled(term.period)
    }

    /// The facts that are counted, each once.
    package var facts: [Fact] {
        measures.flatMap(\.terms).map(\.fact).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Whether it needs the keyed digests of persons.
    package var countsPersons: Bool {
        measures.contains { $0.terms.contains { $0.aggregates.contains { $0.function == .persons } } }
    }

    private var fields: [Dimension] { dimensions + filters.map(\.field) }

    /// The resources whose rows a node must hold to answer: where all of them are copied, the copies answer.
    package var resourcesNeeded: [ResourceName] {
        var needed = Set(measures.flatMap { $0.terms.flatMap(\.resources) })
        for fact in facts {
            needed.formUnion(fact.resources(for: fields.compactMap { fact.column(for: $0) }))
        }
        return BuiltInResources.all.map(\.name).filter(needed.contains)
    }

    /// The resource whose rows the coverage counts: calls, or those of data sets, where nothing else is counted.
    package var resourceCovered: ResourceName {
        let resources = Set(facts.map(\.resource))
        return resources.count == 1 && !facts[0].isOfTickets ? facts[0].resource : BuiltInResources.serviceRequest.name
    }

    /// Those of `origins` that can hold a ticket of this analysis. Nobody else needs to be asked, or be within reach.
    package func originsAsked(among origins: [NodeID]) -> [NodeID] {
        let wanted = filters.filter { $0.field == .origin }
        return origins.filter { origin in wanted.allSatisfy { $0.accepts(origin.code) } }
    }

    // MARK: - Between nodes

    private enum CodingKeys: String, CodingKey, CaseIterable {
        // Releases before the indicators had `measures`, by name: they refuse this, and this refuses them (`E_ANALYSIS_UNKNOWN`).
        case measures = "indicators"
        case dimensions, filters, from, to, top, asOf, regionsAsOf
    }

    /// - Throws: `E_ANALYSIS_UNKNOWN` for a part, measure, dimension or operator that this node does not know;
    ///   `E_ANALYSIS_INVALID` or `E_FILTER_VALUE` for one past a limit.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self, kind: "part of an analysis")
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            measures: container.decode([Measure].self, forKey: .measures),
            dimensions: container.decode([Dimension].self, forKey: .dimensions),
            filters: container.decode([Filter].self, forKey: .filters),
            from: container.decodeIfPresent(UnixMilliseconds.self, forKey: .from),
            to: container.decodeIfPresent(UnixMilliseconds.self, forKey: .to),
            top: container.decodeIfPresent(Int.self, forKey: .top),
            asOf: container.decode(UnixMilliseconds.self, forKey: .asOf),
            regionsAsOf: container.decodeIfPresent(UnixMilliseconds.self, forKey: .regionsAsOf))
    }
}

extension Decoder {
    /// Refuses what a newer peer may send: left out silently, it would change the question.
    ///
    /// - Throws: `E_ANALYSIS_UNKNOWN`.
    func refuseUnknownKeys<Key: CodingKey & CaseIterable>(_ keys: Key.Type, kind: String) throws {
        let known = keys.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw FederationError.unknownWord(key.stringValue, kind: kind, known: known, code: "E_ANALYSIS_UNKNOWN")
        }
    }
}

/// Any key at all.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
