import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk
import Synchronization
import Testing

/// A node in a folder of its own, with a real store, a clock that is set by hand and a bell that counts.
final class TestNode: Sendable {
    let desk: NodeDesk
    let clock = Clock()
    let bell = Bell()
    private let folder: URL

    /// 山东省 above 济南 and 青岛, 历下 below 济南; the node is one of them. It is 09:00 on 30 September 2025, a Tuesday.
    init(_ code: String = "370100") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "desk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let topology = folder.appending(path: "all.yaml")
        try """
        version: 1
        name: test
        nodes:
          - {code: "370000", name: 山东省, endpoint: "https://127.0.0.1:7370"}
          - {code: "370100", name: 济南市, parent: "370000"}
          - {code: "370200", name: 青岛市, parent: "370000"}
          - {code: "370102", name: 历下区, parent: "370100"}
        """.write(to: topology, atomically: true, encoding: .utf8)
        let directory = folder.appending(path: "node").path
        try LocalNode.create(
            node: try #require(NodeID(code)), topologyPath: topology.path, directory: directory, localListen: nil,
            nonce: 1)
        let settings = try NodeSettings.load(path: "\(directory)/node.yaml", environment: [:])
        desk = NodeDesk(
            try LocalNode(settings: settings), as: .system, clock: { [clock] in clock.now },
            announce: { [bell] in bell.ring($0) })
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    /// A ticket that was taken in.
    func addTicket(_ fields: [String: String] = [:]) async throws -> AddedTicket {
        var form = desk.newTicket()
        let standard = ["channel": "电话", "request_type": "2", "title": "路灯不亮"]
        for (name, text) in standard.merging(fields, uniquingKeysWith: { $1 }) { try form.take(text, for: name) }
        return try await desk.add(ticket: form)
    }

    /// An event that was recorded.
    @discardableResult
    func record(_ word: String, of ticket: String, _ fields: [String: String] = [:]) async throws -> RecordedEvent {
        var draft = try await desk.draft(try #require(TicketEventKind.named(word)), of: ticket)
        for (name, text) in fields { try draft.form.take(text, for: name) }
        return try await desk.record(draft)
    }
}

/// What time it is, as a test says.
final class Clock: Sendable {
    private let time = Mutex<UnixMilliseconds>(ShanghaiTime.parse("2025-09-30T09:00:00+08:00") ?? 0)

    var now: UnixMilliseconds { time.withLock { $0 } }

    func set(_ text: String) throws {
        let new = try #require(ShanghaiTime.parse(text))
        time.withLock { $0 = new }
    }

    func pass(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}

/// The heads of the feed that were announced.
final class Bell: Sendable {
    private let heads = Mutex<[Seq]>([])

    var rung: [Seq] { heads.withLock { $0 } }

    func ring(_ head: Seq) { heads.withLock { $0.append(head) } }
}

/// The code with which `work` fails; nil when it does not.
func code(_ work: () async throws -> some Any) async -> String? {
    do {
        _ = try await work()
        return nil
    } catch let error as FederationError {
        return error.code
    } catch let violation as RowRejection {
        return violation.code
    } catch {
        return "\(error)"
    }
}
