import FederationModel
import Foundation
import LocalStore
import Testing
import Zstandard

/// The database of 济南市 as a former release left it: own tickets and those of a county, threads, transfers up and down,
/// a report that accuses a neighbour, a deletion and a recall, announcements, a filtered link. The records are invented.
/// These files are never made anew: each later release must open them and read the same.
@Suite struct `A database of a former release` {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    private static let lastMigration = 12

    private static let topology: Topology = {
        var grant = LinkGrant()
        grant.tickets.confidential = false
        grant.tickets.requestTypes = ["1", "2", "3", "4"]
        grant.tickets.units = ["历城区住建局", "历下区城市管理局", "市民政局", "市住房城乡建设局"]
        grant.treatments = ["service_request": ["reporter_phone": .mask]]
        return Topology(
            name: "旧库样例", version: 1,
            nodes: [
                TopologyNode(id: province, name: "山东省", parent: nil, region: "370000", endpoint: nil),
                TopologyNode(
                    id: jinan, name: "济南市", parent: province, region: "370100", endpoint: nil, grant: grant),
                TopologyNode(id: qingdao, name: "青岛市", parent: province, region: "370200", endpoint: nil),
                TopologyNode(id: lixia, name: "历下区", parent: jinan, region: "370102", endpoint: nil),
            ])
    }()

    private static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: name)))
    }

    /// Global id, status, owner (`-` for none) and number of conflicts of each ticket, as that release's commands showed them.
    private static func tickets() throws -> [String: String] {
        let text = String(decoding: try bytes("migration-\(lastMigration).tickets"), as: UTF8.self)
        // One ticket was taken in twice, as happens, and stands there twice.
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                line.firstIndex(of: " ").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
            }, uniquingKeysWith: { first, _ in first })
    }

    private func withStore(_ body: (NodeStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "former-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "node.db").path
        let database = try Self.bytes("migration-\(Self.lastMigration).db.zst").withUnsafeBytes {
            try zstandardDecompress($0, limit: 8_000_000)
        }
        try Data(database).write(to: URL(fileURLWithPath: path))
        let store = try NodeStore(at: path) { $0 }
        try store.publish(Standing(node: jinan, topology: Self.topology))
        defer { try? store.close() }
        try await body(store)
    }

    /// The same line for each ticket from what is in the tables now.
    private func tickets(of store: NodeStore) async throws -> [String: String] {
        var filter = TicketFilter()
        filter.since = 0
        var lines: [String: String] = [:]
        for summary in try await store.tickets(filter, limit: 1_000, now: noon) {
            let state = try #require(try await store.ticket(summary.globalID).state)
            lines[summary.globalID] = "\(state.status.rawValue) \(state.owner ?? "-") \(state.findings.count)"
        }
        return lines
    }

    @Test func `opens, and its tickets stand as they stood`() async throws {
        let expected = try Self.tickets()
        #expect(expected.count == 66)
        try await withStore { store in
            #expect(store.node == jinan && store.epoch.counter == 1)
            #expect(try await store.head() == 1_886, "opening it draws no seq")
            #expect(try await tickets(of: store) == expected)
            #expect(try await store.cursor(of: lixia)?.seq == 1_300)
            #expect(try await store.removalOrders().map(\.kind) == ["delete", "recall"])
            let announcements = try await store.announcements()
            #expect(announcements.map { $0.withdrawnAt == nil } == [false, true, true])
            #expect(try await store.transfers(isOpen: false, limit: 10).count == 4)
        }
    }

    @Test func `is folded to the same states from its first row, and goes on`() async throws {
        let expected = try Self.tickets()
        try await withStore { store in
            try await store.rebuildConsumers(now: noon)
            let differing = try await tickets(of: store).filter { expected[$0.key] != $0.value }
            #expect(differing == [:])
            let report = try await store.intake([ticket(99_001)], now: 1_800_000_000_000)
            #expect(report.head > 1_886)
            try await store.catchUpConsumers(now: 1_800_000_000_000)
            #expect(try await tickets(of: store).count == expected.count + 1)
        }
    }

    @Test func `prepares what its link grants, and a change-set of that release is taken by today's receiver`()
        async throws
    {
        let link = policy(from: jinan, to: province, topology: Self.topology)
        let former = try Self.bytes("schema-6.changeset")
        let above = try TemporaryStore(province)
        let incoming = try IncomingChangeSet(
            bytes: former, policy: link, resources: above.store.resources, now: 1_800_000_000_000)
        let report = try await above.store.apply(incoming, policy: link, now: 1_800_000_000_000)
        #expect(report.applied == 707 && report.quarantined == 0 && report.cursor.sweep == .complete)
        #expect(try await above.store.count("service_request") == 6)
        // The same from the former database under today's release: equal rows, so nothing changes above.
        try await withStore { store in
            let start = Cursor(epoch: store.epoch, seq: 1_886, revision: link.revision, sweep: link.sweepStart)
            let today = try await changeSet(store, from: start, policy: link, rowsMax: 1_000)
            let again = try TemporaryStore(province)
            let report = try await again.store.apply(
                IncomingChangeSet(
                    bytes: today.bytes, policy: link, resources: again.store.resources, now: 1_800_000_000_000),
                policy: link, now: 1_800_000_000_000)
            #expect(report.applied == 707)
            for resource in ["service_request", "assignment", "transfer", "recording", "removal_order"] {
                let select = "SELECT * FROM \(resource) ORDER BY origin, \"key\""
                let (before, after) = (
                    try await above.store.rows(sql: select, arguments: []),
                    try await again.store.rows(sql: select, arguments: [])
                )
                #expect(before == after, "\(resource)")
            }
        }
    }
}
