import FederationModel
import Foundation
import Glibc
import NodeFiles

/// A copy on disk, in `TMPDIR`, of bytes that come only once.
///
/// It is a file without a name, which nobody else can open and which is gone when the process ends, however it ends.
final class ScratchFile {
    /// It can be opened any number of times.
    let path: String
    private(set) var size: Int64 = 0
    private let file: FileHandle
    private let folder: String
    /// What the messages call the bytes.
    private let name: String
    /// Bytes of the disk that stay free for others: a tenth of it, 512 MiB at most.
    private let reserve: Int64

    /// The most that is kept free: as much as a node leaves its own records by default.
    private static let reserveMax: Int64 = 512 << 20

    /// - Throws: `E_IMPORT_ROOM` when there is no place for it.
    init(for name: String) throws {
        self.name = name
        folder = NSTemporaryDirectory()
        var template = Array((folder + "/federation-node-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw FederationError(
                "E_IMPORT_ROOM", "no copy of \(name) can be made in \(folder)",
                hint: "set TMPDIR to a folder that can be written to, or import from a file that is not packed")
        }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        path = "/proc/self/fd/\(descriptor)"
        reserve = min(Self.reserveMax, (FileFacts.diskBytes(at: path) ?? 0) / 10)
    }

    /// - Throws: `E_IMPORT_ROOM` when less of the disk would stay free than is to, or it takes no more.
    func append(_ bytes: some DataProtocol) throws {
        let free = FileFacts.freeBytes(at: path) ?? .max
        guard free - Int64(bytes.count) >= reserve, (try? file.write(contentsOf: bytes)) != nil else {
            throw FederationError(
                "E_IMPORT_ROOM",
                "there is no room in \(folder) for a copy of \(name): it has more than \(size >> 20) MiB, \(free >> 20) MiB are free and \(reserve >> 20) MiB stay free",
                hint: "set TMPDIR to a folder with more room, or import from a file that is not packed")
        }
        size += Int64(bytes.count)
    }
}
