import FederationModel

/// The codes that a link's two ends act on. Every other code is for a person.
package enum LinkCode {
    /// The change-set does not start where the receiver's cursor stands: go on from the refusal's cursor.
    package static let outOfStep = "E_OUT_OF_STEP"
    /// Make smaller change-sets.
    package static let tooLarge = "E_CHANGE_SET_TOO_LARGE"
    /// The receiver holds as much as it may; wait and make smaller ones.
    package static let queueFull = "E_QUEUE_FULL"
    /// The receiver has put aside more rows of the sender than it may; wait.
    package static let quarantineFull = "E_QUARANTINE_FULL"
    /// So little of the receiver's disk is free that it keeps the rest for its own records; wait.
    package static let diskFloor = "E_DISK_FLOOR"
    /// The receiver can't take it just now; wait and make smaller ones.
    package static let busy = "E_BUSY"

    /// The store's: a ferry file has moved the durable cursor since it was read.
    package static let cursorMoved = "E_CURSOR_MOVED"
    package static let cursorAhead = "E_CURSOR_AHEAD"
    package static let topologyVersion = "E_TOPOLOGY_VERSION"
    /// Two different topologies bear one number: a person must publish a new one.
    package static let topologyDiffers = "E_TOPOLOGY_DIFFERS"
    package static let protocolVersion = "E_PROTOCOL_VERSION"
    package static let notANeighbour = "E_NOT_A_NEIGHBOUR"
    package static let address = "E_LINK_ADDRESS"
    package static let clockSkew = "E_CLOCK_SKEW"
    package static let epoch = "E_EPOCH"
    package static let noProgress = "E_CHANGE_SET_NO_PROGRESS"
    package static let tooManyErrors = "E_TOO_MANY_ERRORS"
    package static let acknowledgementTimeout = "E_ACKNOWLEDGEMENT_TIMEOUT"
    package static let silent = "E_LINK_SILENT"
}

extension FederationError {
    /// Both versions are named, so that either side's log tells which node is behind.
    static func protocolVersion(ours: ProtocolRange, at here: NodeID, theirs: String, node: NodeID) -> FederationError {
        FederationError(
            LinkCode.protocolVersion, "no common protocol version: \(here) speaks \(ours), \(node) \(theirs)",
            hint: "upgrade the older node")
    }

    static func topologyVersion(
        ours: some CustomStringConvertible, at here: NodeID, theirs: some CustomStringConvertible, node: NodeID
    ) -> FederationError {
        FederationError(
            LinkCode.topologyVersion, "topology version differs: \(ours) on \(here), \(theirs) on \(node)",
            hint:
                "the node that is behind fetches the release and the link goes on by itself; when it stays so, a file was "
                + "edited on one node: publish one with `federation-node topology apply` at the top node")
    }

    static func topologyDiffers(version: Int64, at here: NodeID, node: NodeID) -> FederationError {
        FederationError(
            LinkCode.topologyDiffers, "\(here) and \(node) have different topologies of the one number \(version)",
            hint:
                "compare `federation-node topology show` of both, and publish a release with a higher number at the top "
                + "node: `federation-node topology apply FILE`")
    }
}
