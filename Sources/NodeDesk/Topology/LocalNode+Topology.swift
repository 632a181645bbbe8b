import FederationModel
import LocalStore
import NodeIdentity

extension LocalNode {
    /// Publishes a topology: signs it with the key of this node, which must be the top one, and adopts it here. The others hear of
    /// it by their links and fetch it.
    ///
    /// - Parameters:
    ///   - text: the topology file.
    ///   - version: the release's number; nil for that of the file.
    ///   - isConfirmed: whether what can't be undone may be done.
    /// - Returns: what it does.
    /// - Throws: `E_TOPOLOGY_NOT_TOP`, `E_TOPOLOGY_SAME_VERSION`, `E_TOPOLOGY_INVALID`, `E_CONFIRMATION_NEEDED`, `E_CREDENTIALS`, and what
    ///   the store throws.
    package func publishTopology(
        _ text: String, version: Int64? = nil, isConfirmed: Bool, now: UnixMilliseconds
    ) async throws -> TopologyPlan {
        let standing = standing
        guard standing.top == id else {
            throw FederationError(
                "E_TOPOLOGY_NOT_TOP", "node \(id) is not the top node, which publishes the topology",
                hint: "apply it at node \(standing.top)")
        }
        var topology = try StandingSource.topology(text: text, called: "the topology file")
        if let version { topology = topology.numbered(version) }
        guard topology.contains(id) else {
            throw FederationError(
                "E_NODE_NOT_IN_TOPOLOGY", "the new topology has no node \(id), which publishes it", hint: "add it there"
            )
        }
        guard topology.version > standing.topology.version else {
            throw FederationError(
                "E_TOPOLOGY_SAME_VERSION",
                "version \(standing.topology.version) is in force, the file has version \(topology.version)",
                hint: "give the file a `version` above \(standing.topology.version)")
        }
        let plan = try await plan(topology, now: now)
        guard isConfirmed || plan.purges.isEmpty else {
            let lost = plan.purges.map { "\($0.node.id) \($0.node.name) (\($0.rows) rows here)" }
            throw FederationError(
                "E_CONFIRMATION_NEEDED",
                "what was copied of \(lost.joined(separator: ", ")) would be deleted everywhere",
                hint: "name the node under `detached` to keep it, or repeat with --confirm")
        }
        // A node that has never run has not noted the topology that it was set up with.
        if try store.currentRelease() == nil { try await source.adoptFile(now: now) }
        let credentials = try credentials()
        let signature = try ReleaseSignature.sign(
            TopologyRelease.signedBytes(version: topology.version, publishedAt: now, text: text), with: credentials)
        let release = TopologyRelease(version: topology.version, text: text, publishedAt: now, signature: signature)
        // As every other node will check it.
        let chain = try ReleaseChain(
            [release], after: standing.topology, trustRootsPEM: credentials.trustRootsPEM)
        try await source.adopt(chain, now: now)
        Doorbell.ring(databasePath: settings.databasePath)
        return plan
    }

    /// Publishes what an earlier release said under a new number.
    ///
    /// - Throws: `E_TOPOLOGY_UNKNOWN_VERSION`, and what `publishTopology` throws.
    package func rollBackTopology(
        to version: Int64, isConfirmed: Bool, now: UnixMilliseconds
    ) async throws -> TopologyPlan {
        let text = try await release(version).release.text
        return try await publishTopology(
            text, version: standing.topology.version + 1, isConfirmed: isConfirmed, now: now)
    }

    /// - Throws: `E_TOPOLOGY_UNKNOWN_VERSION`.
    package func release(_ version: Int64) async throws -> AdoptedRelease {
        let releases = try await store.releases()
        guard let release = releases.first(where: { $0.release.version == version }) else {
            throw FederationError(
                "E_TOPOLOGY_UNKNOWN_VERSION", "no release \(version) is here",
                hint: "see `federation-node topology history`")
        }
        return release
    }

    /// What each node at and below this one says of the topology that it stands on.
    package func topologyReports() async throws -> [TopologyReport] {
        let topology = topology
        let freshness = try await store.freshness()
        return topology.subtree(of: id).compactMap { topology.node($0) }.map { node in
            guard node.id != id else {
                return TopologyReport(node: node, version: topology.version, reportedAt: nil, isLevel: true)
            }
            let known = freshness[node.id]
            return TopologyReport(
                node: node, version: known?.topology, reportedAt: known?.asOf,
                isLevel: known?.complete == true && known?.level == topology.version)
        }
    }
}

/// What a node says of the topology that it stands on.
package struct TopologyReport: Sendable {
    package let node: TopologyNode
    /// nil when it has not been heard.
    package let version: Int64?
    /// As of when all of its rows are here; nil for the node that answers, and for one that has not been heard.
    package let reportedAt: UnixMilliseconds?
    /// Whether everything that it gives under the newest topology is here.
    package let isLevel: Bool
}
