import ChangeSetFormat
import FederationModel
import LocalStore
import Testing

/// Design 9: what serves tickets serves any declared kind of thread.
@Suite struct `A kind of thread` {
    private static let resources = BuiltInResources.all + MatterKind.resources

    /// Nothing is copied by mode, so what flows does so by audience.
    private static let logical = Topology(
        name: "test", version: 1,
        nodes: qilu.nodes.map {
            TopologyNode(
                id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil, defaultMode: .logical)
        })

    private func store(_ node: NodeID) throws -> TemporaryStore {
        try TemporaryStore(
            node, resources: Self.resources, topology: Self.logical,
            threadKinds: NodeStore.builtInThreadKinds + [MatterKind()])
    }

    private func pass(_ sender: TemporaryStore, _ receiver: TemporaryStore) async throws {
        let policy = try #require(
            LinkPolicy(
                from: sender.store.node, to: receiver.store.node, topology: Self.logical, resources: Self.resources))
        try await sender.store.catchUpConsumers(now: noon)
        try await carry(sender.store, receiver.store, policy: policy)
        try await receiver.store.catchUpConsumers(now: noon)
    }

    private func matter(to node: NodeID?, at origin: NodeID = jinan) -> IntakeRecord {
        var fields: [String: FieldValue] = ["matter_id": .text("\(origin)-M1"), "title": .text("核对区划")]
        if let node { fields["to_node"] = .text(node.code) }
        return IntakeRecord(resource: "matter", key: "\(origin)-M1", fields: fields)
    }

    @Test func `of its own resources goes to its audience over links that copy nothing, is answered, listed and shown`()
        async throws
    {
        let (city, top, other) = (try store(jinan), try store(province), try store(qingdao))
        _ = try await city.store.intake([matter(to: province), ticket(1)], now: noon)
        try await pass(city, top)
        #expect(try await top.store.count("matter") == 1)
        #expect(try await top.store.count("service_request") == 0, "its mode is logical, and nobody must see it")
        let reply = IntakeRecord(
            resource: "matter_reply", key: "\(province)-R1",
            fields: ["matter_id": .text("\(jinan)-M1"), "text": .text("已核对")])
        _ = try await top.store.intake([reply], now: noon + 5)
        try await pass(top, city)
        try await pass(top, other)
        #expect(try await other.store.count("matter", where: "1") == 0)
        #expect(try await other.store.count("matter_reply", where: "1") == 0)
        for node in [city.store, top.store] {
            let list = try await node.threads(of: MatterKind(), inState: "answered", limit: 10)
            #expect(list.map(\.id) == ["\(jinan)-M1"])
            let thread = try #require(try await node.thread("\(jinan)-M1", of: MatterKind()))
            #expect(thread.state == .answered)
            #expect(thread.records.map(\.origin) == [jinan.code, province.code])
            #expect(thread.audience == [jinan, province])
        }
        #expect(try await city.store.thread("\(jinan)-M2", of: MatterKind()) == nil)

        // Whom it no longer concerns loses it, and its reply is the province's own.
        _ = try await city.store.intake([matter(to: nil)], now: noon + 10)
        try await pass(city, top)
        #expect(try await top.store.count("matter") == 0)
        #expect(try await top.store.threads(of: MatterKind(), limit: 10).map(\.state) == ["open"])
    }

    @Test func `does not meet another with the same id`() async throws {
        let (city, top) = (try store(jinan), try store(province))
        // A ticket with the id of the matter that the province must see.
        var same = ticket(1)
        same.fields["global_id"] = .text("\(jinan)-M1")
        _ = try await city.store.intake([matter(to: province), same], now: noon)
        try await pass(city, top)
        #expect(try await top.store.count("matter") == 1)
        #expect(try await top.store.count("service_request") == 0)
    }

    @Test func `of announcements has the state that their records say`() async throws {
        let temporary = try TemporaryStore(jinan, topology: qilu)
        let store = temporary.store
        func announcement(_ number: Int, _ title: String) -> Announcement {
            Announcement(
                key: "\(jinan)-A\(number)", origin: jinan, title: title, content: title, publishedAt: noon,
                validUntil: nil, region: nil, serviceCode: nil)
        }
        let all = (1...3).map { announcement($0, "停水") }
        _ = try await store.intake(all.map(\.record), now: noon)
        _ = try await store.intake([announcement(2, "停水至十点").record], now: noon + 3_600_000)
        var withdrawn = all[2]
        withdrawn.withdrawnAt = noon + 7_200_000
        _ = try await store.intake([withdrawn.record], now: noon + 7_200_000)
        try await store.catchUpConsumers(now: noon)
        let kind = AnnouncementKind()
        let list = try await store.threads(of: kind, limit: 10)
        #expect(list.map(\.state) == ["withdrawn", "revised", "published"])
        #expect(list.map(\.since) == [noon + 7_200_000, noon + 3_600_000, noon])
        #expect(try await store.threads(of: kind, inState: "revised", limit: 10).map(\.id) == ["\(jinan)-A2"])
        let shown = try #require(try await store.thread("\(jinan)-A2", of: kind))
        #expect(shown.state.status == .revised && shown.records.first?.fields["title"] == .text("停水至十点"))
        #expect(shown.audience == [jinan, lixia])
    }
}

/// A question of one node to another, which may answer it.
private struct MatterKind: ThreadKind {
    enum State: String, ThreadState {
        case open
        case answered
        var word: String { rawValue }
        var since: UnixMilliseconds? { nil }
    }

    struct Record: Sendable {
        let isHead: Bool
        let origin: String
        let addressee: String?
    }

    private static let link = ThreadLink(kind: "matter", column: "matter_id")
    static let resources = [
        ResourceDefinition(
            "matter", "事项",
            columns: [
                ColumnDefinition("matter_id", "标识", level: .open, required: true, bytesMax: 80),
                ColumnDefinition("title", "标题", level: .open, required: true, bytesMax: 100),
                ColumnDefinition("to_node", "致", level: .open, bytesMax: 12),
            ], indexes: [["matter_id"]], thread: link),
        ResourceDefinition(
            "matter_reply", "事项答复",
            columns: [
                ColumnDefinition("matter_id", "标识", level: .open, required: true, bytesMax: 80),
                ColumnDefinition("text", "内容", level: .open, required: true, bytesMax: 100),
            ], indexes: [["matter_id"]], thread: link),
    ]

    let name = "matter"
    let key = "matter_id"
    let forms = [
        ThreadForm<Record>("matter", columns: ["to_node"]) { origin, _, _, values in
            Record(isHead: true, origin: origin, addressee: values[0].text)
        },
        ThreadForm<Record>("matter_reply", columns: []) { origin, _, _, _ in
            Record(isHead: false, origin: origin, addressee: nil)
        },
    ]

    func basis(_ rules: LifecycleRules) -> String { "1" }

    func fold(_ records: [Record], rules: LifecycleRules) -> State {
        records.contains(where: \.isHead) && records.contains { !$0.isHead } ? .answered : .open
    }

    func audience(_ records: [Record], at here: NodeID, topology: Topology) -> Set<NodeID> {
        guard let head = records.first(where: \.isHead) else { return [] }
        return Set([head.origin, head.addressee].compactMap { $0.flatMap { NodeID($0) } })
    }
}
