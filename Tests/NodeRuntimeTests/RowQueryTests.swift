import FederationModel
import Foundation
import Hummingbird
import LocalStore
import LogicalQuery
import NodeDesk
import NodeIdentity
import NodeRuntime
import PeerTransport
import TestSupport
import Testing

/// The merged view of a parent against a child that answers as it likes, and the routes of a child against a parent that
/// asks as it likes: real TLS, real stores.
@Suite(.timeLimit(.minutes(15))) struct `Row queries at the border` {
    /// The country above the server's province, whose rows stay with it, and a union above the country.
    private static func topology(port: Int, grant: LinkGrant = LinkGrant()) throws -> Topology {
        let (country, province) = (node("100000"), node(PeerServer.code))
        return Topology(
            name: "border", version: 1,
            nodes: [
                TopologyNode(id: node("990000"), name: "联盟", parent: nil, region: "990000", endpoint: nil),
                TopologyNode(
                    id: country, name: "国家", parent: node("990000"), region: "100000", endpoint: nil),
                TopologyNode(
                    id: province, name: "山东省", parent: country, region: "370000", endpoint: "https://127.0.0.1:\(port)",
                    defaultMode: .logical, grant: grant),
                TopologyNode(
                    id: node("370100"), name: "济南市", parent: province, region: "370100", endpoint: nil),
            ])
    }

    /// A store of `code`, and the folder that it lies in.
    private static func store(_ code: String) throws -> (NodeStore, TemporaryFolder) {
        let folder = try TemporaryFolder()
        try NodeStore.create(at: folder.path("node.db"), node: node(code), epoch: Epoch(counter: 1, nonce: 1))
        return (try NodeStore(at: folder.path("node.db")), folder)
    }

    /// What the country makes of an answer, word for word.
    private func page(of answer: String, deadlineMS: Int64 = 5_000) async throws -> (RowAnswer, [QueryLogEntry]) {
        let result = AsyncStream.makeStream(of: (RowAnswer, [QueryLogEntry]).self)
        let hanging = AsyncStream.makeStream(of: Void.self)
        try await withPeerServer { router in
            router.post("/v1/rows") { _, _ in
                if answer.isEmpty { for await _ in hanging.stream {} }
                return Response(
                    status: .ok, headers: [.contentType: "application/json"],
                    body: .init(byteBuffer: .init(string: answer)))
            }
        } body: { server in
            let (store, folder) = try Self.store("100000")
            let topology = try Self.topology(port: server.port)
            try store.publish(Standing(node: store.node, topology: topology))
            let credentials = try server.credentials("100000")
            let view = MergedView(
                store: store, peers: PeerClients(store: store) { () throws(FederationError) in credentials })
            let query = try RowQuery("service_request", columns: ["title", "reporter_phone"], limit: 2)
            let (_, page) = try await view.rows(
                query, wanted: [node(PeerServer.code)], deadlineMS: deadlineMS, now: currentMilliseconds())
            result.continuation.yield((page, try await store.queryLog(since: nil, limit: 5)))
            hanging.continuation.finish()
            withExtendedLifetime(folder) {}
        }
        for await found in result.stream { return found }
        throw CancellationError()
    }

    private static let report = #"{"node":"370000","state":"ok"}"#

    private static func answer(_ rows: String, nodes: String = report, more: String = "") -> String {
        #"{"rows":["# + rows + #"],"nodes":["# + nodes + #"],"withheld":{}"# + more + "}"
    }

    private static func row(_ key: String, _ cells: String) -> String {
        #"{"id":{"origin":"370000","key":""# + key + #""},"cells":["# + cells + "]}"
    }

    @Test func `a good answer is shown, and what it has in clear is masked all the same`() async throws {
        let (page, log) = try await page(of: Self.answer(Self.row("1", #""路灯","13812348000""#)))
        #expect(page.rows.map(\.cells) == [[.text("路灯"), .text("138****8000")]])
        #expect(page.nodes.map(\.state) == [.ok])
        #expect(log.map(\.outcome) == ["ok"] && log[0].rows == 1 && log[0].bytes > 50)
    }

    @Test(arguments: [
        "{}", "[", "null", String(repeating: "[", count: 100_000),
        answer(row("1", #""a""#)), answer(row("1", "1,2")), answer(row("", #""a","b""#)),
        answer(row("1", #""a","b""#), nodes: ""), answer(row("1", #""a","b""#), nodes: report + "," + report),
        answer(row("1", #""a","b""#), nodes: #"{"node":"370000","state":"unreachable"}"#),
        answer(row("1", #""a","b""#), nodes: #"{"node":"370000","state":"fine"}"#),
        answer([row("1", #""a","b""#), row("2", #""a","b""#), row("3", #""a","b""#)].joined(separator: ",")),
        answer([row("2", #""a","b""#), row("1", #""a","b""#)].joined(separator: ",")),
        answer(row("1", #""a","b""#).replacing("370000", with: "370100")),
        answer("", more: #","next":{"origin":"990000","key":"1"}"#),
        answer(row("1", "\"\(String(repeating: "长", count: 1_000))\",\"b\"")),
        answer(row("1", "1e999,null")),
    ]) func `a hostile answer is dropped whole, and its node is missing`(answer: String) async throws {
        let (page, log) = try await page(of: answer)
        #expect(page.rows.isEmpty && page.next == nil)
        #expect(page.nodes.map(\.state) == [.unreachable])
        #expect(log.count == 1 && log[0].outcome.hasPrefix("E_") && log[0].rows == 0)
    }

    @Test func `an answer larger than any page is cut off`() async throws {
        let (page, log) = try await page(of: Self.answer("") + String(repeating: " ", count: 17 << 20))
        #expect(page.nodes.map(\.state) == [.unreachable])
        #expect(log.map(\.outcome) == ["E_PEER_RESPONSE_TOO_LARGE"])
    }

    @Test func `a child that never answers is missing when the time is over`() async throws {
        let (page, log) = try await page(of: "", deadlineMS: 600)
        #expect(page.nodes.map(\.state) == [.unreachable])
        #expect(log.map(\.outcome) == ["E_PEER_TIMEOUT"] && log[0].durationMS >= 400)
    }

    @Test func `a parent gets what it is granted, and a hostile one nothing`() async throws {
        let (store, folder) = try Self.store(PeerServer.code)
        var grant = LinkGrant()
        grant.rowQueries = ["service_request"]
        let topology = try Self.topology(port: 1, grant: grant)
        func request(_ number: Int, type: String, phone: String) -> IntakeRecord {
            IntakeRecord(
                resource: "service_request", key: "370000-\(number)",
                fields: [
                    "global_id": .text("370000-\(number)"), "service_request_id": .text("\(number)"),
                    "requested_datetime": .integer(1_750_000_000_000), "channel": .text("01"),
                    "request_type": .text(type), "urgency": .text("normal"), "acceptance": .text("accepted"),
                    "reporter_phone": .text(phone), "respondent_name": .text("联盟"),
                ])
        }
        _ = try await store.intake(
            [request(1, type: "2", phone: "13812348000"), request(2, type: "4", phone: "13912349999")],
            now: currentMilliseconds())
        let own = try CertificateAuthority(name: "测试根证书", validityDays: 10, now: currentMilliseconds())
        try await withPeerServer(authority: own) { router in
            guard let province = NodeID(PeerServer.code),
                let credentials = try? own.makeCredentials(for: province, validityDays: 1, now: currentMilliseconds()),
                let desk = try? desk(
                    store, peers: PeerClients(store: store) { () throws(FederationError) in credentials })
            else { return }
            guard (try? store.publish(Standing(node: store.node, topology: topology))) != nil else { return }
            LinkRoutes(links: LinkRegistry(), desk: desk, metrics: LinkMetrics()).add(to: router)
        } body: { server in
            func ask(_ body: String, as code: String = "100000") async throws -> (status: Int, body: String) {
                let response = try await server.client(code, expecting: PeerServer.code).request(
                    "POST", "/v1/rows", body: Array(body.utf8), deadlineMS: 10_000)
                return (response.status, String(decoding: response.body, as: UTF8.self))
            }
            func question(
                resource: String = "service_request", column: String = "reporter_phone", filters: String = "",
                origins: String = #""370000""#, reader: String = "100000", limit: String = "5", version: Int = 1,
                more: String = ""
            ) -> String {
                #"{"query":{"resource":"\#(resource)","columns":["\#(column)"],"filters":[\#(filters)],"limit":\#(limit)\#(more)},"#
                    + #""origins":[\#(origins)],"reader":"\#(reader)","deadlineMS":2000,"topologyVersion":\#(version)}"#
            }
            let good = try await ask(question())
            #expect(good.status == 200 && good.body.contains("138****8000") && !good.body.contains("13812348000"))
            // A report goes to the country's own people, and not to the union, whichever way that is said.
            #expect(good.body.contains("139****9999"))
            for reader in ["990000", "370100"] {
                let above = try await ask(question(reader: reader))
                #expect(above.status == 200 && above.body.contains("138****8000"))
                #expect(!above.body.contains(/139[*\d]{8}/))
            }
            let byPhone = #"{"field":"reporter_phone","comparison":"=","values":["13812348000"]}"#
            for (code, body) in [
                ("E_ROWS_NOT_GRANTED", question(resource: "handling", column: "unit")),
                ("E_FILTER_FIELD", question(filters: byPhone)),
                ("E_ROWS_COLUMN", question(column: "rowid")),
                ("E_RESOURCE_UNKNOWN", question(resource: "api_token", column: "digest")),
                ("E_ROWS_INVALID", question(limit: "1001")), ("E_BODY_INVALID", question(limit: "1e400")),
                ("E_QUERY_SCOPE", question(origins: #""100000""#)),
                ("E_ANALYSIS_REQUEST", question(origins: #""370000","370000""#)),
                ("E_TOPOLOGY_VERSION", question(version: 2)),
                ("E_ANALYSIS_UNKNOWN", question(more: #","clear":true"#)),
                ("E_BODY_INVALID", "{}"), ("E_BODY_INVALID", ""),
            ] {
                let reply = try await ask(body)
                #expect(reply.status >= 400 && reply.body.contains("\"\(code)\""), "\(code): \(reply.body)")
                #expect(!reply.body.contains(/138[*\d]{8}/))
            }
            for stranger in ["370100", "370200"] {
                let reply = try await ask(question(), as: stranger)
                #expect(reply.status == 403 && reply.body.contains("E_ANALYSIS_DENIED"))
            }
        }
        let log = try await store.queryLog(since: nil, limit: 100)
        #expect(Set(log.map(\.peer.code)) == ["100000"] && log.allSatisfy { $0.direction == .answered })
        #expect(log.last?.outcome == "ok" && log.last?.columns == "reporter_phone")
        #expect(log.contains { $0.outcome == "E_ROWS_NOT_GRANTED" && $0.resource == "handling" })
        withExtendedLifetime(folder) {}
    }
}
