import CatalogFile
import FederationModel
import Foundation
import LocalStore
import ReferenceFile
import TopologyFile

/// Where a node's `Standing` comes from: what its store holds, and its files as far as the store holds nothing yet.
package struct StandingSource: Sendable {
    package let settings: NodeSettings
    package let store: NodeStore

    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, `E_REFERENCE_INVALID`, and what the store throws.
    package func read() throws -> Standing {
        let topology = try topology()
        return Standing(
            node: store.node, topology: topology, revisions: try store.linkRevisions(),
            catalogs: try store.catalogs(of: store.node),
            reference: try reference(owner: topology.root?.id ?? store.node), resources: store.resources)
    }

    /// The release in force; the file of the settings while there is none, or while the file is newer than another one that
    /// nobody has signed.
    private func topology() throws -> Topology {
        let current = try store.currentRelease()
        if let current, current.signature != nil { return try Self.topology(of: current) }
        guard let current else { return try fileTopology() }
        // A node that has run goes on by what it ran with, also when the file is gone or broken.
        guard let file = try? fileTopology(), file.version > current.version else {
            return try Self.topology(of: current)
        }
        return file
    }

    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`.
    package func fileTopology() throws -> Topology {
        let topology = try readTopology(path: settings.topologyPath)
        guard topology.contains(settings.node) else {
            throw FederationError(
                "E_NODE_NOT_IN_TOPOLOGY", "node \(settings.node) is not in \(settings.topologyPath)",
                hint: "add it there, or correct `node` in node.yaml")
        }
        return topology
    }

    /// - Throws: `E_TOPOLOGY_INVALID`: a release of a later program may say what this one can't read.
    package static func topology(of release: TopologyRelease) throws(FederationError) -> Topology {
        try topology(text: release.text, called: "topology release \(release.version)").numbered(release.version)
    }

    /// - Throws: `E_TOPOLOGY_INVALID` with every problem and its line.
    static func topology(text: String, called name: String) throws(FederationError) -> Topology {
        do {
            return try TopologyFile.read(text: text, file: name)
        } catch {
            throw FederationError(
                "E_TOPOLOGY_INVALID", "\(name) can't be used:\n\(error)",
                hint: "mend the file; a release that this program can't read needs the program of the top node")
        }
    }

    // MARK: - Adoption

    /// - Throws: what the store throws.
    package func adopt(_ chain: ReleaseChain, now: UnixMilliseconds) async throws {
        try await store.adopt(
            chain.releases, after: try heldTopology() ?? store.standing.topology, known: try await knownNodes(),
            now: now)
    }

    /// - Throws: `E_TOPOLOGY_INVALID`, `E_NODE_NOT_IN_TOPOLOGY`, and what the store throws.
    package func adoptFile(now: UnixMilliseconds) async throws {
        let topology = try fileTopology()
        let text = try String(contentsOfFile: settings.topologyPath, encoding: .utf8)
        let release = TopologyRelease(version: topology.version, text: text, publishedAt: now)
        try await store.adopt(
            [(release, topology)], after: try heldTopology() ?? Topology(name: "", version: 0, nodes: []),
            known: try await knownNodes(), now: now)
    }

    private func heldTopology() throws -> Topology? {
        try store.currentRelease().map { try Self.topology(of: $0) }
    }

    /// Every node that a release here has named.
    package func knownNodes() async throws -> Set<NodeID> {
        try await store.releases().reduce(into: []) { known, adopted in
            known.formUnion(try Self.topology(of: adopted.release).nodes.map(\.id))
        }
    }

    // MARK: - Parts

    /// What the top node has published, as far as it is here whole; else the file of the settings; else the floor.
    private func reference(owner: NodeID) throws -> ReferenceData {
        if let published = try store.reference(of: owner) { return published }
        // A directory that an earlier release made has no file; one that the settings name must be there.
        if settings.referencePath == settings.standardReferencePath,
            !FileManager.default.fileExists(atPath: settings.referencePath)
        {
            return .builtIn
        }
        return try readReference(path: settings.referencePath)
    }
}
