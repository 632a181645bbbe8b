import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore

/// A backup that was put in place.
package struct RestoredBackup: Sendable {
    /// Under which the node goes on.
    package let epoch: Epoch
    /// Where the database from before is; nil when there was none.
    package let kept: String?
}

extension NodeDesk {
    /// Copies the database into one file, while the node runs on.
    ///
    /// - Throws: `E_FILE_EXISTS`, `E_FILE_WRITE`, and what the store throws.
    package func backUp(to path: String) async throws -> (epoch: Epoch, head: Seq) {
        try await perform(.createBackup) { _ in
            let head = try await store.head()
            try store.backUp(to: path)
            return (store.epoch, head)
        }
    }

    /// Puts a backup in the place of the database and begins another epoch, so that neighbours give back what it lacks.
    ///
    /// - Throws: `E_ALREADY_RUNNING` while the service runs; `E_NODE_MISMATCH` for a backup of another node; `E_STORE_DAMAGED`,
    ///   `E_STORE_MISSING`, `E_FILE_WRITE`.
    package static func restore(
        _ backup: String, settings: NodeSettings, as actor: Actor, now: UnixMilliseconds
    ) async throws -> RestoredBackup {
        let isServing = Doorbell.isHeard(databasePath: settings.databasePath)
        guard !isServing else {
            throw FederationError(
                "E_ALREADY_RUNNING", "the service of node \(settings.node) runs on this database", hint: "stop it first"
            )
        }
        let (node, _) = try NodeStore.identity(at: backup)
        guard node == settings.node else {
            throw FederationError(
                "E_NODE_MISMATCH", "\(backup) is a backup of node \(node), node.yaml says \(settings.node)",
                hint: "name a backup of this node")
        }
        // One that is damaged says nothing, and its neighbours say the rest.
        let present = try? NodeStore.identity(at: settings.databasePath)
        let wasThere = FileManager.default.fileExists(atPath: settings.databasePath)
        let kept = "\(settings.databasePath)-replaced-\(now)"
        try NodeStore.put(backup, at: settings.databasePath, keeping: kept)
        let desk = try open(settings, as: actor)
        let epoch = try await desk.perform(.restoreBackup) { now in
            try await desk.store.beginEpoch(above: present?.epoch.counter ?? 0, now: now)
        }
        try desk.store.close()
        return RestoredBackup(epoch: epoch, kept: wasThere ? kept : nil)
    }
}
