import ChangeSetFormat
import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeIdentity
import SyncProtocol
import TestSupport
import Testing
import Zstandard

/// 济南 and its province with real stores and certificates of one authority. Files are carried between them by hand, and sometimes there
/// is a network.
final class FerryWorld {
    static let (jinan, province) = (node("370100"), node("370000"))

    let folder: TemporaryFolder
    let authority: CertificateAuthority
    private let clock = Clock()
    private var desks: [NodeID: NodeDesk] = [:]
    private var files = 0

    var now: UnixMilliseconds { clock.now }
    var jinan: NodeDesk { desk(Self.jinan) }
    var province: NodeDesk { desk(Self.province) }

    init() throws {
        folder = try TemporaryFolder("ferry")
        authority = try CertificateAuthority(name: "根", validityDays: 3_650, now: 1_759_000_000_000)
        try folder.write(Self.topology(version: 1), to: "topology.yaml")
        for node in [Self.jinan, Self.province] {
            try LocalNode.create(
                node: node, topologyPath: folder.path("topology.yaml"), directory: directory(of: node),
                localListen: nil, nonce: UInt64(node.code) ?? 0)
            try issue(for: node)
            try open(node)
        }
    }

    deinit { for desk in desks.values { try? desk.local.store.close() } }

    static func topology(version: Int) -> String {
        """
        version: \(version)
        name: test
        nodes:
          - {code: "370000", name: 山东省}
          - {code: "370100", name: 济南市, parent: "370000"}
          - {code: "370200", name: 青岛市, parent: "370000"}
        """
    }

    func desk(_ node: NodeID) -> NodeDesk {
        guard let desk = desks[node] else { preconditionFailure("node \(node) is closed") }
        return desk
    }

    func directory(of node: NodeID) -> String { folder.path(node.code) }

    func pass(_ milliseconds: Int64) { clock.pass(milliseconds) }

    func issue(for node: NodeID, replacing: Bool = false) throws {
        _ = try authority.makeCredentials(
            for: node, in: "\(directory(of: node))/credentials", replacing: replacing, validityDays: 365, now: now)
    }

    // MARK: - Databases

    func open(_ node: NodeID) throws {
        let settings = try NodeSettings.load(path: "\(directory(of: node))/node.yaml", environment: [:])
        desks[node] = NodeDesk(
            try LocalNode(settings: settings), as: .system, clock: { [clock] in clock.now }, announce: { _ in }
        )
    }

    /// As the next command does.
    func reopen(_ node: NodeID) throws {
        try desks.removeValue(forKey: node)?.local.store.close()
        try open(node)
    }

    func copy(_ node: NodeID) throws -> String {
        let path = newPath("db")
        try desk(node).local.store.backUp(to: path)
        return path
    }

    /// Puts an older database in the place of a node's, and tells nobody.
    func putBack(_ copy: String, at node: NodeID) throws {
        try desks.removeValue(forKey: node)?.local.store.close()
        let path = "\(directory(of: node))/node.db"
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.copyItem(atPath: copy, toPath: path)
        try open(node)
    }

    // MARK: - Records

    /// Writes tickets of 济南, each title a number.
    func write(_ titles: [Int: Int]) async throws {
        let records = titles.sorted { $0.key < $1.key }.map { number, title in
            let id = "370100-\(number)"
            return IntakeRecord(
                resource: "service_request", key: id,
                fields: [
                    "global_id": .text(id), "service_request_id": .text("\(number)"),
                    "requested_datetime": .integer(1_759_000_000_000), "channel": .text("01"),
                    "request_type": .text("2"), "urgency": .text("normal"), "title": .text("\(title)"),
                    "acceptance": .text("accepted"),
                ])
        }
        _ = try await jinan.store(invented: records)
    }

    /// The titles of the tickets that a node holds.
    func tickets(at node: NodeID) async throws -> [String: Int] {
        let rows = try await desk(node).local.store.rows(
            sql: "SELECT \"key\", title FROM service_request WHERE deleted = 0", arguments: [])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", Int($0[1].text ?? "") ?? 0) })
    }

    // MARK: - Ways between them

    func newPath(_ kind: String) -> String {
        files += 1
        return folder.path("\(files).\(kind)")
    }

    @discardableResult
    func export(from sender: NodeID, start: FerryExport.Start = .confirmed) async throws -> (
        path: String, report: FerryExportReport
    ) {
        let receiver = sender == Self.jinan ? Self.province : Self.jinan
        let path = newPath("ferry")
        let report = try await desk(sender).exportFerry(
            FerryExport(
                peer: receiver.code, path: path, start: start,
                certificatePath: "\(directory(of: receiver))/credentials/node.pem"))
        return (path, report)
    }

    /// From one to the other in one go.
    @discardableResult
    func carry(from sender: NodeID, start: FerryExport.Start = .confirmed) async throws -> FerryImportReport {
        let path = try await export(from: sender, start: start).path
        pass(1_000)
        return try await desk(sender == Self.jinan ? Self.province : Self.jinan).importFerry(path: path)
    }

    /// One connection from 济南 to the province, the way the protocol goes, which breaks after some change-sets.
    func converse(changeSetsMax: Int, rowsMax: Int, isAcknowledged: Bool = true) async throws {
        let (sender, receiver) = (jinan.local.store, province.local.store)
        let policy = try #require(sender.standing.outgoing[Self.province])
        let durable = try await receiver.markedCursor(of: Self.jinan)
        _ = try await sender.recognise(durable?.cursor, mark: durable?.mark, of: Self.province, now: now)
        if let cursor = durable?.cursor { try await sender.confirm(cursor, by: Self.province, now: now) }
        let compressor = ZstandardCompressor()
        for _ in 0..<changeSetsMax {
            let here = try await receiver.cursor(of: Self.jinan)
            let start = try policy.startingPoint(after: here, epoch: sender.epoch, head: try await sender.head())
            let prepared = try await sender.prepareChangeSet(
                from: start, policy: policy, rowsMax: rowsMax, evenIfEmpty: here != start, hasMark: true, now: now,
                compressor: compressor)
            guard case .changeSet(let outgoing) = prepared else { break }
            let incoming = try IncomingChangeSet(
                bytes: outgoing.bytes, policy: policy, resources: receiver.resources, now: now)
            let report = try await receiver.apply(incoming, policy: policy, now: now)
            if isAcknowledged { try await sender.confirm(report.cursor, by: Self.province, now: now) }
        }
    }
}
