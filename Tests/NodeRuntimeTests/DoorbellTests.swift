import FederationModel
import Foundation
import NodeDesk
import NodeRuntime
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15))) struct `The doorbell` {
    private let folder: TemporaryFolder
    private var database: String { folder.path("node.db") }

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("", to: "node.db")
    }

    @Test func `is not heard where no service runs`() {
        #expect(!Doorbell.ring(databasePath: database))
    }

    @Test func `is heard by the service of the same database and by no other`() async throws {
        try folder.write("", to: "other.db")
        let rings = try #require(try Doorbell.rings(databasePath: database))
        #expect(Doorbell.ring(databasePath: database))
        #expect(!Doorbell.ring(databasePath: folder.path("other.db")))
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    @Test func `knows a database by whatever path it is named`() async throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.db"), withDestinationPath: database)
        let rings = try #require(try Doorbell.rings(databasePath: folder.path("link.db")))
        #expect(Doorbell.ring(databasePath: folder.path("./node.db")))
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    @Test func `has one service a database, and the next when that has ended`() async throws {
        let rings = try #require(try Doorbell.rings(databasePath: database))
        #expect(try Doorbell.rings(databasePath: database) == nil)
        let listener = Task { for await _ in rings {} }
        listener.cancel()
        await listener.value
        try await eventually("the next service listens") {
            guard let next = try Doorbell.rings(databasePath: database) else { return false }
            let listener = Task { for await _ in next {} }
            listener.cancel()
            return true
        }
    }

    @Test func `hears more rings than its queue holds`() async throws {
        let rings = try #require(try Doorbell.rings(databasePath: database))
        for _ in 0..<100_000 { #expect(Doorbell.ring(databasePath: database)) }
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    @Test func `has a lock that goes with the directory, whatever its path is`() async throws {
        let rings = try #require(try Doorbell.rings(databasePath: database))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("elsewhere"), withDestinationPath: folder.url.path)
        #expect(try Doorbell.rings(databasePath: folder.path("elsewhere/node.db")) == nil)
        withExtendedLifetime(rings) {}
    }

    @Test func `hangs at any depth`() async throws {
        let deep = folder.url.appending(
            path: (0..<8).map { _ in String(repeating: "深", count: 20) }.joined(separator: "/"))
        try FileManager.default.createDirectory(at: deep, withIntermediateDirectories: true)
        let path = deep.appending(path: "node.db").path
        let rings = try #require(try Doorbell.rings(databasePath: path))
        #expect(Doorbell.ring(databasePath: path))
        withExtendedLifetime(rings) {}
    }

    @Test func `is no file that somebody else has put there`() throws {
        try folder.write("mine", to: "node.db-bell")
        #expect(throws: FederationError.self) { try Doorbell.rings(databasePath: database) }
        #expect(!Doorbell.ring(databasePath: database))
        #expect(try String(contentsOfFile: folder.path("node.db-bell"), encoding: .utf8) == "mine")
    }
}
