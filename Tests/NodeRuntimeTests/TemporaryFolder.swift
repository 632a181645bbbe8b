import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeRuntime

/// A folder that goes away with its owner.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }
}

/// The settings in a `node.yaml` with this text.
func settings(
    _ text: String, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> NodeSettings {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "node.yaml")
    return try NodeSettings.load(path: folder.path("node.yaml"), environment: environment, flags: flags)
}

/// The desk of the node whose store this is; its other files are nowhere.
func desk(
    _ store: NodeStore, peers: PeerClients? = nil, announce: @escaping @Sendable (Seq) -> Void = { _ in }
) throws -> NodeDesk {
    let node = LocalNode(settings: try settings("node: \"\(store.node)\""), store: store)
    return NodeDesk(node, as: .system, peers: peers, announce: announce)
}
