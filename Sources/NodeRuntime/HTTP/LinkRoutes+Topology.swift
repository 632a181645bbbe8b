import FederationModel
import Hummingbird
import LocalStore
import NodeDesk

/// Topology releases between neighbours. A release is believed for its signature, whoever brings it; so every node of the federation,
/// of an earlier topology too, may ask and bring.
extension LinkRoutes {
    func releases(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            try await requireMember(peer)
            let after = request.uri.queryParameters["after"].flatMap { Int64($0) } ?? 0
            return try json(try await ReleaseList.of(desk.local.store, after: after))
        }
    }

    func takeReleases(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            try await requireMember(peer)
            let list = try await decode(ReleaseList.self, request, max: ReleaseList.bytesMax)
            try await adopt(list.releases)
            return try json(ReleaseList(version: desk.topology.version, releases: []))
        }
    }

    /// - Throws: `E_NOT_A_NEIGHBOUR` when no topology that this node has held names the peer.
    private func requireMember(_ peer: NodeID) async throws {
        guard !desk.topology.contains(peer) else { return }
        for adopted in try await desk.local.store.releases() {
            if (try? StandingSource.topology(of: adopted.release))?.contains(peer) == true { return }
        }
        throw notANeighbour(peer)
    }
}
