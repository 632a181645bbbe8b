import FederationModel
import Foundation
import Glibc

/// The bytes of a source, as often as they are wanted: of a file as it lies there, of a pipe from a copy.
final class SourceBytes {
    /// What messages call it.
    let name: String
    /// Where the bytes lie; it can be opened any number of times.
    let path: String
    /// Bytes as they lie on disk.
    let size: Int64
    /// What holds the copy of what is no file.
    private let copy: ScratchFile?

    /// - Parameter path: a file, a pipe, or `-` for standard input.
    /// - Throws: `E_IMPORT_READ` when it can't be opened; `E_IMPORT_ROOM` when there is no room for the copy of a pipe.
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
        let copy = try ScratchFile(for: name)
        do {
            while let piece = try pipe.read(upToCount: 1 << 20), !piece.isEmpty { try copy.append(piece) }
        } catch let error where !(error is FederationError) {
            throw FederationError("E_IMPORT_READ", "\(name) cannot be read on", hint: "run the command again")
        }
        (self.path, size, self.copy) = (copy.path, copy.size, copy)
    }

    /// - Throws: `E_IMPORT_ROOM`.
    init(_ bytes: [UInt8], name: String) throws {
        let copy = try ScratchFile(for: name)
        try copy.append(bytes)
        (self.name, path, size, self.copy) = (name, copy.path, copy.size, copy)
    }

    /// What an input unpacks to.
    ///
    /// - Throws: `E_IMPORT_READ` when it is damaged, or larger than `limit` bytes; `E_IMPORT_ROOM`.
    init(_ input: any ByteInput, name: String, limit: Int64) throws {
        let copy = try ScratchFile(for: name)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = try buffer.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 {
            guard copy.size + Int64(count) <= limit else {
                throw FederationError("E_IMPORT_READ", "\(name) unpacks to more than \(limit >> 20) MiB")
            }
            try copy.append(buffer[..<count])
        }
        (self.name, path, size, self.copy) = (name, copy.path, copy.size, copy)
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
}
