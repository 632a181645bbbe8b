import FederationModel
import Foundation

/// Folders and files that only the node's own user may read: citizens' data and keys.
package enum PrivateFiles {
    /// Makes the folder for its owner alone when there is none.
    ///
    /// An empty folder that was made for it beforehand is closed to others too. One with something in it may serve others as
    /// well, and is left as it is; see `openness`.
    ///
    /// - Throws: `E_FILE_WRITE`.
    package static func makeFolder(_ path: String) throws(FederationError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw FederationError("E_FILE_WRITE", "cannot make the directory \(path): \(error.localizedDescription)")
        }
        if let names = try? FileManager.default.contentsOfDirectory(atPath: path), names.isEmpty { _ = close(path) }
    }

    /// - Returns: what to say of a file or folder that others on this machine may read or change; nil when they may not, or
    ///   when it is not there.
    package static func openness(of path: String) -> FederationError? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        return FederationError(
            "E_READABLE_BY_OTHERS", "\(path) has mode \(mode): others on this machine may reach it",
            hint: "chmod go= '\(path)'")
    }

    /// Whether a descriptor is open on a pipe, and not on another file of that name.
    package static func isPipe(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    /// Takes all rights of others away.
    ///
    /// - Returns: whether that was possible: the file belongs to this user.
    package static func close(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid == geteuid() else { return false }
        return chmod(path, status.st_mode & 0o7700) == 0
    }

    /// - Throws: `E_FILE_READ` with the system's reason.
    package static func read(_ path: String) throws(FederationError) -> String {
        do {
            return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        } catch {
            throw FederationError(
                "E_FILE_READ", "cannot read \(path)", hint: "check that it exists and its permissions")
        }
    }
}
