import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import Testing

@Suite struct `A backup` {
    @Test func `is put back under a new epoch, and the database from before is kept`() async throws {
        let node = try TestNode()
        let first = try await node.addTicket()
        let file = node.path("backup.db")
        let made = try await node.desk.backUp(to: file)
        #expect(made.head > 0 && made.epoch == node.desk.local.store.epoch)
        #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
        let second = try await node.addTicket()
        try node.desk.local.store.close()
        let restored = try await NodeDesk.restore(
            file, settings: node.desk.settings, as: .system, now: node.clock.now)
        #expect(restored.epoch.counter == made.epoch.counter + 1)
        let desk = try NodeDesk.open(node.desk.settings, as: .system)
        #expect(try await desk.tickets(TicketFilter(), origin: nil, limit: 9).map(\.globalID) == [first.id])
        #expect(desk.local.store.epoch == restored.epoch)
        let kept = try NodeStore.identity(at: try #require(restored.kept))
        #expect(kept.epoch == made.epoch)
        // A number of the day is not given out twice.
        try desk.local.store.close()
        #expect(first.number != second.number)
    }

    @Test func `replaces no file, and none but one of this node is put back`() async throws {
        let (node, other) = (try TestNode(), try TestNode("370200"))
        let file = node.path("backup.db")
        _ = try await other.desk.backUp(to: file)
        #expect(await code { try await node.desk.backUp(to: file) } == "E_FILE_EXISTS")
        try node.desk.local.store.close()
        func restore(_ file: String) async -> String? {
            await code {
                try await NodeDesk.restore(file, settings: node.desk.settings, as: .system, now: node.clock.now)
            }
        }
        #expect(await restore(file) == "E_NODE_MISMATCH")
        #expect(await restore(node.path("missing.db")) == "E_STORE_MISSING")
        try node.write("no database", to: "text.db")
        #expect(await restore(node.path("text.db")) == "E_STORE_DAMAGED")
        #expect(try NodeStore.identity(at: node.desk.settings.databasePath).node == node.desk.id)
    }
}
