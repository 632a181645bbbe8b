import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import NodeFiles
import NodeIdentity

/// A node's files, opened: what every command and the service start from.
package struct LocalNode: Sendable {
    package let settings: NodeSettings
    package let store: NodeStore
    /// What analyses run on besides SQLite; nil for nothing.
    package let warehouse: Warehouse?

    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, `E_NODE_MISMATCH`, `E_REFERENCE_INVALID`, `E_TOKEN_KEY`, and what the
    ///   store throws.
    package init(settings: NodeSettings) throws {
        self.settings = settings
        let tokens = TokenSource(path: "\(settings.credentialsPath)/token.key")
        let path = settings.databasePath
        warehouse = settings.warehouse.map { Warehouse($0) }
        let exporters = warehouse.map { [WarehouseExporter($0, lockPath: settings.warehouseLockPath)] } ?? []
        store = try NodeStore(
            at: path, consumers: NodeStore.builtInConsumers + exporters, retractionLimit: settings.retractionLimit,
            space: DiskSpace(floor: settings.diskFloor) { NodeStore.freeBytes(at: path) }
        ) { try tokens.token(of: $0) }
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
        warehouse = settings.warehouse.map { Warehouse($0) }
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
        // As tables print it.
        if let node = topology.nodes.first(where: { text.isSame(as: "\($0.id) \($0.name)") }) { return node }
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
    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, `E_STORE_EXISTS`, `E_FILE_EXISTS`, `E_FILE_WRITE`.
    package static func create(
        node: NodeID, topologyPath: String, directory: String, listen: ListenAddress? = nil, localListen: String?,
        nonce: UInt64
    ) throws {
        let topology = try readTopology(path: topologyPath)
        guard let entry = topology.node(node) else {
            throw FederationError(
                "E_NODE_NOT_IN_TOPOLOGY", "node \(node) is not in \(topologyPath)", hint: "add it there first")
        }
        func path(_ name: String) -> String {
            URL(filePath: directory, directoryHint: .isDirectory).appending(path: name).path
        }
        func write(_ text: String, unlessThere name: String) throws(FederationError) {
            if !FileManager.default.fileExists(atPath: path(name)) { try OutputFile.write(text, to: path(name)) }
        }
        // Citizens' data lie here: nobody but the node's own user may read them.
        try PrivateFiles.makeFolder(directory)
        let listen = listen ?? entry.endpoint.flatMap { URL(string: $0) }.flatMap { Self.listenAddress(for: $0) }
        let settings = path("node.yaml")
        guard !FileManager.default.fileExists(atPath: settings) else {
            throw FederationError(
                "E_FILE_EXISTS", "\(settings) exists already: the directory belongs to a node",
                hint: "choose another directory, or move the file away")
        }
        try NodeStore.create(at: path("node.db"), node: node, epoch: Epoch(counter: 1, nonce: nonce))
        try write(PrivateFiles.read(topologyPath), unlessThere: "topology.yaml")
        try write(ReferenceFile.shipped, unlessThere: "reference.yaml")
        try write(CatalogFile.empty, unlessThere: "catalog.yaml")
        // Last: with it the directory is whole.
        try OutputFile.write(
            NodeSettings.file(node: node, listen: listen?.description, localListen: localListen), to: settings)
    }

    /// Where a node listens that others reach at `endpoint`: on all addresses, because behind a firewall its public name is
    /// none of the machine's own; an endpoint of this machine alone, as in trials, stays there.
    private static func listenAddress(for endpoint: URL) -> ListenAddress? {
        guard let host = endpoint.host else { return nil }
        let named = ListenAddress(ListenAddress.text(host: host, port: endpoint.port ?? 443))
        return named?.isLoopback == true ? named : ListenAddress("*:\(endpoint.port ?? 443)")
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
