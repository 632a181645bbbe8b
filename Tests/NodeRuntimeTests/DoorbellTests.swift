import ChangeSetFormat
import Foundation
import NodeDesk
import NodeRuntime
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The doorbell` {
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
        let rings = try #require(Doorbell.rings(databasePath: database))
        #expect(Doorbell.ring(databasePath: database))
        #expect(!Doorbell.ring(databasePath: folder.path("other.db")))
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    @Test func `knows a database by whatever path it is named`() async throws {
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.db"), withDestinationPath: database)
        let rings = try #require(Doorbell.rings(databasePath: folder.path("link.db")))
        #expect(Doorbell.ring(databasePath: folder.path("./node.db")))
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    @Test func `has one service a database, and the next when that has ended`() async throws {
        let rings = try #require(Doorbell.rings(databasePath: database))
        #expect(Doorbell.rings(databasePath: database) == nil)
        let listener = Task { for await _ in rings {} }
        listener.cancel()
        await listener.value
        try await eventually("the next service listens") {
            guard let next = Doorbell.rings(databasePath: database) else { return false }
            let listener = Task { for await _ in next {} }
            listener.cancel()
            return true
        }
    }

    @Test func `hears more rings than its queue holds`() async throws {
        let rings = try #require(Doorbell.rings(databasePath: database))
        for _ in 0..<5_000 { #expect(Doorbell.ring(databasePath: database)) }
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
    }

    /// The abstract namespace is open to every process of the machine.
    @Test func `outlives what strangers send`() async throws {
        let rings = try #require(Doorbell.rings(databasePath: database))
        for bytes in [0, 1, 4_096] { try send(bytes) }
        var heard = rings.makeAsyncIterator()
        #expect(await heard.next() != nil)
        try await eventually("it still hears") {
            #expect(Doorbell.ring(databasePath: database))
            return await heard.next() != nil
        }
        #expect(Doorbell.rings(databasePath: database) == nil, "it still listens")
    }

    private func send(_ count: Int) throws {
        let path = URL(filePath: database).resolvingSymlinksInPath().path
        let name = "\0federation-node-\(String(fnv1a64(path.utf8), radix: 16))"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(name.utf8)) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        let bytes = [UInt8](repeating: 7, count: count)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, bytes, count, 0, $0, length) }
        }
        try #require(sent == count)
    }
}
