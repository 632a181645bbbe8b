import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import Logging
import NodeDesk
import NodeIdentity
import NodeRuntime
import Synchronization
import TestSupport
import Testing

/// A province with a data directory of its own, and the publisher that its service would run, with a clock that is set by hand.
private final class PublishingNode: Sendable {
    let local: LocalNode
    let desk: NodeDesk
    let publisher: StandingPublisher
    private let signal = ChangeSignal()
    private let clock: HandClock
    private let folder: TemporaryFolder
    private let errorCount = ErrorCount()

    init(catalog: String = "entries: []\n") async throws {
        let now = currentMilliseconds()
        let (folder, clock) = (try TemporaryFolder(), HandClock(now))
        (self.folder, self.clock) = (folder, clock)
        try folder.write(Self.topology(version: 1), to: "all.yaml")
        let directory = folder.path("node")
        try LocalNode.create(
            node: node("370000"), topologyPath: folder.path("all.yaml"), directory: directory, localListen: nil,
            nonce: 1)
        try folder.write(catalog, to: "node/catalog.yaml")
        try CertificateAuthority(name: "根", validityDays: 10, now: now)
            .makeCredentials(for: node("370000"), validityDays: 10, now: now).save(to: "\(directory)/credentials")
        local = try LocalNode(settings: try NodeSettings.load(path: "\(directory)/node.yaml", environment: [:]))
        desk = NodeDesk(local, as: .system, announce: { [signal] in signal.ring(head: $0) })
        let logger = Logger(label: "test") { [errorCount] _ in ErrorCounter(count: errorCount) }
        publisher = StandingPublisher(
            source: local.source, signal: signal, logger: logger, clock: { clock.now }, onPublished: { _ in })
        _ = try await desk.publishCatalog()
        try await publisher.start()
    }

    deinit { try? local.store.close() }

    static func topology(version: Int, name: String = "test") -> String {
        """
        version: \(version)
        name: \(name)
        nodes:
          - {code: "370000", name: 山东省}
          - {code: "370100", name: 济南市, parent: "370000"}

        """
    }

    /// How often the publisher has logged an error.
    var errors: Int { errorCount.value }

    func pass(days: Int64) { clock.pass(days * 86_400_000) }

    /// As if somebody had written.
    func ring() { signal.ring(head: 0) }

    /// Runs the publisher while `body` runs.
    func running(_ body: () async throws -> Void) async throws {
        let service = Task { [publisher] in try await publisher.run() }
        // Its end is waited for: the store is closed with this node.
        func end() async {
            service.cancel()
            try? await service.value
        }
        do { try await body() } catch {
            await end()
            throw error
        }
        await end()
    }

    /// What the database does that a full disk or a damaged page would do.
    func sqlite(_ sql: String) async throws {
        let path = local.settings.databasePath
        try await onOwnThread {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/sqlite3")
            process.arguments = ["-cmd", ".timeout 10000", path, sql]
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }
    }
}

private final class HandClock: Sendable {
    private let time: Mutex<UnixMilliseconds>

    init(_ now: UnixMilliseconds) { time = Mutex(now) }

    var now: UnixMilliseconds { time.withLock { $0 } }

    func pass(_ milliseconds: UnixMilliseconds) { time.withLock { $0 += milliseconds } }
}

/// Counts what is logged as an error.
private struct ErrorCounter: LogHandler {
    let count: ErrorCount
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { count.increment() }
}

private final class ErrorCount: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}

@Suite(.timeLimit(.minutes(15))) struct `The publisher of the standing` {
    @Test func `withdraws an approval when its last day is over, without a restart`() async throws {
        // Not today: the test may begin just before midnight.
        let until = CivilDate.text(dayNumber: ShanghaiTime.dayNumber(currentMilliseconds()) + 1)
        let publishing = try await PublishingNode(
            catalog: """
                entries:
                  - resource: service_request
                    sharing: 有条件共享
                    condition: 依法
                    approvals:
                      - {consumer: "370100", purpose: 分析, approved_by: 省大数据局, until: "\(until)"}

                """)
        let store = publishing.local.store
        func isApproved() -> Bool {
            store.standing.catalogs.last?.catalog.refusal(of: "service_request", to: node("370100")) == nil
        }
        try await publishing.running {
            #expect(isApproved())
            publishing.pass(days: 2)
            try await eventually("the approval has run out") {
                publishing.ring()
                return !isApproved()
            }
            #expect(try store.catalogs(of: node("370000")).map(\.version) == [1, 2])
        }
    }

    @Test func `carries a topology out when what kept it from it is over`() async throws {
        let publishing = try await PublishingNode()
        let store = publishing.local.store
        try await publishing.sqlite(
            "CREATE TRIGGER full BEFORE DELETE ON adoption_step BEGIN SELECT RAISE(ABORT, 'full'); END")
        try await publishing.running {
            _ = try await publishing.desk.publishTopology(
                PublishingNode.topology(version: 2, name: "新"), isConfirmed: false)
            #expect(try store.currentRelease()?.version == 2)
            try await eventually("it has failed") {
                publishing.ring()
                return publishing.errors > 0
            }
            #expect(store.standing.topology.version == 1, "a node stands on nothing that it has not carried out")
            try await publishing.sqlite("DROP TRIGGER full")
            try await eventually("it stands on it") {
                publishing.ring()
                return store.standing.topology.version == 2
            }
        }
    }
}
