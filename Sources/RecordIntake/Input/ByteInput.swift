import FederationModel
import Foundation

/// The bytes of a file on their way into a reader, whatever they were packed in.
protocol ByteInput: AnyObject {
    /// Size of the file as it lies on disk.
    var bytesTotal: Int64 { get }
    /// Bytes of the file consumed so far, before decompression.
    var bytesRead: Int64 { get }

    /// - Returns: how many bytes were written into `buffer`, which is not empty; 0 at the end.
    /// - Throws: `E_IMPORT_READ` when the file is damaged or was cut short.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Opens a file as UTF-8: plain, gzip or zstd, UTF-8 or GB18030. Its content tells, not its name.
///
/// - Throws: `E_IMPORT_READ` when the file can't be opened.
func openText(path: String) throws -> any ByteInput {
    let packed = try packedInput(path: path)
    let sampled = try SampledInput(packed)
    return sampled.looksLikeUTF8 ? sampled : try GB18030Input(sampled, path: path)
}

private func packedInput(path: String) throws -> any ByteInput {
    // RFC 8878, section 3.1.1: the magic number of a zstd frame.
    let zstd: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    guard let file = FileHandle(forReadingAtPath: path) else {
        throw FederationError("E_IMPORT_READ", "\(path) cannot be opened", hint: "check the path and its rights")
    }
    let head = try file.read(upToCount: zstd.count)
    try file.close()
    return head.map(Array.init) == zstd ? try ZstandardInput(path: path) : try GzipInput(path: path)
}

/// An input whose beginning has been looked at.
private final class SampledInput: ByteInput {
    /// Enough for a header and some rows with their texts.
    private static let sampleBytes = 256 << 10

    private let base: any ByteInput
    private var sample: [UInt8]
    private var position = 0

    init(_ base: any ByteInput) throws {
        self.base = base
        sample = []
        var buffer = [UInt8](repeating: 0, count: Self.sampleBytes)
        while sample.count < Self.sampleBytes {
            let room = Self.sampleBytes - sample.count
            let count = try buffer.withUnsafeMutableBytes {
                try base.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<room]))
            }
            if count == 0 { break }
            sample += buffer[..<count]
        }
    }

    /// Line by line, because one damaged line must not turn a whole file into the other encoding: GB18030 when more lines
    /// can only be that than are UTF-8 beyond ASCII.
    var looksLikeUTF8: Bool {
        var (utf8, gb18030) = (0, 0)
        for line in sample.split(separator: UInt8(ascii: "\n")) where line.contains(where: { $0 >= 0x80 }) {
            if String(validating: line, as: UTF8.self) != nil {
                utf8 += 1
            } else if GB18030Input.canRead(line) {
                gb18030 += 1
            }
        }
        return gb18030 <= utf8
    }

    var bytesTotal: Int64 { base.bytesTotal }
    var bytesRead: Int64 { base.bytesRead }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard position < sample.count else { return try base.read(into: buffer) }
        let count = min(buffer.count, sample.count - position)
        buffer.copyBytes(from: sample[position..<position + count])
        position += count
        if position == sample.count {
            sample = []
            position = 0
        }
        return count
    }
}
