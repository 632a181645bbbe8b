import FederationModel
import LocalStore
import LogicalQuery

/// Answers an analysis over everything that lies below this node: rows of physical children from the store, logical
/// children by asking them, all at once and with a deadline.
package struct MergedView: Sendable {
    /// A copy older than this is `late`: six heartbeats were missed.
    static let lateAfter: Int64 = 30_000
    /// What a node keeps of a deadline for its own work, so that its answer still arrives in time.
    static let ownShareMS: Int64 = 200
    /// How long an answer waits for what is kept of it to be written.
    static let keepingMS: Int64 = 100

    let store: NodeStore
    let peers: PeerClients
    /// Answers from the rows here where it can; nil where SQLite alone does.
    let warehouse: Warehouse?

    package init(store: NodeStore, peers: PeerClients, warehouse: Warehouse? = nil) {
        self.store = store
        self.peers = peers
        self.warehouse = warehouse
    }

    /// Answers several questions at once, in their order.
    ///
    /// - Throws: as `answer`.
    package func answers(
        to analyses: [Analysis], allowsStale: Bool, deadlineMS: Int64, now: UnixMilliseconds
    ) async throws -> [(plan: QueryPlan, answer: LogicalAnswer)] {
        try await withThrowingTaskGroup(of: (Int, QueryPlan, LogicalAnswer).self) { group in
            for (index, analysis) in analyses.enumerated() {
                group.addTask {
                    let (plan, answer) = try await answer(
                        analysis, allowsStale: allowsStale, deadlineMS: deadlineMS, now: now)
                    return (index, plan, answer)
                }
            }
            let all = try await group.reduce(into: []) { $0.append($1) }
            return all.sorted { $0.0 < $1.0 }.map { ($0.1, $0.2) }
        }
    }

    /// - Parameters:
    ///   - wanted: the origins to answer for; nil for this node and everything below it.
    ///   - asker: the parent that asked, whose link's filter holds for what is counted; nil for people at this node.
    ///   - allowsStale: whether what a child answered before to the same question may stand for an answer that it does not give.
    ///   - deadlineMS: how long the whole answer may take.
    /// - Returns: the plan, and an answer that reports on every origin of it.
    /// - Throws: `E_ANALYSIS_NOT_GRANTED` for a question that reads what the asker's link hides, `E_QUERY_SCOPE`, and what the store throws.
    package func answer(
        _ analysis: Analysis, wanted: [NodeID]? = nil, asker: NodeID? = nil, allowsStale: Bool = false,
        deadlineMS: Int64, now: UnixMilliseconds
    ) async throws -> (plan: QueryPlan, answer: LogicalAnswer) {
        // One for the whole answer: the topology may change while it is being made.
        let standing = store.standing
        let topology = standing.topology
        if let asker, case let fields = analysis.withheld(by: topology.grant(from: store.node, to: asker)),
            !fields.isEmpty
        {
            throw FederationError(
                "E_ANALYSIS_NOT_GRANTED",
                "the policy of \(store.node) hides \(fields.map(\.description).joined(separator: ", ")) from \(asker), so nothing is counted by it",
                hint: "ask without what reads it, or have the policy give it")
        }
        let scope = wanted ?? topology.origins(under: store.node)
        let asked = analysis.originsAsked(among: scope)
        let plan = try QueryPlan(
            topology: topology, node: store.node, resources: analysis.resourcesNeeded, wanted: asked)
        let filter = filter(for: asker, topology)
        let answer = try await withThrowingTaskGroup(of: LogicalAnswer.self) { group in
            group.addTask {
                try await local(
                    analysis, origins: plan.local, for: asker, standing, deadlineMS: deadlineMS, now: now)
            }
            for (child, origins) in plan.delegated {
                guard let below = analysis.within(filter) else {
                    group.addTask {
                        LogicalAnswer(
                            partial: PartialResult(for: analysis),
                            nodes: origins.map { NodeReport(node: $0, state: .denied) })
                    }
                    continue
                }
                let request = try LogicalRequest(
                    analysis: below, origins: origins, deadlineMS: max(1, deadlineMS - Self.ownShareMS),
                    topologyVersion: topology.version, allowsStale: allowsStale)
                group.addTask { try await ask(child, request) }
            }
            var merged = LogicalAnswer(partial: PartialResult(for: analysis), nodes: [])
            for try await part in group { try merged.merge(part) }
            return merged
        }
        return (plan, answer)
    }

    /// What can be said from the rows here. Half of the time may go into deriving tickets' states; what is not derived by then
    /// is told in the reports.
    ///
    /// - Throws: `E_QUERY_DEADLINE` when the sums take longer than there is time, `E_TOKEN_KEY` where persons are to be counted without it.
    private func local(
        _ analysis: Analysis, origins: [NodeID], for asker: NodeID?, _ standing: Standing, deadlineMS: Int64,
        now: UnixMilliseconds
    ) async throws -> LogicalAnswer {
        guard !origins.isEmpty else { return LogicalAnswer(partial: PartialResult(for: analysis), nodes: []) }
        let began = ContinuousClock.now
        let milliseconds = max(1, deadlineMS - Self.ownShareMS)
        let deadline = wallClock() + milliseconds
        let answer = try await within(milliseconds: milliseconds) {
            try await sums(analysis, origins: origins, for: asker, standing, deadline: deadline, now: now)
        }
        guard let (sums, found) = answer else { throw FederationError.deadline(deadlineMS, at: store.node) }
        var given = sums
        let sources: [(AnswerStep.Source, [NodeID])] =
            found.source == .rows
            ? [(.copy, origins.filter { $0 != store.node }), (.rows, origins.filter { $0 == store.node })]
            : [(found.source, origins)]
        for (source, some) in sources where !some.isEmpty {
            given = given.after(step(source, some, since: began, gap: found.gap))
        }
        return given
    }

    private func step(
        _ source: AnswerStep.Source, of child: NodeID? = nil, _ origins: [NodeID],
        since began: ContinuousClock.Instant, gap: String? = nil
    ) -> AnswerStep {
        AnswerStep(
            node: store.node, source: source, child: child, origins: origins.sorted(),
            milliseconds: Int64((ContinuousClock.now - began) / .milliseconds(1)), gap: gap)
    }

    private func sums(
        _ analysis: Analysis, origins: [NodeID], for asker: NodeID?, _ standing: Standing, deadline: UnixMilliseconds,
        now: UnixMilliseconds
    ) async throws -> (answer: LogicalAnswer, found: Found) {
        // Where persons are counted, the key of their digests must be here; SQL could not say that it is not.
        if analysis.countsPersons { _ = try store.tokens?("") }
        let filter = filter(for: asker, standing.topology)
        let readers = readers(from: asker, upTo: nil, standing.topology)
        func look() async throws -> Copies {
            try await self.copies(
                of: origins, resources: analysis.resourcesNeeded, covered: analysis.resourceCovered, readers: readers,
                standing.topology)
        }
        var (copies, lagRows) = (try await look(), Int64?.none)
        if !copies.holdings.isDerived {
            lagRows = try await derive(milliseconds: max(1, deadline - wallClock()) / 2)
            // Live rows are counted with it.
            copies = try await look()
        }
        if !copies.holdings.keepsRollups { await write { try await store.wantRollups() } }
        let grant = asker.map { standing.topology.grant(from: store.node, to: $0) } ?? LinkGrant()
        let given = origins.filter { !copies.denied.contains($0) }
        let found = try await found(
            analysis, grant: grant, origins: given, for: asker, within: filter, readers: readers, standing,
            deadline: deadline, now: now)
        let rows =
            if filter.isEmpty, let counted = copies.holdings.liveRows {
                counted
            } else {
                try await liveRows(of: analysis.resourceCovered, of: origins, within: filter, readers: readers)
            }
        let missing = max(lagRows ?? 0, found.lagRows)
        let reports = origins.map { origin in
            report(
                on: origin, copies, rows: rows[origin.code] ?? 0, lagRows: missing > 0 ? missing : nil,
                standing.topology, now: now)
        }
        return (LogicalAnswer(partial: found.partial, nodes: reports), found)
    }

    /// Derives what is not derived yet, as far as it can be done in time.
    ///
    /// - Returns: how many changes are not in what is derived then; nil for none. On a full disk that is so whatever the time.
    private func derive(milliseconds: Int64) async throws -> Int64? {
        let isDerived = try await within(milliseconds: milliseconds) {
            try await store.catchUpForReading(now: wallClock()) == nil
        }
        return isDerived == true ? nil : try await store.consumerStatus().map(\.lagRows).max()
    }

    /// What the rows here come to.
    private struct Found {
        let partial: PartialResult
        let source: AnswerStep.Source
        /// Why it is not the warehouse that says so.
        var gap: String?
        /// Changes that are not in it.
        var lagRows: Int64 = 0
    }

    /// What the rows come to, by the engine that stands beside SQLite or, where that can't, by SQLite.
    private func found(
        _ analysis: Analysis, grant: LinkGrant, origins: [NodeID], for asker: NodeID?, within filter: GrantFilter,
        readers: [TopologyNode], _ standing: Standing, deadline: UnixMilliseconds, now: UnixMilliseconds
    ) async throws -> Found {
        var gap: String?
        if let warehouse {
            do {
                // What its link hides or withholds is known to SQLite alone.
                guard asker == nil else { throw WarehouseGap.granted }
                // The other half of the time is SQLite's.
                let (partial, lagRows) = try await warehouse.partial(
                    of: analysis, origins: origins, regions: standing.reference.regions, store: store,
                    milliseconds: max(1, deadline - wallClock()) / 2)
                return Found(partial: partial, source: .warehouse, lagRows: lagRows)
            } catch let reason as WarehouseGap {
                gap = reason.rawValue
            } catch let error as FederationError where error.code != "E_ANALYSIS_TOO_MANY_GROUPS" {
                gap = error.code
            }
        }
        var found = try await inStore(
            analysis, grant: grant, origins: origins, within: filter, readers: readers, standing, now: now)
        found.gap = gap
        return found
    }

    /// What the rows come to, as far as possible from what is kept of the question.
    private func inStore(
        _ analysis: Analysis, grant: LinkGrant, origins: [NodeID], within filter: GrantFilter, readers: [TopologyNode],
        _ standing: Standing, now: UnixMilliseconds
    ) async throws -> Found {
        let queries: @Sendable (Analysis) -> [CompiledQuery] = {
            SQLiteDialect.compile($0, origins: origins, regions: standing.reference.regions, grant: grant)
        }
        // Office hours change no due date, so the rules don't tell them apart; and digests of two keys can't be merged.
        let key = analysis.countsPersons ? try store.tokens?("") ?? "" : ""
        let basis =
            "\(standing.topology.version) \(standing.rules.fingerprint) \(standing.reference.calendar.hours.spans) \(key)"
        do {
            let rolledUp = try await store.rolledUp(
                analysis, basis: basis, within: filter, readers: readers, origins: origins, queries: queries)
            if let rolledUp {
                if rolledUp.isNew { await write { try await store.keep(rolledUp, now: now) } }
                return Found(partial: rolledUp.partial, source: rolledUp.isOfKept ? .rollup : .rows)
            }
        } catch let error as FederationError where error.code == "E_ANALYSIS_TOO_MANY_GROUPS" {
            // With its blocks it has more groups than without.
        }
        var partial = PartialResult(for: analysis)
        for query in queries(analysis) {
            for row in try await store.rows(of: query, within: filter, readers: readers) {
                try partial.add(row, of: query)
            }
        }
        return Found(partial: partial, source: .rows)
    }

    /// Writes what makes later answers quick. This one waits for it no longer than `keepingMS`, and a full disk is not in its way; what
    /// takes longer goes on beside it.
    private func write(_ work: @escaping @Sendable () async throws -> Void) async {
        let writing = Task { try await work() }
        _ = try? await within(milliseconds: Self.keepingMS) { try await writing.value }
    }

    /// The live rows of a resource that the asker is granted, by origin.
    private func liveRows(
        of resource: ResourceName, of origins: [NodeID], within filter: GrantFilter, readers: [TopologyNode]
    ) async throws -> [String: Int64] {
        var rows: [String: Int64] = [:]
        let counts = SQLiteDialect.rowsPerOrigin(origins, of: resource)
        for row in try await store.rows(of: counts, within: filter, readers: readers) {
            if let origin = row.first?.text { rows[origin] = row.last?.integer }
        }
        return rows
    }

    /// Which tickets count for whoever asks.
    private func filter(for asker: NodeID?, _ topology: Topology) -> GrantFilter {
        asker.map { topology.grant(from: store.node, to: $0).tickets } ?? GrantFilter()
    }

    /// What is known of the copies of `origins` here.
    struct Copies {
        let holdings: Holdings
        fileprivate let all: [NodeID: Copy]
        /// The origins whose rows of one of the resources do not come here whole, because the catalog of a sender on their way
        /// withholds them (5.3-1): without them a copy would look complete that is not.
        let denied: Set<NodeID>

        fileprivate subscript(_ origin: NodeID) -> Copy? { all[origin] }
    }

    /// How fresh the copies here are, and how old they may be by the update cycles that their origins' catalogs state: the shortest
    /// of those of `resources`.
    ///
    /// - Parameters:
    ///   - covered: the resource whose live rows are told, if any are.
    ///   - readers: the nodes to which the answer goes.
    func copies(
        of origins: [NodeID], resources: [ResourceName], covered: ResourceName? = nil, readers: [TopologyNode] = [],
        _ topology: Topology
    ) async throws -> Copies {
        let hops = origins.map { (origin: $0, edges: topology.hops(of: $0, to: store.node)) }
        let holdings = try await store.holdings(
            of: resources, covered: covered, readers: readers,
            catalogs: Set(origins + hops.flatMap { $0.edges.map(\.sender) }))
        let all = Dictionary(
            uniqueKeysWithValues: origins.map { origin in
                // A catalog that is not here yet promises nothing else.
                let cycles = resources.map { holdings.catalogs[origin]?.entry($0)?.cycle ?? .realTime }
                return (
                    origin,
                    Copy(
                        freshness: holdings.freshness[origin], staleAfter: cycles.compactMap(\.staleAfter).min(),
                        quarantined: holdings.quarantined[origin])
                )
            })
        let denied = hops.filter { hop in
            hop.edges.contains { edge in
                resources.contains { holdings.catalogs[edge.sender]?.refusal(of: $0, to: edge.receiver) != nil }
            }
        }
        return Copies(holdings: holdings, all: all, denied: Set(denied.map(\.origin)))
    }

    /// What is known of a copy of one origin's rows.
    fileprivate struct Copy {
        let freshness: OriginFreshness?
        /// Milliseconds; nil when it never is.
        let staleAfter: Int64?
        let quarantined: Int64?

        var asOf: UnixMilliseconds? { freshness?.asOf }

        func state(now: UnixMilliseconds) -> CoverageState {
            guard let freshness, freshness.complete else { return .bootstrapping }
            // A neighbour's word: no arithmetic on it, which could overflow.
            if let staleAfter, freshness.asOf < now - staleAfter { return .stale }
            return freshness.asOf < now - lateAfter ? .late : .ok
        }
    }

    /// What can be said of an origin whose rows are here.
    func report(
        on origin: NodeID, _ copies: Copies, rows: Int64?, lagRows: Int64? = nil, _ topology: Topology,
        now: UnixMilliseconds
    ) -> NodeReport {
        if copies.denied.contains(origin) {
            return NodeReport(node: origin, state: .denied, asOf: copies[origin]?.asOf)
        }
        if topology.detached.contains(where: { $0.id == origin }) {
            // Nothing is added to it any more, so what is here is all.
            return NodeReport(node: origin, state: .ok, asOf: copies[origin]?.asOf, rows: rows)
        }
        let state: CoverageState
        let asOf: UnixMilliseconds?
        if origin != store.node {
            state = copies[origin]?.state(now: now) ?? .bootstrapping
            asOf = copies[origin]?.asOf
        } else if Set(topology.neighbours(of: origin)).isDisjoint(with: copies.holdings.lostAt) {
            (state, asOf) = (.ok, now)
        } else {
            // What this node has lost its neighbours give back. One that is none any more says nothing of it either.
            (state, asOf) = (.bootstrapping, nil)
        }
        let isLate = lagRows != nil && state == .ok
        return NodeReport(
            node: origin, state: isLate ? .late : state, asOf: asOf, rows: rows, lagRows: lagRows,
            quarantined: copies[origin]?.quarantined)
    }

    /// A child that does not answer is missing, never an error: the others' answers stand.
    ///
    /// - Throws: what the store throws; an answer that can't be logged is none.
    private func ask(_ child: NodeID, _ request: LogicalRequest) async throws -> LogicalAnswer {
        let question = Question(request)
        let began = ContinuousClock.now
        do {
            let (answer, bytes) = try await exchange(
                LogicalAnswer.self, child, .analysis, request, deadlineMS: request.deadlineMS
            ) { try $0.check(against: request) }
            try await log(question, .asked, child, rows: answer.partial.groups.count, bytes: bytes)
            if answer.isWhole {
                // A node that can't write keeps what it can show all the same.
                try? await store.remember(
                    try WireJSON.encode(answer), of: child, to: identity(of: request), at: wallClock())
            }
            return answer.after(step(.child, of: child, request.origins, since: began))
        } catch let failure as ChildFailure {
            try await log(question, .asked, child, outcome: failure.code)
            if request.allowsStale, failure.state != .denied, let former = try await remembered(child, request, failure)
            {
                return former.after(step(.remembered, of: child, request.origins, since: began))
            }
            return LogicalAnswer(
                partial: PartialResult(for: request.analysis), nodes: await missing(request.origins, failure))
        }
    }

    /// What the child answered last to the same question, as such.
    private func remembered(
        _ child: NodeID, _ request: LogicalRequest, _ failure: ChildFailure
    ) async throws -> LogicalAnswer? {
        guard let (body, time) = try await store.rememberedAnswer(of: child, to: identity(of: request)),
            let answer = try? WireJSON.decode(LogicalAnswer.self, body), (try? answer.check(against: request)) != nil
        else { return nil }
        return answer.remembered(since: time, because: failure.code)
    }

    /// What tells a question from others, whenever and however urgently it is asked.
    private func identity(of request: LogicalRequest) throws -> [UInt8] {
        try WireJSON.encodeSorted(
            LogicalRequest(
                analysis: request.analysis.lasting, origins: request.origins.sorted(), deadlineMS: 1,
                topologyVersion: 0))
    }
}
