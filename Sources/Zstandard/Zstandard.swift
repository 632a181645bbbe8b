import CZstd
import Synchronization

/// What went wrong with compressed bytes. Never a field's value.
package enum ZstandardError: Error, Hashable, Sendable {
    /// The output would be larger than the limit: a bomb, or counts that lie.
    case tooLarge(limit: Int)
    /// The frame ends early.
    case truncated
    /// zstd's own words: wrong magic, a checksum that does not agree, a window that wants too much memory.
    case corrupt(String)
}

/// Compresses with one context that is kept between calls; making one costs more than compressing a small change-set.
package final class ZstandardCompressor: Sendable {
    private let context: Mutex<Context>

    /// - Parameter level: 3 is the best of time and size for change-sets (153 MB/s, 209 bytes a ticket; level 9 saves a
    ///   tenth at a fifth of the speed).
    package init(level: Int32 = 3) {
        context = Mutex(Context(level: level))
    }

    /// One frame with a checksum of its content.
    package func compress(_ bytes: [UInt8]) throws(ZstandardError) -> [UInt8] {
        let result: Result<[UInt8], ZstandardError> = context.withLock { $0.compress(bytes) }
        return try result.get()
    }

    private struct Context: ~Copyable {
        private let pointer: OpaquePointer?

        init(level: Int32) {
            pointer = ZSTD_createCCtx()
            ZSTD_CCtx_setParameter(pointer, ZSTD_c_compressionLevel, level)
            ZSTD_CCtx_setParameter(pointer, ZSTD_c_checksumFlag, 1)
        }

        deinit { ZSTD_freeCCtx(pointer) }

        func compress(_ bytes: [UInt8]) -> Result<[UInt8], ZstandardError> {
            var failure: Int = 0
            let output = [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { buffer, count in
                let written = bytes.withUnsafeBytes {
                    ZSTD_compress2(pointer, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
                }
                if ZSTD_isError(written) != 0 { failure = written } else { count = written }
            }
            return failure == 0 ? .success(output) : .failure(.corrupt(String(cString: ZSTD_getErrorName(failure))))
        }
    }
}

/// Decompresses one frame of untrusted bytes; the limit is enforced while decompressing.
///
/// - Parameter limit: most bytes of output, and what is reserved at most.
/// - Throws: `ZstandardError`; bytes behind the frame are `corrupt`.
package func zstandardDecompress(
    _ bytes: UnsafeRawBufferPointer, limit: Int
) throws(ZstandardError) -> [UInt8] {
    let declared = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
    if declared == contentSizeError { throw .corrupt("not a zstd frame") }
    if declared != contentSizeUnknown && declared > UInt64(limit) { throw .tooLarge(limit: limit) }
    let context = ZSTD_createDCtx()
    defer { ZSTD_freeDCtx(context) }
    // A frame may ask for a window of gigabytes; 8 MiB is what our level needs at most.
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23)
    var failure: ZstandardError?
    // One byte more than allowed, so that an output that is too large shows.
    let capacity = declared == contentSizeUnknown ? limit + 1 : Int(declared) + 1
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var out = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while true {
            let before = (input.pos, out.pos)
            let rest = ZSTD_decompressStream(context, &out, &input)
            if ZSTD_isError(rest) != 0 {
                failure = .corrupt(String(cString: ZSTD_getErrorName(rest)))
            } else if out.pos > limit {
                failure = .tooLarge(limit: limit)
            } else if rest == 0 {
                if input.pos < input.size { failure = .corrupt("bytes behind the frame") }
            } else if before == (input.pos, out.pos) {
                failure = .truncated
            } else {
                continue
            }
            break
        }
        count = out.pos
    }
    if let failure { throw failure }
    return output
}

/// Decompresses a stream of any length in constant memory: one frame, or several behind each other.
package final class ZstandardStream {
    private let context = ZSTD_createDCtx()
    /// Whether the bytes so far end with a whole frame.
    package private(set) var isAtFrameEnd = true

    package init() { ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27) }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses from `input` into `output` until one of them is used up.
    ///
    /// - Returns: how many bytes of each were used.
    /// - Throws: `ZstandardError.corrupt`.
    package func decompress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ZstandardError) -> (read: Int, written: Int) {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let rest = ZSTD_decompressStream(context, &target, &source)
        guard ZSTD_isError(rest) == 0 else { throw .corrupt(String(cString: ZSTD_getErrorName(rest))) }
        isAtFrameEnd = rest == 0
        return (source.pos, target.pos)
    }
}

// zstd's macros for these two are casts, which Swift does not import.
private let contentSizeUnknown = UInt64.max
private let contentSizeError = UInt64.max - 1
