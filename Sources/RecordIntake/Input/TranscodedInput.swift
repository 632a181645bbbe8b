import CIconvShim
import ConfigurationFiles
import FederationModel
import Glibc

/// Text of another encoding as UTF-8, converted piece by piece by glibc's iconv.
///
/// What is no character of the encoding becomes a byte that is no UTF-8 either: its row is refused, with its number, and the
/// others are read.
final class TranscodedInput: ByteInput {
    private static let invalid: UInt8 = 0xFF

    private let base: any ByteInput
    private let encoding: TextEncoding
    private let converter: OpaquePointer
    private var piece = [UInt8](repeating: 0, count: 64 << 10)
    /// Bytes of the file that have not been converted.
    private var bytes: [UInt8] = []
    private var converted: [UInt8] = []
    private var ready = 0..<0
    private var isAtEnd = false

    /// - Throws: `E_IMPORT_READ` on a system that does not know the encoding.
    init(_ base: any ByteInput, from encoding: TextEncoding, name: String) throws {
        guard let converter = ficonv_open("UTF-8", encoding.rawValue) else {
            throw FederationError(
                "E_IMPORT_READ", "\(name) is \(encoding.rawValue), which this system does not know",
                hint: "convert it to UTF-8 first")
        }
        self.base = base
        self.encoding = encoding
        self.converter = converter
    }

    deinit { ficonv_close(converter) }

    var bytesTotal: Int64 { base.bytesTotal }
    var bytesRead: Int64 { base.bytesRead }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while ready.isEmpty {
            if isAtEnd && bytes.isEmpty { return 0 }
            try convertNext()
        }
        let count = min(buffer.count, ready.count)
        buffer.copyBytes(from: converted[ready.prefix(count)])
        ready = ready.dropFirst(count)
        return count
    }

    private func convertNext() throws {
        let count = isAtEnd ? 0 : try piece.withUnsafeMutableBytes { try base.read(into: $0) }
        isAtEnd = count == 0
        bytes += piece[..<count]
        converted.removeAll(keepingCapacity: true)
        guard encoding == .gb18030 else {
            let used = convert(bytes[...], isWhole: isAtEnd)
            bytes.removeFirst(used)
            ready = 0..<converted.count
            return
        }
        // Whole lines, because a line is either of the file's encoding or was appended to it by somebody else.
        var start = 0
        var position = 0
        while position < bytes.count {
            guard let end = bytes[position...].firstIndex(of: 0x0A) else { break }
            if isForeign(bytes[position..<end]) {
                _ = convert(bytes[start..<position], isWhole: true)
                converted += [Self.invalid, 0x0A]
                start = end + 1
            }
            position = end + 1
        }
        if isAtEnd || bytes.count - position > CSVLimits.rowBytes {
            if isForeign(bytes[position...]) {
                _ = convert(bytes[start..<position], isWhole: true)
                converted.append(Self.invalid)
                start = bytes.count
            }
            position = bytes.count
        }
        start += convert(bytes[start..<position], isWhole: isAtEnd || bytes[..<position].last == 0x0A)
        bytes.removeFirst(start)
        ready = 0..<converted.count
    }

    /// Whether a line of a GB18030 file is UTF-8: read as GB18030 it would be other Chinese characters, and nobody would see it.
    private func isForeign(_ line: ArraySlice<UInt8>) -> Bool {
        line.withUnsafeBufferPointer { line in
            guard line.contains(where: { $0 >= 0x80 }) else { return false }
            var evidence = LineEvidence()
            for byte in line { evidence.add(byte) }
            return evidence.isWideUTF8
        }
    }

    /// Appends a slice to what is converted.
    ///
    /// - Parameter isWhole: whether nothing follows, so that half a character is none.
    /// - Returns: how many bytes were used.
    private func convert(_ slice: ArraySlice<UInt8>, isWhole: Bool) -> Int {
        var position = slice.startIndex
        while position < slice.endIndex {
            let written = converted.count
            // Two bytes become three at most, four stay four.
            let room = (slice.endIndex - position) * 2 + 16
            converted += repeatElement(0, count: room)
            let result = Self.convert(converter, slice[position...], into: &converted, at: written)
            converted.removeLast(room - result.written)
            position += result.read
            guard result.code == EILSEQ || (result.code == EINVAL && isWhole) else {
                if result.code == EINVAL { break }
                continue
            }
            converted.append(Self.invalid)
            position +=
                encoding == .utf16LittleEndian || encoding == .utf16BigEndian ? min(2, slice.endIndex - position) : 1
        }
        return position - slice.startIndex
    }

    private static func convert(
        _ converter: OpaquePointer, _ input: ArraySlice<UInt8>, into output: inout [UInt8], at offset: Int
    ) -> (code: Int32, read: Int, written: Int) {
        let room = output.count - offset
        return input.withUnsafeBytes { input in
            output.withUnsafeMutableBytes { output in
                var source = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                var target = output.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
                var (left, space) = (input.count, room)
                let code = ficonv_convert(converter, &source, &left, &target, &space)
                return (code, input.count - left, room - space)
            }
        }
    }
}
