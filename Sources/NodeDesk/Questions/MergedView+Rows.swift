import FederationModel
import LocalStore
import LogicalQuery

extension MergedView {
    /// A page of rows out of everything below this node, or of `wanted`: of physical children from the copies here, of
    /// logical ones by asking them. Nothing of an answer is stored.
    ///
    /// - Parameters:
    ///   - asker: the parent that asked, which gets what its link grants; nil for people at this node, who see personal
    ///     fields masked.
    ///   - reader: the node whose people asked, if not this one.
    ///   - deadlineMS: how long the whole answer may take.
    /// - Returns: the plan, and a page that reports on every origin of it.
    /// - Throws: `E_ROWS_NOT_GRANTED` when the link gives no rows of the resource, or not by the fields that the question
    ///   selects by; `E_QUERY_DEADLINE`; what the store throws.
    package func rows(
        _ query: RowQuery, wanted: [NodeID]? = nil, asker: NodeID? = nil, reader: NodeID? = nil, deadlineMS: Int64,
        now: UnixMilliseconds
    ) async throws -> (plan: QueryPlan, answer: RowAnswer) {
        let topology = store.standing.topology
        let asked = query.originsAsked(among: wanted ?? topology.origins(under: store.node))
        let grant = try await grant(of: query.resource.name, to: asker, topology)
        // A node whose policy tokenises does not open without the key (`LocalNode`); one that has lost it meanwhile shows nothing.
        let gate = try RowGate(query, grant: grant) { [store] in (try? store.tokens?($0)) ?? "" }
        let plan = try QueryPlan(
            topology: topology, node: store.node, resources: [query.resource.name], wanted: asked)
        let readers = readers(from: asker, upTo: reader, topology)
        let parts = try await withThrowingTaskGroup(of: RowAnswer.self) { group in
            group.addTask {
                let page = try await within(milliseconds: max(1, deadlineMS - Self.ownShareMS)) {
                    try await localRows(
                        query, plan.local, within: grant.tickets, readers: readers, topology, now: now)
                }
                guard let page else { throw FederationError.deadline(deadlineMS, at: store.node) }
                return gate.treat(page)
            }
            for (child, origins) in plan.delegated {
                let request = try RowRequest(
                    query: gate.query, origins: origins, reader: reader ?? store.node,
                    deadlineMS: max(1, deadlineMS - Self.ownShareMS),
                    topologyVersion: topology.version)
                group.addTask {
                    guard gate.letsThrough else {
                        return RowAnswer(nodes: origins.map { NodeReport(node: $0, state: .denied) })
                    }
                    return gate.pass(try await ask(child, request))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return (plan, RowAnswer.merged(parts, limit: query.limit))
    }

    /// - Throws: `E_ROWS_NOT_GRANTED`.
    private func grant(
        of resource: ResourceName, to asker: NodeID?, _ topology: Topology
    ) async throws -> LinkGrant {
        guard let asker else { return LinkGrant() }
        let grant = topology.grant(from: store.node, to: asker)
        guard grant.rowQueries.contains(resource) else {
            throw FederationError(
                "E_ROWS_NOT_GRANTED", "the policy of node \(store.node) gives no rows of \(resource) to node \(asker)",
                hint: "the node's policy in the topology file must say `row-queries: true` for it")
        }
        let catalog = try await store.newestCatalogs(of: [store.node])[store.node]
        if let refusal = catalog?.refusal(of: resource, to: asker) {
            throw FederationError(
                "E_ROWS_NOT_GRANTED",
                "node \(store.node) gives no rows of \(resource) to node \(asker): \(refusal.text)",
                hint: "see `federation-node catalog show`")
        }
        return grant
    }

    /// Whom rows of this node reach: the nodes from `asker` up to `reader`. All above count where that is none of them.
    func readers(
        from asker: NodeID?, upTo reader: NodeID?, _ topology: Topology
    ) -> [TopologyNode] {
        guard let asker else { return [] }
        let above = topology.chain(from: asker)
        return (above.prefix { $0 != reader } + (reader.map { [$0] } ?? [])).compactMap(topology.node)
    }

    private func localRows(
        _ query: RowQuery, _ origins: [NodeID], within filter: GrantFilter, readers: [TopologyNode],
        _ topology: Topology, now: UnixMilliseconds
    ) async throws -> RowAnswer {
        guard !origins.isEmpty else { return RowAnswer() }
        let copies = try await copies(of: origins, resources: [query.resource.name], topology)
        var answer = RowAnswer()
        answer.nodes = origins.map { report(on: $0, copies, rows: nil, topology, now: now) }
        let page = try await store.page(
            of: query, origins: answer.nodes.filter(\.state.hasRows).map(\.node), within: filter,
            readers: readers)
        answer.rows = page.rows
        answer.next = page.next
        return answer
    }

    /// As for an analysis: a child that does not answer is missing, never an error.
    private func ask(_ child: NodeID, _ request: RowRequest) async throws -> RowAnswer {
        let question = Question(request)
        do {
            let (answer, bytes) = try await exchange(
                RowAnswer.self, child, .rows, request, deadlineMS: request.deadlineMS
            ) { try $0.check(against: request) }
            try await log(question, .asked, child, rows: answer.rows.count, bytes: bytes)
            return answer
        } catch let failure as ChildFailure {
            try await log(question, .asked, child, outcome: failure.code)
            return RowAnswer(nodes: await missing(request.origins, failure))
        }
    }
}
