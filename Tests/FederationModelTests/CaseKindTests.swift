import FederationModel
import TestSupport
import Testing

private let province: NodeID = "370000"
private let jinan: NodeID = "370100"
private let qingdao: NodeID = "370200"
private let lixia: NodeID = "370102"

private let qilu = Topology(
    name: "齐鲁演示", version: 1,
    nodes: [
        TopologyNode(id: province, name: "山东省", parent: nil, region: "370000", endpoint: nil),
        TopologyNode(id: jinan, name: "济南市", parent: province, region: "370100", endpoint: nil),
        TopologyNode(id: qingdao, name: "青岛市", parent: province, region: "370200", endpoint: nil),
        TopologyNode(id: lixia, name: "历下区", parent: jinan, region: "370102", endpoint: nil),
    ])

private func record(
    _ resource: ResourceDefinition, by node: NodeID, _ minutes: Int64, _ texts: [String: String] = [:],
    _ integers: [String: Int64] = [:], key: String? = nil
) -> CaseRecord {
    var values = texts.mapValues { FieldValue.text($0) }.merging(integers.mapValues { .integer($0) }) { $1 }
    let time = threadStart + minutes * 60_000
    values["occurred_at"] = .integer(time)
    return CaseRecord(
        resource.name, origin: node.code, key: key ?? "\(node)-\(resource.name)-\(minutes)",
        version: HybridTime(rawValue: time << 16), values: values)
}

/// Folds a thread in several orders, which must not matter.
private func fold<Kind: ThreadKind>(_ kind: Kind, _ records: [CaseRecord]) -> Kind.State
where Kind.Record == CaseRecord, Kind.State: Equatable {
    let state = kind.fold(records, rules: LifecycleRules())
    var chance = SplitMix64(seed: 1)
    for _ in 0..<5 {
        #expect(kind.fold(records.shuffled(using: &chance), rules: LifecycleRules()) == state)
    }
    return state
}

@Suite struct `An alert as a thread` {
    private func raised(
        by node: NodeID, _ minutes: Int64 = 0, level: String = "yellow", to nodes: [NodeID], withdrawn: Int64? = nil
    ) -> CaseRecord {
        record(
            CaseResources.alert, by: node, minutes, ["level": level, "nodes": CaseResources.list(nodes)],
            withdrawn.map { ["withdrawn_at": threadStart + $0 * 60_000] } ?? [:])
    }

    private func acted(_ action: String, by node: NodeID, _ minutes: Int64, _ more: [String: String] = [:])
        -> CaseRecord
    {
        record(CaseResources.alertAction, by: node, minutes, more.merging(["action": action]) { $1 })
    }

    private func state(_ records: CaseRecord...) -> AlertState { fold(AlertKind(), records) }

    @Test func `is raised, acknowledged, made a situation of or dismissed with a reason, and closed`() {
        let alert = raised(by: province, to: [jinan, lixia])
        #expect(state(alert).status == .raised && state(alert).since == threadStart)
        let heard = acted("acknowledge", by: jinan, 1)
        #expect(state(alert, heard).status == .acknowledged && state(alert, heard).acknowledgedBy == "370100")
        let opened = acted("open_situation", by: jinan, 2, ["situation": "370100-S1"])
        #expect(state(alert, heard, opened).situation == "370100-S1")
        #expect(state(alert, heard, opened, acted("close", by: jinan, 3)).status == .closed)
        #expect(state(alert, acted("dismiss", by: lixia, 2)).status == .raised, "without a reason")
        let dismissed = acted("dismiss", by: lixia, 2, ["reason": "演练"])
        #expect(state(alert, dismissed).status == .dismissed && state(alert, dismissed).reason == "演练")
        #expect(state(alert, dismissed, acted("acknowledge", by: jinan, 3)).status == .dismissed)
        #expect(state(alert, acted("close", by: jinan, 1)).status == .raised)
    }

    @Test func `hears only those who raised it or were named`() {
        let alert = raised(by: province, to: [jinan])
        #expect(state(alert, acted("acknowledge", by: qingdao, 1)).status == .raised)
    }

    @Test func `has the highest level that a node finds, and is withdrawn when nobody finds it any more`() {
        let (here, above) = (raised(by: jinan, to: [province]), raised(by: province, 1, level: "orange", to: [jinan]))
        #expect(state(here, above).level == .orange && state(here, above).raisers == ["370100", "370000"])
        let gone = raised(by: province, 1, level: "orange", to: [jinan], withdrawn: 5)
        #expect(state(here, gone).level == .yellow && state(here, gone).status == .raised)
        #expect(state(gone).status == .withdrawn && state(gone).since == threadStart + 300_000)
        #expect(state(gone, acted("dismiss", by: jinan, 2, ["reason": "误报"])).status == .dismissed)
    }

    @Test func `goes to whom the highest of its raisers names, and to nobody for raising it too`() {
        func audience(_ records: CaseRecord...) -> Set<NodeID> {
            AlertKind().audience(records, at: province, topology: qilu)
        }
        let alert = raised(by: province, to: [jinan, lixia])
        #expect(audience(alert) == [province, jinan, lixia])
        #expect(audience(alert, raised(by: qingdao, to: [qingdao])) == [province, jinan, lixia])
        #expect(audience(raised(by: jinan, to: [province, "999999"])) == [jinan, province])
        #expect(audience(acted("acknowledge", by: jinan, 1)) == [])
    }
}

@Suite struct `A situation as a thread` {
    private let head = record(
        CaseResources.situation, by: jinan, 0,
        [
            "situation_id": "370100-S1", "title": "停水", "kind": "concentrated", "level": "orange",
            "nodes": "370000 370102",
        ])

    private func step(_ step: String, by node: NodeID, _ minutes: Int64, _ more: [String: String] = [:]) -> CaseRecord {
        record(
            CaseResources.situationStep, by: node, minutes,
            more.merging(["step": step, "situation_id": "370100-S1"]) { $1 }, key: "\(node)-\(minutes)")
    }

    private func state(_ records: CaseRecord...) -> SituationState { fold(SituationKind(), [head] + records) }

    @Test func `gathers tickets, and lets only who leads it take some out, set the level and close it`() {
        let two = [
            step("add_ticket", by: jinan, 1, ["ticket": "G1"]), step("add_ticket", by: lixia, 2, ["ticket": "G2"]),
        ]
        #expect(state(two[0], two[1]).members == ["G1", "G2"])
        #expect(state(two[0], two[1], step("remove_ticket", by: lixia, 3, ["ticket": "G1"])).members == ["G1", "G2"])
        #expect(state(two[0], two[1], step("remove_ticket", by: jinan, 3, ["ticket": "G1"])).members == ["G2"])
        #expect(state(step("set_level", by: jinan, 1, ["level": "red"])).level == .red)
        #expect(state(step("set_level", by: lixia, 1, ["level": "red"])).level == .orange)
        #expect(state(step("close", by: lixia, 1)).status == .open)
        let closed = state(step("close", by: jinan, 5), step("add_ticket", by: jinan, 6, ["ticket": "G9"]))
        #expect(closed.status == .closed && closed.since == threadStart + 300_000 && closed.members.isEmpty)
    }

    @Test func `notes who was told and has answered, and what is to be escalated after a quarter of an hour`() throws {
        let told = step("notify", by: jinan, 1, ["form": "warm_transfer", "unit": "供水集团", "node": "370102"])
        let notification = try #require(state(told).notifications.first)
        let limit: Int64 = 15 * 60_000
        #expect(notification.form == "warm_transfer" && notification.unit == "供水集团")
        #expect(!notification.isToEscalate(at: threadStart + 16 * 60_000, after: limit))
        #expect(notification.isToEscalate(at: threadStart + 16 * 60_000 + 1, after: limit))
        let heard = state(told, step("acknowledge", by: lixia, 4, ["reference": told.key]))
        #expect(heard.notifications.first?.acknowledgedAt == threadStart + 240_000)
        #expect(heard.notifications.first?.isToEscalate(at: .max, after: limit) == false)
        let raised = state(told, step("escalate", by: jinan, 17, ["reference": told.key, "node": "370000"]))
        #expect(raised.notifications.first?.isToEscalate(at: threadStart + 9_000_000, after: limit) == false)
    }

    @Test func `stays open while a member failed and neither announcement nor article answers it`() {
        let members = [
            step("add_ticket", by: jinan, 1, ["ticket": "G1"]), step("add_ticket", by: jinan, 2, ["ticket": "G2"]),
        ]
        let open = state(members[0], members[1])
        #expect(open.lacksAnswer(["G1", "G7"]) && !open.lacksAnswer(["G7"]))
        #expect(open.toInform(["G1", "G2", "G7"]) == ["G1", "G2"])
        let answered = state(
            members[0], members[1], step("answer", by: jinan, 3, ["reference": "370100-N5"]),
            step("inform", by: jinan, 4, ["ticket": "G1"]))
        #expect(!answered.lacksAnswer(["G1"]) && answered.toInform(["G1", "G2"]) == ["G2"])
    }

    @Test func `goes to whom its leader and those inside name; a stranger neither comes in nor is heard`() {
        func audience(_ records: CaseRecord...) -> Set<NodeID> {
            SituationKind().audience([head] + records, at: jinan, topology: qilu)
        }
        #expect(audience() == [jinan, province, lixia])
        #expect(audience(step("notify", by: lixia, 1, ["node": "370200"])) == [jinan, province, lixia, qingdao])
        #expect(audience(step("note", by: qingdao, 1, ["node": "370200"])) == [jinan, province, lixia])
        #expect(state(step("add_ticket", by: qingdao, 1, ["ticket": "G1"])).members.isEmpty)
        let forged = record(
            CaseResources.situation, by: qingdao, -5, ["situation_id": "370100-S1", "title": "x", "nodes": "370200"])
        #expect(audience(forged) == [jinan, province, lixia])
    }
}

@Suite struct `Findings and evaluations as threads` {
    @Test func `a finding gets a measure with owner and due day, which is done and then evaluated`() {
        let found = record(CaseResources.finding, by: jinan, 0, ["nodes": "370102"])
        func state(_ steps: (String, NodeID, Int64)...) -> FindingState {
            fold(
                FindingKind(),
                [found]
                    + steps.map {
                        record(
                            CaseResources.measure, by: $0.1, $0.2, ["step": $0.0, "owner": "热线办"],
                            ["due_datetime": threadStart + 9])
                    })
        }
        #expect(state().status == .open)
        #expect(state(("propose", jinan, 1)).status == .measured && state(("propose", jinan, 1)).owner == "热线办")
        #expect(state(("propose", jinan, 1), ("complete", lixia, 2), ("evaluate", jinan, 3)).status == .evaluated)
        #expect(state(("complete", jinan, 1)).status == .open && state(("propose", qingdao, 1)).status == .open)
        #expect(FindingKind().audience([found], at: jinan, topology: qilu) == [jinan, lixia])
    }

    @Test func `a result goes to whom it is about, who may object, and its author decides`() {
        let result = record(
            CaseResources.evaluationResult, by: province, 0, ["evaluation_id": "370000-E1", "node": "370100"])
        func state(_ steps: (String, NodeID, Int64)...) -> EvaluationState {
            fold(
                EvaluationKind(),
                [result]
                    + steps.map {
                        record(CaseResources.evaluationObjection, by: $0.1, $0.2, ["step": $0.0, "ticket": "G8"])
                    })
        }
        #expect(state().status == .published)
        #expect(state(("object", qingdao, 1)).status == .published)
        #expect(state(("object", jinan, 1)).pending == ["G8"])
        #expect(state(("object", jinan, 1), ("uphold", jinan, 2)).status == .objected)
        let upheld = state(("object", jinan, 1), ("uphold", province, 2), ("object", jinan, 3))
        #expect(upheld.status == .decided && upheld.upheld == ["G8"])
        #expect(state(("object", jinan, 1), ("reject", province, 2)).upheld.isEmpty)
        #expect(EvaluationKind().audience([result], at: province, topology: qilu) == [province, jinan])
    }

    @Test func `of no kind flow where nobody is concerned`() throws {
        let up = try #require(
            LinkPolicy(from: jinan, to: province, topology: qilu, resources: BuiltInResources.all))
        let cases = CaseResources.all.filter { $0.thread != nil }
        #expect(cases.count == 10)
        for resource in cases {
            #expect(!up.wholeResources.contains(resource.name) && up.resources.contains(resource.name))
        }
        let down = try #require(LinkPolicy(from: province, to: jinan, topology: qilu, resources: BuiltInResources.all))
        #expect(down.wholeResources.isSuperset(of: ["detection_rule", "knowledge_article"]))
    }
}
