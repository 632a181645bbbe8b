import FederationModel
import Foundation

/// Files that are either the old or the new content after a crash, with their mode from the first byte on.
enum AtomicFile {
    /// Who may read the file: a private key is for the owner alone.
    enum Mode: mode_t {
        case ownerOnly = 0o600
        case readableByAll = 0o644
    }

    /// Writes a temporary file in the same directory, brings it to disk and gives it its name.
    ///
    /// - Parameter replacing: false refuses an existing file (`link` fails where `rename` would replace it).
    /// - Throws: `E_FILE_EXISTS`, `E_FILE_WRITE`.
    static func write(_ text: String, to path: String, mode: Mode, replacing: Bool) throws(FederationError) {
        let temporary = "\(path).\(UInt64.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode.rawValue)
        guard descriptor >= 0 else { throw failure(path) }
        defer { unlink(temporary) }
        // The umask may have taken bits away: the mode is ours to decide.
        let written = fchmod(descriptor, mode.rawValue) == 0 && writeAll(text, to: descriptor) && fsync(descriptor) == 0
        let writeError = written ? nil : failure(path)
        close(descriptor)
        if let writeError { throw writeError }
        if replacing {
            guard rename(temporary, path) == 0 else { throw failure(path) }
        } else if link(temporary, path) != 0 {
            guard errno != EEXIST else {
                throw FederationError(
                    "E_FILE_EXISTS", "\(path) exists already", hint: "it is not replaced; move it away first")
            }
            throw failure(path)
        }
        try syncDirectory(of: path)
    }

    /// - Throws: `E_FILE_READ`.
    static func read(_ path: String) throws(FederationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FederationError(
                "E_FILE_READ", "cannot read \(path)", hint: "check that it exists and its permissions")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Makes the directory for its owner alone when there is none.
    static func makeDirectory(_ path: String) throws(FederationError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw FederationError("E_FILE_WRITE", "cannot make the directory \(path): \(error.localizedDescription)")
        }
    }

    private static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return false }
            done += max(count, 0)
        }
        return true
    }

    private static func syncDirectory(of path: String) throws(FederationError) {
        let descriptor = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> FederationError {
        FederationError("E_FILE_WRITE", "cannot write \(path): \(String(cString: strerror(errno)))")
    }
}
