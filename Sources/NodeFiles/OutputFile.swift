import FederationModel
import Foundation

/// A file that a person named for a command's output, or that the node writes for itself.
///
/// A regular file is whole or not there: the bytes go to a hidden file beside it, which takes its name at `commit`. What
/// else the name may mean is never replaced: a symbolic link is followed, and a device, a pipe or a socket is written to.
package final class OutputFile {
    /// What becomes of a regular file that has the name already.
    package enum Existing: Sendable {
        case isKept
        case isReplaced
        /// Replaced if it is empty or begins with these words, so that nothing else gives way to it by mistake.
        case isReplacedIf(beginning: String)
    }

    /// Who may read the file. The umask has no say.
    package enum Mode: mode_t, Sendable {
        case ownerOnly = 0o600
        case readableByAll = 0o644
    }

    /// As it was given, for messages.
    private let path: String
    private let existing: Existing
    /// Where the bytes lie until `commit`, and the name that they get there; nil for what is written to as it stands.
    private let names: (temporary: String, target: String)?
    private var descriptor: Int32

    /// - Throws: `E_FILE_EXISTS` for a regular file that is to be kept; `E_FILE_WRITE` for a directory, a symbolic link to
    ///   nothing, and what the system refuses.
    package init(
        _ path: String, existing: Existing = .isKept, mode: Mode = .ownerOnly
    ) throws(FederationError) {
        self.path = path
        self.existing = existing
        if let number = Self.openDescriptor(path) {
            // Opening the name anew would write from the beginning of whatever file it was redirected to.
            names = nil
            descriptor = fcntl(number, F_DUPFD_CLOEXEC, 3)
        } else if let target = try Self.target(of: path, existing: existing) {
            let folder = (target as NSString).deletingLastPathComponent
            let temporary =
                (folder.isEmpty ? "." : folder) + "/.federation-node-\(UInt64.random(in: 0 ... .max)).tmp"
            names = (temporary, target)
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode.rawValue)
            if descriptor >= 0 { fchmod(descriptor, mode.rawValue) }
        } else {
            names = nil
            descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        }
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if let names { unlink(names.temporary) }
    }

    /// Writes a whole file at once.
    package static func write(
        _ text: String, to path: String, existing: Existing = .isKept, mode: Mode = .ownerOnly
    ) throws(FederationError) {
        try write(Array(text.utf8), to: path, existing: existing, mode: mode)
    }

    package static func write(
        _ bytes: [UInt8], to path: String, existing: Existing = .isKept, mode: Mode = .ownerOnly
    ) throws(FederationError) {
        let file = try OutputFile(path, existing: existing, mode: mode)
        try file.write(bytes)
        try file.commit()
    }

    /// - Throws: `E_FILE_WRITE`.
    package func write(_ bytes: [UInt8]) throws(FederationError) {
        guard StandardStreams.write(bytes, to: descriptor) else { throw Self.failure(path) }
    }

    /// Brings what was written to disk and gives it its name. Without it nothing has happened to a regular file.
    ///
    /// - Throws: `E_FILE_EXISTS` when the name was taken meanwhile; `E_FILE_WRITE`.
    package func commit() throws(FederationError) {
        defer { descriptor = -1 }
        guard let names else {
            guard close(descriptor) == 0 else { throw Self.failure(path) }
            return
        }
        let isOnDisk = fsync(descriptor) == 0
        let problem = isOnDisk ? nil : Self.failure(path)
        guard close(descriptor) == 0, isOnDisk else { throw problem ?? Self.failure(path) }
        switch existing {
        case .isReplaced, .isReplacedIf:
            guard try Self.target(of: names.target, existing: existing) != nil,
                rename(names.temporary, names.target) == 0
            else { throw Self.failure(path) }
        case .isKept:
            // Unlike rename(2), link(2) never replaces. Some file systems of memory sticks have no links.
            if link(names.temporary, names.target) != 0 {
                guard errno == EPERM || errno == EOPNOTSUPP else {
                    throw errno == EEXIST ? Self.exists(path) : Self.failure(path)
                }
                _ = try Self.target(of: names.target, existing: existing)
                guard rename(names.temporary, names.target) == 0 else { throw Self.failure(path) }
            }
            unlink(names.temporary)
        }
        try Self.syncFolder(of: names.target)
    }

    /// Takes away the regular file that this one would replace, in place of replacing it.
    package func discardFormer() {
        guard let names, (try? Self.target(of: names.target, existing: existing)) != nil else { return }
        unlink(names.target)
    }

    // MARK: - What a name stands for

    /// - Returns: the path of the regular file, symbolic links followed; nil for what is written to as it stands.
    private static func target(of path: String, existing: Existing) throws(FederationError) -> String? {
        var status = stat()
        if stat(path, &status) != 0 {
            guard errno == ENOENT else { throw failure(path) }
            guard lstat(path, &status) != 0 else {
                throw FederationError(
                    "E_FILE_WRITE", "\(path) is a symbolic link to a file that is not there",
                    hint: "name the file itself")
            }
            return path
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            switch existing {
            case .isKept: throw exists(path)
            case .isReplaced: break
            case .isReplacedIf(let beginning):
                guard status.st_size == 0 || begins(path, with: Array(beginning.utf8)) else { throw exists(path) }
            }
            guard let real = realpath(path, nil) else { throw failure(path) }
            defer { free(real) }
            return String(cString: real)
        case S_IFDIR: throw FederationError("E_FILE_WRITE", "\(path) is a directory", hint: "name a file in it")
        default: return nil
        }
    }

    private static func begins(_ path: String, with words: [UInt8]) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var found = [UInt8](repeating: 0, count: words.count)
        return read(descriptor, &found, found.count) == words.count && found == words
    }

    /// The descriptor that a name such as `/dev/stdout` or `/dev/fd/3` means.
    private static func openDescriptor(_ path: String) -> Int32? {
        switch path {
        case "/dev/stdout": STDOUT_FILENO
        case "/dev/stderr": STDERR_FILENO
        default:
            ["/dev/fd/", "/proc/self/fd/"].firstNonNil { path.hasPrefix($0) ? Int32(path.dropFirst($0.count)) : nil }
        }
    }

    private static func syncFolder(of path: String) throws(FederationError) {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to and not read can't be synced, and its file is there all the same.
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func exists(_ path: String) -> FederationError {
        FederationError(
            "E_FILE_EXISTS", "\(path) exists already",
            hint: "it is not replaced without being told so; name another file or move this one away")
    }

    private static func failure(_ path: String) -> FederationError {
        FederationError(
            "E_FILE_WRITE", "cannot write \(path): \(String(cString: strerror(errno)))",
            hint: "check the folder, its rights and its space")
    }
}

extension Sequence {
    fileprivate func firstNonNil<Value>(_ transform: (Element) -> Value?) -> Value? {
        lazy.compactMap(transform).first { _ in true }
    }
}
