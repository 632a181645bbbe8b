import FederationModel
import Foundation
import LocalStore
import NodeFiles

/// Where federations have their databases, one federation after the other. It goes away with its owner.
package final class Ground {
    private let folder: URL
    /// Empty databases by node: making one takes longer than most histories.
    private var templates: [NodeID: String] = [:]
    private var count = 0

    /// In memory, where the machine has such a folder: nothing here asks a question of the disk.
    package init() throws {
        let memory = URL(filePath: "/dev/shm")
        let isThere = FileManager.default.isWritableFile(atPath: memory.path)
        let parent = isThere ? memory : FileManager.default.temporaryDirectory
        folder = parent.appending(path: "simulation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A new database of a node.
    func create(_ node: NodeID) throws -> String {
        let template = try templates[node] ?? createAnew(node, epoch: Epoch(counter: 1, nonce: 1))
        templates[node] = template
        return try copy(template, logBytes: Self.logBytes(template))
    }

    /// Of a node that is set up afresh: nothing in it is of its former life.
    func createAnew(_ node: NodeID, epoch: Epoch) throws -> String {
        let path = next()
        try NodeStore.create(at: path, node: node, epoch: epoch, resources: Federation.tables)
        // Which resources it has is noted in it at its first start.
        try NodeStore(at: path, resources: Federation.resources, threadKinds: [TicketKind()]).close()
        return path
    }

    /// A database as it was when its log had `logBytes`. SQLite appends to the log, and these are far too small for a checkpoint, so a
    /// prefix of it is what a machine without power leaves, or an older copy.
    func copy(_ path: String, logBytes: Int) throws -> String {
        let copy = next()
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        if logBytes > 0 {
            let log = try Data(contentsOf: URL(filePath: path + "-wal")).prefix(logBytes)
            try log.write(to: URL(filePath: copy + "-wal"))
        }
        return copy
    }

    static func logBytes(_ path: String) -> Int { Int(FileFacts.size(of: path + "-wal") ?? 0) }

    /// Ends a federation: its files go, the templates stay.
    func clear(_ paths: [String]) {
        for path in paths {
            for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        }
    }

    private func next() -> String {
        count += 1
        return folder.appending(path: "\(count).db").path
    }
}
