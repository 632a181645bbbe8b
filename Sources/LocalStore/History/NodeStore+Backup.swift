import FederationModel
import Foundation
import GRDB

extension NodeStore {
    /// Copies the database as it stands at one moment into one file, while the node runs on.
    ///
    /// - Throws: `E_FILE_EXISTS` when there is such a file; `E_FILE_WRITE`; what the store throws.
    package func backUp(to path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw FederationError(
                "E_FILE_EXISTS", "\(path) exists already", hint: "name another file, or move this one away")
        }
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw FederationError(
                "E_FILE_WRITE", "cannot make \(path)", hint: "check the folder, its rights and its space")
        }
        do {
            let copy = try DatabaseQueue(path: path)
            try pool.copy(to: copy)
            try copy.close()
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw FederationError(error, store: path)
        }
    }

    /// Whose database a file is, and in which epoch it was made.
    ///
    /// - Throws: `E_STORE_MISSING`, `E_STORE_DAMAGED`, and the other codes of `StorePool`.
    package static func identity(at path: String) throws -> (node: NodeID, epoch: Epoch) {
        try requireFile(path)
        let pool = try StorePool(path: path, configuration: Configuration(), isReadOnly: true)
        defer { try? pool.close() }
        let (code, epoch, verdict) = try pool.read { db in
            (
                try NodeValue.text("code", db), try NodeValue.text("epoch", db),
                try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            )
        }
        guard let node = code.flatMap({ NodeID($0) }), let epoch = epoch.flatMap({ Epoch($0) }), verdict == "ok" else {
            throw FederationError(
                "E_STORE_DAMAGED", "\(path) is no whole database of a node", hint: "take another backup")
        }
        return (node, epoch)
    }

    /// Puts a backup in the place of the database of a node that does not run, and keeps that beside it under another name.
    ///
    /// - Parameter kept: where the present database goes; its other files go with it.
    /// - Throws: `E_FILE_WRITE`; nothing is changed then.
    package static func put(_ backup: String, at path: String, keeping kept: String) throws {
        let files = FileManager.default
        let fresh = path + "-restored"
        do {
            try? files.removeItem(atPath: fresh)
            try files.copyItem(atPath: backup, toPath: fresh)
            try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh)
            for end in ["", "-wal", "-shm"] where files.fileExists(atPath: path + end) {
                try files.moveItem(atPath: path + end, toPath: kept + end)
            }
            try files.moveItem(atPath: fresh, toPath: path)
        } catch {
            throw FederationError(
                "E_FILE_WRITE", "cannot put \(backup) in the place of \(path)",
                hint: "check rights and space; the database from before is \(path) or \(kept)")
        }
    }
}
