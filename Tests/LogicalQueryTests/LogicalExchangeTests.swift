import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

struct LogicalExchangeTests {
    private func request(_ analysis: Analysis, _ codes: [String]) throws -> LogicalRequest {
        try LogicalRequest(analysis: analysis, origins: codes.map(node), deadlineMS: 2_000, topologyVersion: 3)
    }

    private func answer(_ analysis: Analysis, _ groups: [([ExactText?], [Int64])], _ codes: [String]) throws
        -> LogicalAnswer
    {
        var partial = PartialResult(for: analysis)
        for (key, sums) in groups { try partial.add(key: key, sums: sums) }
        return LogicalAnswer(
            partial: partial,
            nodes: codes.map { NodeReport(node: node($0), state: .ok, asOf: 7, rows: 500) })
    }

    @Test func `a request and an answer survive the way between nodes`() throws {
        let analysis = try Analysis(dimensions: [.origin], asOf: 0)
        let request = try request(analysis, ["370300"])
        #expect(try overTheWire(request) == request)
        let answer = try answer(analysis, [(["370300"], [500])], ["370300"])
        #expect(try overTheWire(answer) == answer)
        try answer.check(against: request)
    }

    @Test func `a request is bounded`() throws {
        let analysis = try Analysis(asOf: 0)
        #expect(errorCode { _ = try request(analysis, []) } == "E_ANALYSIS_REQUEST")
        #expect(errorCode { _ = try request(analysis, ["370300", "370300"]) } == "E_ANALYSIS_REQUEST")
        let many = (0..<LogicalRequest.originsMax).map { "\(100_000 + $0)" }
        #expect(try request(analysis, many).origins.count == LogicalRequest.originsMax)
        #expect(errorCode { _ = try request(analysis, many + ["999999"]) } == "E_ANALYSIS_REQUEST")
        for deadline in [Int64.min, 0, 600_001] {
            let json = """
                {"analysis":{"indicators":[{"name":"a","version":1,"unit":"count","terms":[{"fact":"call","period":"arrival","base":"",
                "numerator":"count","weight":1}]}],"dimensions":[],"filters":[],"asOf":1},"origins":["370300"],
                "deadlineMS":\(deadline),"topologyVersion":1}
                """
            #expect(
                errorCode { _ = try JSONDecoder().decode(LogicalRequest.self, from: Data(json.utf8)) }
                    == "E_ANALYSIS_REQUEST")
        }
    }

    private func answer(
        _ analysis: Analysis, _ groups: [([ExactText?], [Int64])], _ nodes: [String], step origins: [String],
        milliseconds: Int64 = 1, source: String = "rows"
    ) throws -> LogicalAnswer {
        try answer(analysis, groups, nodes).after(
            AnswerStep(
                node: node("370300"), source: .init(rawValue: source), origins: origins.map { node($0) },
                milliseconds: milliseconds))
    }

    @Test func `what a child answered before is stale, shown to who takes it, and never complete`() throws {
        let topology = try demoTopology()
        let analysis = try Analysis(asOf: 0)
        let plan = try QueryPlan(topology: topology, node: node("370000"), resources: analysis.resourcesNeeded)
        let before = try answer(analysis, [([], [5])], ["370300"]).remembered(since: 7, because: "E_PEER_TIMEOUT")
        let others = plan.local.map { NodeReport(node: $0, state: .ok) }
        func coverage(_ allowsStale: Bool) -> Coverage {
            Coverage(plan: plan, topology: topology, reports: others + before.nodes, allowsStale: allowsStale)
        }
        #expect(before.partial.groups.mapValues(\.sums) == [[]: [5]])
        #expect(before.nodes.map(\.state) == [.stale] && before.nodes.map(\.answeredAt) == [7])
        #expect(coverage(true).isShown && !coverage(true).complete)
        #expect(!coverage(false).isShown && !coverage(false).complete)
        let nothing = Coverage(plan: plan, topology: topology, reports: others, allowsStale: true)
        #expect(!nothing.isShown)
    }

    @Test func `an answer of an earlier release, without steps, is one`() throws {
        let json =
            #"{"partial":{"keyCount":0,"sumCount":1,"keys":[[]],"sums":[[5]]},"nodes":[{"node":"370300","state":"ok"}]}"#
        let answer = try JSONDecoder().decode(LogicalAnswer.self, from: Data(json.utf8))
        #expect(answer.steps.isEmpty && answer.partial.groups.mapValues(\.sums) == [[]: [5]])
    }

    @Test func `an answer that was not asked for is refused`() throws {
        let analysis = try Analysis(dimensions: [.origin], asOf: 0)
        let request = try request(analysis, ["370300", "370302"])
        let both = ["370300", "370302"]
        let other = try Analysis(measures: [.count, .named("open")], dimensions: [.origin], asOf: 0)
        for (name, answer) in [
            ("too few nodes", try answer(analysis, [], ["370300"])),
            ("a foreign node", try answer(analysis, [], ["370300", "370100"])),
            ("a node twice", try answer(analysis, [], ["370300", "370302", "370302"])),
            ("a foreign group", try answer(analysis, [(["370100"], [5])], both)),
            ("a group without origin", try answer(analysis, [([nil], [5])], both)),
            ("a sum below 0", try answer(analysis, [(["370300"], [-5])], both)),
            ("another analysis", try answer(other, [(["370300"], [5, 5])], both)),
            (
                "rows below 0",
                LogicalAnswer(
                    partial: PartialResult(for: analysis),
                    nodes: both.map { NodeReport(node: node($0), state: .ok, rows: -1) })
            ),
            (
                "rows put aside below 0",
                LogicalAnswer(
                    partial: PartialResult(for: analysis),
                    nodes: both.map { NodeReport(node: node($0), state: .ok, quarantined: -1) })
            ),
            ("a step for a foreign node", try answer(analysis, [], both, step: ["370100"])),
            ("a step for nobody", try answer(analysis, [], both, step: [])),
            ("a step that took less than no time", try answer(analysis, [], both, step: both, milliseconds: -1)),
            ("a step from what is no word", try answer(analysis, [], both, step: both, source: "a b")),
        ] {
            #expect(errorCode { try answer.check(against: request) } == "E_ANALYSIS_ANSWER", "\(name)")
        }
        // A newer node may answer from what this one has no word for.
        try answer(analysis, [], both, step: both, source: "cube").check(against: request)
        try answer(analysis, [(["370300"], [5])], both).check(against: request)
        // What stands for a child that gave no answer.
        try LogicalAnswer(
            partial: PartialResult(for: analysis),
            nodes: request.origins.map { NodeReport(node: $0, state: .unreachable) }
        ).check(against: request)
    }

    @Test func `the merged answer of the demo federation is complete and counts each city`() throws {
        let topology = try demoTopology()
        let analysis = try Analysis(dimensions: [.origin], asOf: 0)
        let plan = try QueryPlan(
            topology: topology, node: node("370000"), resources: analysis.resourcesNeeded)
        var merged = try answer(
            analysis, [(["370100"], [1_200]), (["370900"], [800])], plan.local.map(\.code))
        try merged.merge(answer(analysis, [(["370300"], [500])], ["370300"]))
        let coverage = Coverage(plan: plan, topology: topology, reports: merged.nodes)
        #expect(coverage.complete && coverage.expected == 4 && coverage.answered == 4 && coverage.missing.isEmpty)
        #expect(coverage.nodes.map(\.node.code) == ["370100", "370102", "370300", "370900"])
        #expect(coverage.nodes.map(\.mode) == [.physical, .physical, .logical, .physical])
        let zibo = try #require(coverage.nodes.first { $0.node.code == "370300" })
        #expect(zibo.name == "淄博市" && zibo.asOf == 7 && zibo.rows == 500)
        #expect(
            try merged.partial.table(for: analysis).rows.map(\.cells) == [
                [.text("370100"), .integer(1_200)], [.text("370300"), .integer(500)], [.text("370900"), .integer(800)],
            ])
    }

    @Test func `says of which node a policy gives only some tickets`() throws {
        func filtered(_ filtering: Set<String>, logical: Set<String> = []) throws -> [String] {
            var grant = LinkGrant()
            grant.tickets.requestTypes = ["2"]
            let nodes = [("370000", nil), ("370100", "370000"), ("370102", "370100"), ("370300", "370000")].map {
                (code: String, parent: String?) in
                TopologyNode(
                    id: node(code), name: code, parent: parent.map(node), region: code, endpoint: nil,
                    defaultMode: logical.contains(code) ? .logical : .physical,
                    grant: filtering.contains(code) ? grant : LinkGrant())
            }
            let topology = Topology(name: "t", version: 1, nodes: nodes)
            let plan = try QueryPlan(topology: topology, node: node("370000"), resources: ["service_request"])
            return Coverage(plan: plan, topology: topology, reports: []).nodes
                .filter(\.isFiltered).map(\.node.code)
        }
        #expect(try filtered([]) == [])
        #expect(try filtered(["370100"]) == ["370100", "370102"], "also of what it passes on")
        #expect(try filtered(["370102"]) == ["370102"])
        #expect(try filtered(["370300"], logical: ["370300"]) == ["370300"], "the policy holds for what is asked too")
        #expect(try filtered(["370102"], logical: ["370100"]) == ["370102"], "the city answers from what it was given")
    }

    @Test func `a node that nobody reports on is missing by name`() throws {
        let topology = try demoTopology()
        let plan = try QueryPlan(topology: topology, node: node("370000"), resources: ["service_request"])
        let local = plan.local.map { NodeReport(node: $0, state: .ok) }
        let coverage = Coverage(plan: plan, topology: topology, reports: local)
        #expect(!coverage.complete && coverage.answered == 3 && coverage.expected == 4)
        #expect(coverage.missing.map(\.node.code) == ["370300"])
        #expect(coverage.nodes.first { $0.node.code == "370300" }?.state == .unreachable)
    }

    @Test func `late counts as answered, every other failing state does not`() throws {
        let topology = try demoTopology()
        let plan = try QueryPlan(
            topology: topology, node: node("370000"), resources: ["service_request"], wanted: [node("370300")])
        for state in CoverageState.allCases {
            let report = NodeReport(node: node("370300"), state: state)
            let coverage = Coverage(plan: plan, topology: topology, reports: [report])
            #expect(coverage.complete == (state == .ok || state == .late), "\(state)")
        }
    }

    @Test func `an answer that lacks rows which were put aside is not complete, and counts them`() throws {
        let topology = try demoTopology()
        let plan = try QueryPlan(
            topology: topology, node: node("370000"), resources: ["service_request"], wanted: [node("370300")])
        let report = NodeReport(node: node("370300"), state: .ok, quarantined: 2)
        let coverage = Coverage(plan: plan, topology: topology, reports: [report])
        #expect(!coverage.complete && coverage.missing.map(\.quarantined) == [2])
    }

    @Test func `why a node gave no answer travels up as a code and as nothing else`() throws {
        let analysis = try Analysis(dimensions: [.origin], asOf: 0)
        let request = try request(analysis, ["370300", "370302"])
        for (code, isOne) in [
            ("E_PEER_RESPONSE_TOO_LARGE", true), ("E_", false), ("\u{1b}[31m", false), ("王小明", false),
        ] {
            let answer = LogicalAnswer(
                partial: PartialResult(for: analysis),
                nodes: request.origins.map { NodeReport(node: $0, state: .unreachable, code: code) })
            let refused = errorCode { try answer.check(against: request) }
            #expect(refused == (isOne ? nil : "E_ANALYSIS_ANSWER"), "\(code.debugDescription)")
        }
    }

    @Test func `a node that is asked for nothing but its own rows is in the coverage itself`() throws {
        let topology = try demoTopology()
        let leaf = try QueryPlan(topology: topology, node: node("370102"), resources: ["service_request"])
        let own = [NodeReport(node: node("370102"), state: .ok, rows: 7)]
        let coverage = Coverage(plan: leaf, topology: topology, reports: own)
        #expect(coverage.complete && coverage.expected == 1 && coverage.nodes.map(\.rows) == [7])
        #expect(!Coverage(plan: leaf, topology: topology, reports: []).complete)
        let root = try QueryPlan(
            topology: topology, node: node("370000"), resources: ["service_request"], wanted: [node("370000")])
        let one = Coverage(plan: root, topology: topology, reports: [NodeReport(node: node("370000"), state: .ok)])
        #expect(one.expected == 1 && one.nodes.map(\.name) == ["山东省"])
        // Beside others it is what they are merged into.
        let all = try QueryPlan(topology: topology, node: node("370100"), resources: ["service_request"])
        #expect(Coverage(plan: all, topology: topology, reports: []).nodes.map(\.node.code) == ["370102"])
    }
}
