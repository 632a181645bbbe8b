import ConfigurationFiles
import FederationModel
import LocalStore
import NodeDesk
import NodeRuntime
import TestSupport
import Testing

@Suite struct `The report on the links` {
    private let folder: TemporaryFolder
    private let local: LocalNode
    private let province: NodeID
    private let county: NodeID
    private let now: UnixMilliseconds = 1_790_000_000_000

    init() async throws {
        folder = try TemporaryFolder()
        try folder.write(
            """
            version: 1
            name: test
            nodes:
              - { code: "370000", name: 山东省 }
              - { code: "370100", name: 济南市, parent: "370000", peers: ["370900"], modes: { recording: logical } }
              - { code: "370102", name: 历下区, parent: "370100" }
              - { code: "370900", name: 泰安市, parent: "370000" }
            """, to: "federation.yaml")
        try LocalNode.create(
            node: node("370100"), topologyPath: folder.path("federation.yaml"), directory: folder.path("jinan"),
            localListen: nil, nonce: 1)
        let settings = try NodeSettings.load(path: folder.path("jinan/node.yaml"), environment: [:])
        local = try LocalNode(settings: settings)
        province = node("370000")
        county = node("370102")
    }

    private func report(_ peer: NodeID, _ direction: LinkDirection, at time: UnixMilliseconds? = nil) async throws
        -> LinkReport
    {
        let reports = try await LinkReport.all(of: local, now: time ?? now)
        return try #require(reports.first { $0.peer.id == peer && $0.direction == direction })
    }

    @Test func `names every link of the topology before it was ever up`() async throws {
        let reports = try await LinkReport.all(of: local, now: now)
        #expect(
            reports.map { "\($0.peer.id) \($0.role) \($0.direction)" } == [
                "370000 parent sending", "370000 parent receiving", "370102 child receiving", "370102 child sending",
                "370900 peer sending", "370900 peer receiving",
            ])
        #expect(reports.allSatisfy { $0.state == .connecting && $0.lagRows == 0 && $0.error == nil })
        #expect(reports[0].modes["recording"] == .logical)
        #expect(reports[0].modes["reply"] == .physical)
    }

    @Test(arguments: LinkState.allCases.filter(\.needsContact))
    func `shows a silent link as unreachable, whatever it said last`(state: LinkState) async throws {
        try await local.store.save(
            LinkStatus(peer: county, direction: .receiving, state: state, lastContact: now, levelAt: now))
        #expect(try await report(county, .receiving, at: now + 20_000).state == state)
        let silent = try await report(county, .receiving, at: now + 20_001)
        #expect(silent.state == .unreachable)
        #expect(silent.error?.code == "E_LINK_SILENT")
        #expect(silent.lastContact == now)
    }

    @Test(arguments: LinkState.allCases.filter { !$0.needsContact })
    func `keeps the reason of a link that is not up`(state: LinkState) async throws {
        let error = FederationError("E_TOPOLOGY_VERSION", "topology version differs", hint: "apply the same")
        try await local.store.save(
            LinkStatus(peer: province, direction: .sending, state: state, lastContact: now, error: error))
        let late = try await report(province, .sending, at: now + 3_600_000)
        #expect(late.state == state)
        #expect(late.error == error)
    }

    @Test func `counts what this node wrote since the link last spoke`() async throws {
        try await local.store.save(
            LinkStatus(
                peer: province, direction: .sending, state: .level, cursor: 0, head: 0, lastContact: now, levelAt: now)
        )
        try await local.store.save(
            LinkStatus(
                peer: county, direction: .receiving, state: .behind, cursor: 5, head: 12, lagRows: 7,
                lastContact: now, levelAt: now - 4_500))
        let records = (1...3).map { number in
            IntakeRecord(
                resource: "recording", key: "370100-REC-\(number)", fields: ["uri": .text("recordings/\(number).wav")])
        }
        // Recordings stay here, so nobody waits for them.
        _ = try await local.store.intake(records, now: now)
        #expect(try await report(province, .sending, at: now + 2_000).lagRows == 0)
        func tickets(_ title: String) -> [IntakeRecord] {
            (1...2).map { number in
                IntakeRecord(
                    resource: "service_request", key: "370100-\(number)",
                    fields: [
                        "global_id": .text("370100-\(number)"), "service_request_id": .text("\(number)"),
                        "requested_datetime": .integer(now), "channel": .text("01"), "request_type": .text("2"),
                        "urgency": .text("normal"), "acceptance": .text("accepted"), "title": .text(title),
                    ])
            }
        }
        for title in ["一", "二", "三"] { _ = try await local.store.intake(tickets(title), now: now) }
        let up = try await report(province, .sending, at: now + 2_000)
        #expect(try await local.store.head() == 9)
        #expect(up.lagRows == 2, "two tickets are sent, however often they changed")
        #expect(up.lagSeconds == 2)
        // What a child has not sent yet does not depend on what this node writes.
        let down = try await report(county, .receiving)
        #expect(down.lagRows == 7)
        #expect(down.lagSeconds == 4.5)
        #expect(down.cursor == 5)
    }

    @Test func `grows late while the other end is not heard, though nothing is known to wait`() async throws {
        for (peer, direction) in [(county, LinkDirection.receiving), (province, .sending)] {
            try await local.store.save(
                LinkStatus(peer: peer, direction: direction, state: .level, lastContact: now, levelAt: now))
            #expect(try await report(peer, direction, at: now + 10_000).lagSeconds == 0)
            let silent = try await report(peer, direction, at: now + 420_000)
            #expect(silent.lagRows == 0 && silent.lagSeconds == 420)
        }
    }

    @Test func `is never late by a negative time`() async throws {
        try await local.store.save(
            LinkStatus(
                peer: county, direction: .receiving, state: .behind, lagRows: 1, lastContact: now, levelAt: now + 99))
        #expect(try await report(county, .receiving).lagSeconds == 0)
    }
}
