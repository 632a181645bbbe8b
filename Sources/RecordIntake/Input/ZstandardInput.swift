import FederationModel
import Foundation
import Zstandard

/// The bytes of a zstd file, in constant memory.
final class ZstandardInput: ByteInput {
    private let name: String
    private let file: FileHandle
    private let stream = ZstandardStream()
    private var packed: [UInt8] = []
    private var position = 0
    let bytesTotal: Int64
    private(set) var bytesRead: Int64 = 0

    /// - Parameter name: what messages call it.
    /// - Throws: `E_IMPORT_READ` when the file can't be opened.
    init(path: String, name: String, size: Int64) throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw FederationError("E_IMPORT_READ", "\(name) cannot be opened", hint: "check the path and its rights")
        }
        self.name = name
        self.file = file
        bytesTotal = size
    }

    deinit { try? file.close() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            if position == packed.count {
                packed = try file.read(upToCount: 256 << 10).map(Array.init) ?? []
                position = 0
                bytesRead += Int64(packed.count)
            }
            let isAtEnd = packed.isEmpty
            let used: (read: Int, written: Int)
            do throws(ZstandardError) {
                used = try decompress(into: buffer)
            } catch {
                throw damaged("cannot be read on")
            }
            position += used.read
            if used.written > 0 { return used.written }
            if isAtEnd {
                guard stream.isAtFrameEnd else { throw damaged("ends in the middle of its zstd stream") }
                return 0
            }
        }
    }

    private func decompress(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(ZstandardError) -> (read: Int, written: Int) {
        guard position < packed.count || !stream.isAtFrameEnd else { return (0, 0) }
        let result = packed.withUnsafeBytes { bytes -> Result<(read: Int, written: Int), ZstandardError> in
            do throws(ZstandardError) {
                return .success(
                    try stream.decompress(UnsafeRawBufferPointer(rebasing: bytes[position...]), into: buffer))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func damaged(_ what: String) -> FederationError {
        .damagedFile("\(name) \(what)")
    }
}
