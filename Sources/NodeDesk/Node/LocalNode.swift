import CatalogFile
import FederationModel
import Foundation
import LocalStore
import NodeIdentity
import ReferenceFile
import TopologyFile

/// A node's files, opened: what every command and the service start from.
package struct LocalNode: Sendable {
    package let settings: NodeSettings
    package let store: NodeStore

    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, `E_NODE_MISMATCH`, `E_REFERENCE_INVALID`, `E_TOKEN_KEY`, and what the
    ///   store throws.
    package init(settings: NodeSettings) throws {
        self.settings = settings
        let tokens = TokenSource(path: "\(settings.credentialsPath)/token.key")
        store = try NodeStore(at: settings.databasePath, consumers: NodeStore.builtInConsumers) {
            try tokens.token(of: $0)
        }
        guard store.node == settings.node else {
            throw FederationError(
                "E_NODE_MISMATCH", "the database belongs to node \(store.node), node.yaml says \(settings.node)",
                hint: "each node has a data directory of its own")
        }
        let standing = try source.read()
        if standing.outgoing.values.contains(where: \.grant.usesTokens) { try tokens.load() }
        try store.publish(standing)
    }

    /// A store that is open already.
    package init(settings: NodeSettings, store: NodeStore) {
        self.settings = settings
        self.store = store
    }

    package var id: NodeID { settings.node }

    /// What the node goes by now.
    package var standing: Standing { store.standing }

    package var topology: Topology { store.standing.topology }

    package var reference: ReferenceData { store.standing.reference }

    package var name: String { topology.node(id)?.name ?? id.code }

    package var source: StandingSource { StandingSource(settings: settings, store: store) }

    /// - Throws: `E_CREDENTIALS`, `E_FILE_READ`.
    package func credentials() throws(FederationError) -> NodeCredentials {
        try NodeCredentials.load(from: settings.credentialsPath)
    }

    /// Finds a node by its code or by a prefix of its name that only it has.
    ///
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`.
    package func node(named text: String) throws -> TopologyNode {
        if let node = NodeID(text).flatMap({ topology.node($0) }) { return node }
        let found = topology.nodes.filter { $0.name.hasPrefix(text) }
        if let node = found.first, found.count == 1 { return node }
        if found.isEmpty {
            throw FederationError("E_NODE_UNKNOWN", "no node of the topology has that code or name")
        }
        throw FederationError(
            "E_NODE_AMBIGUOUS", "more than one node has that name: \(found.map(\.id.code).joined(separator: ", "))",
            hint: "name it by its code")
    }

    /// Makes a data directory for one node of a topology: `node.yaml`, a copy of the topology, the reference data
    /// that this release ships, a catalog that changes nothing, and an empty database.
    ///
    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, `E_STORE_EXISTS`.
    package static func create(
        node: NodeID, topologyPath: String, directory: String, localListen: String?, nonce: UInt64
    ) throws {
        let topology = try readTopology(path: topologyPath)
        guard let entry = topology.node(node) else {
            throw FederationError(
                "E_NODE_NOT_IN_TOPOLOGY", "node \(node) is not in \(topologyPath)", hint: "add it there first")
        }
        let folder = URL(filePath: directory, directoryHint: .isDirectory)
        // Citizens' data lie here: nobody but the node's own user may read them.
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try NodeStore.create(
            at: folder.appending(path: "node.db").path, node: node, epoch: Epoch(counter: 1, nonce: nonce))
        let copy = folder.appending(path: "topology.yaml")
        if !FileManager.default.fileExists(atPath: copy.path) {
            try FileManager.default.copyItem(at: URL(filePath: topologyPath), to: copy)
        }
        let reference = folder.appending(path: "reference.yaml")
        if !FileManager.default.fileExists(atPath: reference.path) {
            try ReferenceFile.shipped.write(to: reference, atomically: true, encoding: .utf8)
        }
        let catalog = folder.appending(path: "catalog.yaml")
        if !FileManager.default.fileExists(atPath: catalog.path) {
            try CatalogFile.empty.write(to: catalog, atomically: true, encoding: .utf8)
        }
        let listen = entry.endpoint.flatMap { URL(string: $0) }.flatMap { url in
            url.host.map { "\($0):\(url.port ?? 443)" }
        }
        try NodeSettings.file(node: node, listen: listen, localListen: localListen).write(
            to: folder.appending(path: "node.yaml"), atomically: true, encoding: .utf8)
    }
}

/// Reference data to work with, for everyone who does not show its problems one by one.
///
/// - Throws: `E_REFERENCE_INVALID` with every problem and its line.
package func readReference(path: String) throws(FederationError) -> ReferenceData {
    do {
        return try ReferenceFile.read(path: path)
    } catch {
        throw FederationError(
            "E_REFERENCE_INVALID", "\(path) can't be used:\n\(error)",
            hint: "mend it and check it with `federation-node reference validate`")
    }
}

/// A topology to work with, for everyone who does not show its problems one by one.
///
/// - Throws: `E_TOPOLOGY_INVALID` with every problem and its line.
package func readTopology(path: String) throws(FederationError) -> Topology {
    do {
        return try TopologyFile.read(path: path)
    } catch {
        throw FederationError(
            "E_TOPOLOGY_INVALID", "\(path) can't be used:\n\(error)",
            hint: "mend it and check it with `federation-node topology validate`")
    }
}
