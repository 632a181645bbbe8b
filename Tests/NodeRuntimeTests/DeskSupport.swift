import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeRuntime
import TestSupport

/// The desk of the node whose store this is; its other files are nowhere.
func desk(
    _ store: NodeStore, peers: PeerClients? = nil, announce: @escaping @Sendable (Seq) -> Void = { _ in },
    clock: @escaping @Sendable () -> UnixMilliseconds = wallClock
) throws -> NodeDesk {
    let node = LocalNode(settings: try settings("node: \"\(store.node)\""), store: store)
    return NodeDesk(node, as: .system, peers: peers, clock: clock, announce: announce)
}
