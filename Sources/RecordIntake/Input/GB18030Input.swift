import CIconvShim
import FederationModel
import Glibc

/// GB18030 (GB 18030-2022) as UTF-8, converted piece by piece by glibc's iconv. Older systems of hotlines write it.
final class GB18030Input: ByteInput {
    private let base: any ByteInput
    private let converter: OpaquePointer
    private var piece = [UInt8](repeating: 0, count: 64 << 10)
    /// Bytes of the file that have not been converted: the beginning of a character, at most, between two pieces.
    private var bytes: [UInt8] = []
    /// A piece takes at most half as much again in UTF-8: two bytes become three at most, four stay four.
    private var converted = [UInt8](repeating: 0, count: 128 << 10)
    private var ready = 0..<0
    private var isAtEnd = false

    /// - Throws: `E_IMPORT_READ` on a system that does not know the encoding.
    init(_ base: any ByteInput, path: String) throws {
        guard let converter = ficonv_open("UTF-8", "GB18030") else {
            throw FederationError(
                "E_IMPORT_READ", "\(path) is GB18030, which this system does not know",
                hint: "convert it to UTF-8 first")
        }
        self.base = base
        self.converter = converter
    }

    deinit { ficonv_close(converter) }

    /// Whether a sample, which may end inside a character, is GB18030.
    static func canRead(_ sample: ArraySlice<UInt8>) -> Bool {
        guard let converter = ficonv_open("UTF-8", "GB18030") else { return false }
        defer { ficonv_close(converter) }
        var output = [UInt8](repeating: 0, count: sample.count * 2 + 16)
        let code = convert(converter, sample, into: &output, at: 0).code
        return code == 0 || code == EINVAL
    }

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
        var position = 0
        var written = 0
        while position < bytes.count {
            let result = Self.convert(converter, bytes[position...], into: &converted, at: written)
            position += result.read
            written += result.written
            // What is no character stays what it is: its row is refused, with its number, and the others are read.
            guard result.code == EILSEQ || (result.code == EINVAL && isAtEnd), written < converted.count else { break }
            converted[written] = 0xff
            written += 1
            position += 1
        }
        bytes.removeFirst(position)
        ready = 0..<written
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
