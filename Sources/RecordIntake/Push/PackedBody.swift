import CZlib
import FederationModel
import Zstandard

/// How a request's body is packed (RFC 9110, section 8.4).
package enum BodyEncoding: String, Sendable {
    case identity
    case gzip
    case zstd

    /// Unpacks untrusted bytes; the limit is enforced while unpacking.
    ///
    /// - Parameter bytesMax: most bytes of the result.
    /// - Throws: `E_BODY_INVALID`, `E_BODY_TOO_LARGE`.
    package func unpack(_ body: [UInt8], bytesMax: Int) throws(FederationError) -> [UInt8] {
        switch self {
        case .identity:
            if body.count > bytesMax { throw Self.tooLarge(bytesMax) }
            return body
        case .gzip: return try gunzip(body, bytesMax: bytesMax)
        case .zstd:
            let result = body.withUnsafeBytes { bytes -> Result<[UInt8], ZstandardError> in
                do throws(ZstandardError) {
                    return .success(try zstandardDecompress(bytes, limit: bytesMax))
                } catch {
                    return .failure(error)
                }
            }
            switch result {
            case .success(let bytes): return bytes
            case .failure(.tooLarge): throw Self.tooLarge(bytesMax)
            case .failure: throw malformed
            }
        }
    }

    private var malformed: FederationError {
        FederationError("E_BODY_INVALID", "the body is not one whole \(rawValue) stream")
    }

    /// A body of more than `bytesMax` bytes after unpacking.
    package static func tooLarge(_ bytesMax: Int) -> FederationError {
        FederationError("E_BODY_TOO_LARGE", "the body has more than \(bytesMax) bytes", hint: "send smaller batches")
    }

    private func gunzip(_ body: [UInt8], bytesMax: Int) throws(FederationError) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, and 16 for a gzip header (zlib.h, inflateInit2).
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else { throw malformed }
        defer { inflateEnd(&stream) }
        var body = body
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 256 << 10)
        var code = Z_OK
        body.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(clamping: input.count)
            while code == Z_OK, output.count <= bytesMax {
                let written = piece.withUnsafeMutableBufferPointer { piece in
                    stream.next_out = piece.baseAddress
                    stream.avail_out = UInt32(piece.count)
                    code = inflate(&stream, Z_NO_FLUSH)
                    return piece.count - Int(stream.avail_out)
                }
                output += piece[..<written]
                // No progress with input used up: the stream was cut.
                if code == Z_OK, written == 0, stream.avail_in == 0 { code = Z_BUF_ERROR }
            }
        }
        if output.count > bytesMax { throw Self.tooLarge(bytesMax) }
        guard code == Z_STREAM_END, stream.avail_in == 0 else { throw malformed }
        return output
    }
}
