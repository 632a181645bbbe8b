import ChangeSetFormat
import FederationModel
import GRDB

extension NodeStore {
    /// Notes the topology under which this node's links run from now on.
    ///
    /// Links sweep when the version changes. A file that was edited under its old version would be noticed by nobody: rows that
    /// are no longer granted would stay at the receiver.
    ///
    /// - Throws: `E_TOPOLOGY_SAME_VERSION` when the links ran under another topology of this version before.
    package func adopt(_ topology: Topology) async throws {
        let digest = "\(topology.version) \(String(fnv1a64(topology.statement.utf8), radix: 16))"
        try await pool.write { [visibility] db in
            let known = try NodeValue.text("topology", db)
            guard known != digest else { return }
            guard known?.hasPrefix("\(topology.version) ") != true else {
                throw FederationError(
                    "E_TOPOLOGY_SAME_VERSION",
                    "the topology says something else than before, and its version \(topology.version) is the same",
                    hint:
                        "give it a higher `version`, see with `federation-node topology plan` what that does, and put the "
                        + "same file on every node")
            }
            try visibility.meetNeighbours(db)
            try db.execute(
                sql: "INSERT OR REPLACE INTO main.node (name, value) VALUES ('topology', ?)", arguments: [digest])
        }
    }
}
