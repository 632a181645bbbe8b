import FederationModel
import Foundation
import NodeDesk
import TestSupport
import Testing
import Zstandard

@Suite struct `Tokens at the desk` {
    @Test func `are handed over once, known by their state, and worth nothing when revoked or run out`() async throws {
        let node = try TestNode()
        var secrets: [String] = []
        let end = try #require(ShanghaiTime.parse("2025-10-01T00:00:00+08:00"))
        try await node.desk.createToken(named: "crm", resources: nil, expiresAt: nil) { secrets.append($1) }
        try await node.desk.createToken(named: "app", resources: ["reply"], expiresAt: end) { secrets.append($1) }
        #expect(Set(secrets).count == 2)
        #expect(try await node.desk.tokens().map(\.state) == [.valid, .valid])
        try await node.desk.revokeToken(named: "crm")
        try node.clock.set("2025-10-02T09:00:00+08:00")
        let states = try await node.desk.tokens().map { "\($0.token.name) \($0.state)" }
        #expect(states == ["app expired", "crm revoked"])
        #expect(await code { try await node.desk.revokeToken(named: "nobody") } == "E_TOKEN_UNKNOWN")
    }

    @Test func `are refused for a bad name, a resource that is not there and an end that is past`() async throws {
        let node = try TestNode()
        func create(_ name: String, _ resources: [ResourceName]? = nil, _ end: UnixMilliseconds? = nil) async -> String?
        {
            await code {
                try await node.desk.createToken(named: name, resources: resources, expiresAt: end) { _, _ in }
            }
        }
        #expect(await create("a b") == "E_TOKEN_NAME")
        #expect(await create("") == "E_TOKEN_NAME")
        #expect(await create("crm", ["replies"]) == "E_RESOURCE_UNKNOWN")
        #expect(await create("crm", nil, node.clock.now) == "E_TOKEN_EXPIRED")
        #expect(await create("crm") == nil)
        #expect(await create("crm") == "E_TOKEN_EXISTS")
        #expect(try await node.desk.tokens().count == 1)
    }
}

@Suite struct `An import at the desk` {
    private static let mapping = """
        key: number
        zone: Asia/Shanghai
        time_formats: ["yyyy-MM-dd HH:mm"]

        records:
          - resource: service_request
            fields:
              service_request_id: number
              requested_datetime: at
              channel: {value: "01"}
              request_type: {value: "9"}
              title: title
              urgency: {value: normal}
              acceptance: {value: accepted}
        """

    private func request(_ node: TestNode, rows: [String], isDryRun: Bool = false) throws -> ImportRequest {
        try node.write(Self.mapping, to: "mapping.yaml")
        try node.write((["number,at,title"] + rows).map { $0 + "\n" }.joined(), to: "tickets.csv")
        return ImportRequest(
            path: node.path("tickets.csv"), mappingPath: node.path("mapping.yaml"), resource: "service_request",
            isDryRun: isDryRun)
    }

    private static let rows = ["1,2025-09-01 10:00,路灯", "2,昨天,井盖", "3,2025-09-01 11:00,噪音"]

    @Test func `stores good rows, names bad ones in a file, and changes nothing the second time`() async throws {
        let node = try TestNode()
        let request = try request(node, rows: Self.rows)
        let first = try await node.desk.importFile(request).report
        #expect(
            first.counts.read == 3 && first.counts.accepted == 2 && first.counts.unchanged == 0
                && first.counts.rejected == 1)
        #expect(first.rejectedByCode == ["E_FIELD_TIME": 1])
        let rejects = try String(contentsOfFile: try #require(first.rejectsFile), encoding: .utf8)
        #expect(rejects.contains("2,3,") && !rejects.contains("昨天"))
        let head = try await node.desk.figures().head
        #expect(node.bell.rung.last == head)
        let second = try await node.desk.importFile(request).report
        #expect(second.counts.accepted == 0 && second.counts.unchanged == 2)
        #expect(try await node.desk.figures().head == head)
    }

    /// Not only in a file.
    @Test func `of half a place or of a digest that is none is refused, pushed too, and by hand`() async throws {
        let node = try TestNode()
        let crm = node.desk.acting(as: .token("crm"))
        func push(_ members: String, _ resource: ResourceName) async throws -> String? {
            let body = Array("{\(members)}".utf8)
            let result = try await crm.push([0..<body.count], of: body, resource: resource).results[0]
            guard case .rejected(let rejection) = result.outcome else { return nil }
            return rejection.field
        }
        let ticket = """
            "key":"1","service_request_id":"1","requested_datetime":"2025-09-30T08:00:00+08:00","channel":"01","request_type":"2",
            "urgency":"normal","acceptance":"accepted"
            """
        #expect(try await push(ticket + #","lat":36.6"#, "service_request") == "lat")
        #expect(try await push(ticket + #","lat":0,"long":0"#, "service_request") == "lat")
        #expect(try await push(ticket + #","lat":36.6,"long":117.1"#, "service_request") == nil)
        await #expect(throws: (any Error).self) { try await node.addTicket(["lat": "36.6"]) }
        let file =
            #""key":"f","global_id":"370100-1","occurred_at":"2025-09-30T08:30:00+08:00","uri":"https://f.example/1""#
        let digest = String(repeating: "aB", count: 32)
        #expect(try await push(file + #","sha256":"abc""#, "attachment") == "sha256")
        #expect(try await push(file + ",\"sm3\":\"\(digest.dropLast())g\"", "attachment") == "sm3")
        #expect(try await push(file + #","bytes":-1"#, "attachment") == "bytes")
        #expect(try await push(file + ",\"sha256\":\"\(digest)\",\"bytes\":0", "attachment") == nil)
    }

    @Test func `that is only tried stores nothing and rings nobody`() async throws {
        let node = try TestNode()
        let report = try await node.desk.importFile(try request(node, rows: Self.rows, isDryRun: true)).report
        #expect(report.counts.read == 3 && report.counts.accepted == 2 && report.counts.rejected == 1)
        #expect(try await node.desk.tickets(TicketFilter(), origin: nil, limit: 10).isEmpty)
        #expect(node.bell.rung.isEmpty)
    }

    @Test func `of a file that is cut says how many of its rows were taken, in every form`() async throws {
        let mapping = """
            key: 工单编号
            time_formats: ["yyyy-MM-dd HH:mm:ss"]
            records:
              - resource: service_request
                fields:
                  service_request_id: 工单编号
                  requested_datetime: 来电时间
                  channel: {value: "01"}
                  request_type: {column: 诉求类型, titles_of: request_type}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
                  title: 诉求标题
            """
        func fixture(_ name: String) throws -> Data {
            try Data(contentsOf: repositoryRoot.appending(path: "Tests/RecordIntakeTests/Fixtures/\(name)"))
        }
        let rows = (1...100).map { ["\($0)", "2025-09-01 10:00:00", "投诉", "路灯"] }
        let names = ["工单编号", "来电时间", "诉求类型", "诉求标题"]
        let json = rows.map { row in
            "{" + zip(names, row).map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
        }
        let html = ([names] + rows).map { "<tr>" + $0.map { "<td>\($0)</td>" }.joined() + "</tr>\n" }.joined()
        let files = [
            ("xls", try fixture("tickets.xls")), ("xlsx", try fixture("tickets.xlsx")),
            ("json", Data("[\(json.joined(separator: ","))]".utf8)), ("html", Data("<table>\(html)</table>".utf8)),
            (
                "zst",
                Data(
                    try ZstandardCompressor().compress(
                        Array(([names] + rows).map { $0.joined(separator: ",") + "\n" }.joined().utf8)))
            ),
        ]
        for (form, whole) in files {
            let node = try TestNode()
            try node.write(mapping, to: "m.yaml")
            let request = ImportRequest(
                path: node.path("cut.\(form)"), mappingPath: node.path("m.yaml"), resource: "service_request")
            for share in 1..<20 {
                try whole.prefix(whole.count * share / 20).write(to: URL(filePath: request.path))
                var taken = 0
                var damage: FederationError?
                do {
                    let (report, failure) = try await node.desk.importFile(request)
                    taken = report.counts.accepted + report.counts.unchanged
                    damage = failure as? FederationError
                } catch let error as FederationError {
                    damage = error
                }
                guard let damage, damage.code == "E_IMPORT_READ" else {
                    // So little of a text that it has no header, or none of the mapping's columns.
                    #expect(taken == 0 && ["E_CSV_HEADER", "E_MAPPING"].contains(damage?.code), "\(form) \(share)")
                    continue
                }
                let told = taken == 0 ? "; no row was taken" : "; \(taken) rows before that were taken"
                #expect(
                    damage.message.hasSuffix(told) && damage.hint?.contains("were read") == false, "\(form): \(damage)")
            }
        }
    }

    @Test func `of another resource than the mapping makes is refused`() async throws {
        let node = try TestNode()
        var request = try request(node, rows: Self.rows)
        request.resource = "reply"
        let refused = request
        #expect(await code { try await node.desk.importFile(refused) } == "E_MAPPING")
    }
}

@Suite struct `What a node publishes at the desk` {
    @Test func `an announcement holds until its end, or until it is withdrawn`() async throws {
        let node = try TestNode()
        let end = try #require(ShanghaiTime.parse("2025-10-01T00:00:00+08:00"))
        let text = NodeDesk.AnnouncementText(title: "停水", content: "今晚八点", validUntil: end)
        let first = try await node.desk.publish(text)
        let second = try await node.desk.publish(.init(title: "停电", content: "明晚"))
        #expect(first.isValid && node.bell.rung.count == 2)
        let withdrawn = try await node.desk.withdraw(announcement: second.announcement.key)
        #expect(!withdrawn.isValid && withdrawn.announcement.withdrawnAt == node.clock.now)
        #expect(try await node.desk.announcements(includesPast: false).map(\.announcement.title) == ["停水"])
        try node.clock.set("2025-10-02T09:00:00+08:00")
        #expect(try await node.desk.announcements(includesPast: false).isEmpty)
        #expect(try await node.desk.announcements(includesPast: true).count == 2)
        #expect(
            await code { try await node.desk.withdraw(announcement: "370200-1") } == "E_ANNOUNCEMENT_UNKNOWN")
    }

    @Test func `its catalog is published when it has changed, and shown by version`() async throws {
        let node = try TestNode()
        #expect(try await node.desk.catalog().release.version == 0, "nothing is published before")
        let first = try await node.desk.publishCatalog()
        #expect(first.isNew && first.release.version == 1 && !node.bell.rung.isEmpty)
        #expect(try await node.desk.publishCatalog().isNew == false)
        #expect(try await node.desk.catalogEntry("service_request").resource == "service_request")
        #expect(await code { try await node.desk.catalogEntry("service_requests") } == "E_CATALOG_ENTRY")
        #expect(await code { _ = try await node.desk.catalog(version: 7) } == "E_CATALOG_VERSION")
        #expect(await code { _ = try await node.desk.catalog(of: "青岛") } == "E_CATALOG_VERSION")
    }

    @Test func `reference data come from the top node alone`() async throws {
        let node = try TestNode()
        let path = node.path("node/reference.yaml")
        #expect(await code { _ = try await node.desk.publishReference(path: path) } == "E_REFERENCE_NOT_OWNER")
        let top = try TestNode("370000")
        let published = try await top.desk.publishReference(path: top.path("node/reference.yaml"))
        #expect(published.stored > 0 && !top.bell.rung.isEmpty)
        #expect(try await top.desk.publishReference(path: top.path("node/reference.yaml")).stored == 0)
    }
}
