import FederationModel

/// The node with a code of a test; a wrong code stops the test at once.
package func node(_ code: String) -> NodeID {
    guard let node = NodeID(code) else { preconditionFailure("\(code) is not a node code") }
    return node
}
