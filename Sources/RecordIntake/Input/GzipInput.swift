import CZlib
import FederationModel

/// The bytes of a file, plain or gzip. zlib looks at the first two bytes and passes a plain file through.
final class GzipInput: ByteInput {
    private let name: String
    private let file: gzFile
    /// Size of the file as it lies on disk.
    let bytesTotal: Int64

    /// - Parameter name: what messages call it.
    /// - Throws: `E_IMPORT_READ` when the file can't be opened.
    init(path: String, name: String, size: Int64) throws {
        guard let file = gzopen(path, "rb") else {
            throw FederationError("E_IMPORT_READ", "\(name) cannot be opened", hint: "check the path and its rights")
        }
        self.name = name
        self.file = file
        bytesTotal = size
        gzbuffer(file, 256 << 10)
    }

    deinit { gzclose(file) }

    /// Bytes of the file consumed so far, before decompression.
    var bytesRead: Int64 { Int64(gzoffset(file)) }

    /// - Returns: how many bytes were written into `buffer`; 0 at the end.
    /// - Throws: `E_IMPORT_READ` when the file is damaged or was cut short.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = gzread(file, buffer.baseAddress, UInt32(clamping: buffer.count))
        if count > 0 { return Int(count) }
        var code: Int32 = Z_OK
        _ = gzerror(file, &code)
        guard count == 0, code == Z_OK || code == Z_STREAM_END else {
            throw FederationError.damagedFile(
                code == Z_BUF_ERROR ? "\(name) ends in the middle of its gzip stream" : "\(name) cannot be read on")
        }
        return 0
    }
}
