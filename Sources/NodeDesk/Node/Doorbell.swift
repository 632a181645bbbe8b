import FederationModel
import Foundation
import NodeFiles
import Synchronization

/// How a command of this node tells the running service at once that it has written: a byte into a named pipe beside the
/// database (`node.db-bell`). Who rings only makes the service look at its head.
///
/// In the node's own directory nobody else can hold it, it is the same one through every mount and namespace, and its path
/// has no limit of its own.
package enum Doorbell {
    /// - Returns: whether a service is there to hear it.
    @discardableResult
    package static func ring(databasePath: String) -> Bool {
        withPipe(databasePath) { descriptor in
            var byte: UInt8 = 1
            // A full pipe means that it has been rung already.
            return write(descriptor, &byte, 1) == 1 || errno == EAGAIN
        }
    }

    /// Whether a service is there to hear it.
    package static func isHeard(databasePath: String) -> Bool { withPipe(databasePath) { _ in true } }

    /// - Returns: false when nobody listens.
    private static func withPipe(_ databasePath: String, _ use: (Int32) -> Bool) -> Bool {
        // Without a reader, opening a pipe for writing fails (fifo(7)).
        let descriptor = open(path(databasePath), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return PrivateFiles.isPipe(descriptor) && use(descriptor)
    }

    /// Takes the node's only place of a service: `rings` has one element a ring, until the task that iterates is cancelled.
    ///
    /// - Returns: nil when another process holds it: the node is running already.
    /// - Throws: `E_FILE_WRITE` when the files of it can't be made beside the database.
    package static func rings(databasePath: String) throws(FederationError) -> AsyncStream<Void>? {
        guard let lock = try FileLock(path: realPath(databasePath) + "-lock") else { return nil }
        let bell = path(databasePath)
        if mkfifo(bell, 0o600) != 0, errno != EEXIST { throw failure(bell) }
        // With a writer of its own it never sees the end of the pipe, and can wake itself.
        let descriptor = open(bell, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0, PrivateFiles.isPipe(descriptor) else {
            if descriptor >= 0 { close(descriptor) }
            throw failure(bell)
        }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let isOver = Mutex(false)
        let thread = Thread {
            // The lock is held as long as somebody listens.
            withExtendedLifetime(lock) {
                var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                var bytes = [UInt8](repeating: 0, count: 4_096)
                while !isOver.withLock({ $0 }) {
                    guard poll(&ready, 1, -1) >= 0 || errno == EINTR else { break }
                    while read(descriptor, &bytes, bytes.count) == bytes.count {}
                    continuation.yield()
                }
                isOver.withLock { $0 = true }
                close(descriptor)
            }
        }
        thread.name = "doorbell"
        thread.start()
        continuation.onTermination = { _ in
            isOver.withLock { isOver in
                // Once it is over the descriptor may be another file's.
                guard !isOver else { return }
                isOver = true
                var byte: UInt8 = 1
                write(descriptor, &byte, 1)
            }
        }
        return stream
    }

    private static func path(_ databasePath: String) -> String { realPath(databasePath) + "-bell" }

    /// One database has one doorbell, by whatever path it is named.
    private static func realPath(_ databasePath: String) -> String {
        URL(filePath: databasePath).resolvingSymlinksInPath().path
    }

    private static func failure(_ path: String) -> FederationError {
        FederationError(
            "E_FILE_WRITE", "cannot make the pipe \(path): \(String(cString: strerror(errno)))",
            hint: "the data directory must be writable by the node's user; a file of that name is in the way")
    }
}
