import FederationModel
import Foundation
import Glibc

/// The bytes of a source, as often as they are wanted: of a file as it lies there, of a pipe from a copy.
///
/// The copy is a file without a name, which nobody else can open and which is gone when the process ends.
final class SourceBytes {
    /// What messages call it.
    let name: String
    /// Where the bytes lie; it can be opened any number of times.
    let path: String
    /// Bytes as they lie on disk.
    let size: Int64
    /// What holds the copy of a pipe.
    private let copy: FileHandle?

    /// - Parameter path: a file, a pipe, or `-` for standard input.
    /// - Throws: `E_IMPORT_READ` when it can't be opened.
    init(path: String) throws {
        name = path == "-" ? "standard input" : path
        var facts = stat()
        if path != "-" {
            guard stat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else {
                throw FederationError(
                    "E_IMPORT_READ", "\(path) cannot be opened", hint: "check the path and its rights")
            }
            if facts.st_mode & S_IFMT == S_IFREG {
                (self.path, size, copy) = (path, Int64(facts.st_size), nil)
                return
            }
        }
        guard let pipe = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path) else {
            throw FederationError("E_IMPORT_READ", "\(path) cannot be opened", hint: "check the path and its rights")
        }
        let copy = try Self.unnamedFile()
        var size: Int64 = 0
        while let piece = try pipe.read(upToCount: 1 << 20), !piece.isEmpty {
            try copy.write(contentsOf: piece)
            size += Int64(piece.count)
        }
        (self.path, self.size, self.copy) = ("/proc/self/fd/\(copy.fileDescriptor)", size, copy)
    }

    /// - Throws: `E_IMPORT_READ` when there is no room for a copy.
    init(_ bytes: [UInt8], name: String) throws {
        let copy = try Self.unnamedFile()
        try copy.write(contentsOf: bytes)
        (self.name, path, size, self.copy) = (name, "/proc/self/fd/\(copy.fileDescriptor)", Int64(bytes.count), copy)
    }

    /// What an input unpacks to.
    ///
    /// - Throws: `E_IMPORT_READ` when it is damaged, or larger than `limit` bytes.
    init(_ input: any ByteInput, name: String, limit: Int64) throws {
        let copy = try Self.unnamedFile()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var size: Int64 = 0
        while case let count = try buffer.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 {
            size += Int64(count)
            guard size <= limit else {
                throw FederationError("E_IMPORT_READ", "\(name) unpacks to more than \(limit >> 20) MiB")
            }
            try copy.write(contentsOf: buffer[..<count])
        }
        (self.name, path, self.size, self.copy) = (name, "/proc/self/fd/\(copy.fileDescriptor)", size, copy)
    }

    /// Opens the bytes anew, unpacked when they are gzip or zstd. Their content tells, not the name of the file.
    ///
    /// - Throws: `E_IMPORT_READ`.
    func open() throws -> any ByteInput {
        try packing == .zstd
            ? ZstandardInput(path: path, name: name, size: size) : GzipInput(path: path, name: name, size: size)
    }

    /// The first bytes, unpacked; fewer when there are no more or the rest is damaged.
    ///
    /// - Throws: `E_IMPORT_READ` when it can't be opened.
    func head(_ count: Int) throws -> [UInt8] {
        let input = try open()
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let more = try? bytes.withUnsafeMutableBytes {
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            guard let more, more > 0 else { break }
            filled += more
        }
        return Array(bytes[..<filled])
    }

    enum Packing {
        case gzip, zstd
    }

    /// What the bytes are packed with; nil for neither.
    var packing: Packing? {
        get throws {
            let head = try rawHead()
            // RFC 8878, section 3.1.1, and RFC 1952, section 2.3.1.
            if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return .zstd }
            return head.starts(with: [0x1F, 0x8B]) ? .gzip : nil
        }
    }

    private func rawHead() throws -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw FederationError("E_IMPORT_READ", "\(name) cannot be opened", hint: "check the path and its rights")
        }
        defer { try? file.close() }
        return try file.read(upToCount: 4).map(Array.init) ?? []
    }

    private static func unnamedFile() throws -> FileHandle {
        var template = Array((NSTemporaryDirectory() + "/federation-node-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw FederationError(
                "E_IMPORT_READ", "there is no room for a copy of what is read from a pipe",
                hint: "set TMPDIR to a folder that can be written to, or read from a file")
        }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
