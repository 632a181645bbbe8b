import FederationModel
import Foundation
import GRDBSQLite
import Hummingbird
import LocalStore
import LogicalQuery
import NodeDesk
import NodeIdentity
import NodeRuntime
import PeerTransport
import TestSupport
import Testing

@Suite struct `A parent that goes away` {
    /// In the place of the table of calls, rows without an end.
    private static func makeCallsEndless(_ path: String) throws {
        var connection: OpaquePointer?
        #expect(sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        defer { sqlite3_close_v2(connection) }
        let made = sqlite3_exec(
            connection,
            """
            CREATE TABLE call AS SELECT * FROM call_record;
            DROP TABLE call_record;
            CREATE VIEW call_record AS
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT call.* FROM n CROSS JOIN call;
            """, nil, nil, nil)
        try #require(made == SQLITE_OK, "\(String(cString: sqlite3_errmsg(connection)))")
    }

    /// A store has four readers: each whose statement ran on for nobody would be one less.
    @Test(.timeLimit(.minutes(15)))
    func `takes the SQL of its question with it: the child's readers are free for others`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("node.db")
        let (country, province) = (node("100000"), node(PeerServer.code))
        try NodeStore.create(at: path, node: province, epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: path)
        defer { try? store.close() }
        let topology = Topology(
            name: "border", version: 1,
            nodes: [
                TopologyNode(id: country, name: "国家", parent: nil, region: "100000", endpoint: nil),
                TopologyNode(
                    id: province, name: "山东省", parent: country, region: "370000", endpoint: "https://127.0.0.1:1",
                    defaultMode: .logical),
            ])
        try store.publish(Standing(node: province, topology: topology))
        // What derives anything from rows reads the table of calls too, so all of it is done before.
        let ticket = IntakeRecord(
            resource: BuiltInResources.serviceRequest.name, key: "370000-1",
            fields: [
                "global_id": .text("370000-1"), "service_request_id": .text("1"),
                "requested_datetime": .integer(currentMilliseconds()), "channel": .text("01"),
                "request_type": .text("2"), "urgency": .text("normal"), "acceptance": .text("accepted"),
            ])
        let head = try await store.intake([ticket], now: currentMilliseconds()).head
        try await store.catchUpConsumers(now: currentMilliseconds())
        try await store.wantRollups()
        try Self.makeCallsEndless(path)
        let calls = try IndicatorLibrary.builtIn.named("call_count").measure
        let question = try WireJSON.encode(
            LogicalRequest(
                analysis: Analysis(measures: [calls], asOf: currentMilliseconds()), origins: [province],
                deadlineMS: LogicalRequest.deadlineMSMax, topologyVersion: 1))
        let authority = try CertificateAuthority(name: "测试根证书", validityDays: 10, now: currentMilliseconds())
        let credentials = try authority.makeCredentials(
            for: province, validityDays: 1, now: currentMilliseconds())
        let desk = try desk(store, peers: PeerClients(store: store) { () throws(FederationError) in credentials })
        try await withPeerServer(authority: authority) { router in
            LinkRoutes(links: LinkRegistry(), desk: desk, metrics: LinkMetrics()).add(to: router)
        } body: { server in
            for _ in 0..<6 {
                // It waits for less than its question would take, and closes the connection.
                let error = await #expect(throws: FederationError.self) {
                    _ = try await server.client("100000", expecting: PeerServer.code).request(
                        "POST", "/v1/analysis", body: question, deadlineMS: 1_000)
                }
                #expect(error?.code == "E_PEER_TIMEOUT")
            }
        }
        #expect(try await store.head() == head)
    }
}
