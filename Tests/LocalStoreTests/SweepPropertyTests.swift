import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// Whatever happens in between, a receiver ends with exactly the sender's live rows.
@Suite struct `A link that is interrupted at random` {
    @Test(arguments: 0..<32 as Range<UInt64>) func `ends with exactly the sender's live rows`(seed: UInt64) async throws
    {
        var link = try RandomLink(seed: seed)
        for _ in 0..<40 { try await link.step() }
        try await link.settle()
        for resource in RandomLink.resources {
            let (sent, held) = try await link.liveRows(of: resource)
            #expect(held == sent, "\(resource), seed \(seed)")
        }
        // Nothing is left to say.
        let reports = try await carry(link.city.store, link.receiver, policy: link.policy)
        #expect(reports.isEmpty)
    }
}

/// A city and its province with a link that loses and repeats change-sets, a province that is stopped and started again,
/// and a city that is restored from backups of any age.
private struct RandomLink {
    static let resources = ["service_request", "recording", "call_record"]

    let policy = LocalStoreTests.policy(from: jinan, to: province)
    private(set) var city: TemporaryStore
    private(set) var receiver: NodeStore
    private let above: TemporaryStore
    private var random: SplitMix64
    private var epoch: UInt32 = 1
    private var clock = noon
    /// All that was ever handed in, newest look of each key, in the order of the first: a backup holds a part of it.
    private var known: [IntakeRecord] = []
    private var last: IncomingChangeSet?
    private let compressor = ZstandardCompressor()

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        city = try TemporaryStore(jinan)
        above = try TemporaryStore(province)
        receiver = above.store
    }

    mutating func step() async throws {
        clock += 1_000
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: try await write()
        case 8..<15: try await send(isLost: false)
        case 15: try await send(isLost: true)
        case 16: try await repeatLast()
        case 17:
            try receiver.close()
            receiver = try NodeStore(at: above.path)
        case 18: try await restore()
        default: try await carry(city.store, receiver, policy: policy, rowsMax: .random(in: 1...9, using: &random))
        }
    }

    mutating func settle() async throws {
        try await carry(city.store, receiver, policy: policy, rowsMax: .random(in: 1...50, using: &random))
        guard let lost = try await receiver.lostRows()[jinan] else { return }
        // What the city lost by a restore is kept until a person says otherwise, and then it is as the city says.
        _ = try await receiver.acceptLoss(of: jinan, rows: lost, now: clock)
        try await carry(city.store, receiver, policy: policy, rowsMax: .random(in: 1...50, using: &random))
    }

    func liveRows(of resource: String) async throws -> (sent: [[FieldValue]], held: [[FieldValue]]) {
        let columns = BuiltInResources.named(ResourceName(resource))?.columns.map { "\"\($0.name)\"" } ?? []
        let sql = """
            SELECT origin, "key", version, \(columns.joined(separator: ", ")) FROM "\(resource)" WHERE deleted = 0
            ORDER BY origin, "key"
            """
        return (try await city.store.rows(sql: sql, arguments: []), try await receiver.rows(sql: sql, arguments: []))
    }

    private mutating func write() async throws {
        let records = (0..<Int.random(in: 1...12, using: &random)).map { _ in anyRecord() }
        _ = try await city.store.intake(records, now: clock)
        for record in records {
            known.removeAll { $0.resource == record.resource && $0.key == record.key }
            known.append(record)
        }
    }

    private mutating func anyRecord() -> IntakeRecord {
        let number = Int.random(in: 1...30, using: &random)
        let look = Int.random(in: 0...3, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            return IntakeRecord(resource: "recording", key: "r\(number)", fields: ["uri": .text("file:///\(look)")])
        case 1:
            return IntakeRecord(
                resource: "call_record", key: "c\(number)",
                fields: [
                    "direction": code(of: "call_direction"), "disposition": code(of: "call_disposition"),
                    "arrival": .integer(noon), "talk_seconds": .integer(Int64(look)),
                ])
        default: return ticket(number, title: look == 0 ? "" : "第\(look)版")
        }
    }

    private func code(of list: String) -> FieldValue {
        CodeList.named(list)?.entries.first.map { .text($0.code) } ?? .null
    }

    private mutating func send(isLost: Bool) async throws {
        let start = try await startCursor(city.store, receiver, policy: policy)
        let prepared = try await city.store.prepareChangeSet(
            from: start, policy: policy, rowsMax: .random(in: 1...9, using: &random), now: clock,
            compressor: compressor)
        guard case .changeSet(let outgoing) = prepared, !isLost else { return }
        let incoming = try IncomingChangeSet(
            bytes: outgoing.bytes, policy: policy, resources: receiver.resources, now: clock)
        _ = try await receiver.apply(incoming, policy: policy, now: clock)
        last = incoming
    }

    private func repeatLast() async throws {
        // A change-set of an earlier life is stopped by the link, which knows the hello's epoch.
        guard let last, try await receiver.cursor(of: jinan)?.epoch == last.header.start.epoch else { return }
        let before = try await receiver.dump()
        await #expect { try await receiver.apply(last, policy: policy, now: clock) } throws: {
            ($0 as? FederationError)?.code == "E_CURSOR_MOVED"
        }
        #expect(try await receiver.dump() == before)
    }

    /// The city goes on from a backup: a new epoch, and only a part of its rows.
    private mutating func restore() async throws {
        epoch += 1
        city = try TemporaryStore(jinan, epoch: Epoch(counter: epoch, nonce: random.next()))
        known.removeLast(Int.random(in: 0...known.count, using: &random))
        if !known.isEmpty { _ = try await city.store.intake(known, now: clock) }
    }
}
