import FederationModel
import Foundation

/// A lock that one process of all machines' namespaces holds on a file. The kernel lets go of it when the process ends, in
/// whatever way.
///
/// Not on the database file itself: SQLite's own locks there end when any descriptor of the file is closed.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock on the file at `path`, which is made when it is not there, and stays.
    ///
    /// - Returns: nil when another process holds it.
    /// - Throws: `E_FILE_WRITE` when the file can't be opened.
    package init?(path: String) throws(FederationError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            if reason == EWOULDBLOCK { return nil }
            errno = reason
            throw Self.failure(path)
        }
    }

    deinit { close(descriptor) }

    private static func failure(_ path: String) -> FederationError {
        FederationError(
            "E_FILE_WRITE", "cannot lock \(path): \(String(cString: strerror(errno)))",
            hint: "the data directory must be writable by the node's user")
    }
}
