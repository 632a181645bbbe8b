import Testing
import Zstandard

@Suite struct `Compressed bytes` {
    private func decompress(_ bytes: [UInt8], limit: Int) -> Result<[UInt8], ZstandardError> {
        bytes.withUnsafeBytes { bytes in
            do throws(ZstandardError) {
                return .success(try zstandardDecompress(bytes, limit: limit))
            } catch {
                return .failure(error)
            }
        }
    }

    private let text = Array(String(repeating: "解放东路供热温度不达标。", count: 500).utf8)

    @Test(arguments: [0, 1, 5, 12_000]) func `come back as they were`(count: Int) throws {
        let bytes = Array(text.prefix(count))
        let packed = try ZstandardCompressor().compress(bytes)
        #expect(decompress(packed, limit: count) == .success(bytes))
    }

    @Test func `are refused above the limit, whatever they announce`() throws {
        let packed = try ZstandardCompressor().compress([UInt8](repeating: 0, count: 64 << 20))
        #expect(packed.count < 10_000, "a bomb")
        #expect(decompress(packed, limit: 1_000) == .failure(.tooLarge(limit: 1_000)))
        let exact = try ZstandardCompressor().compress(text)
        #expect(decompress(exact, limit: text.count - 1) == .failure(.tooLarge(limit: text.count - 1)))
    }

    /// A frame without a content size: a run-length block of 128 KiB of zeros, many times. RFC 8878, section 3.1.1.
    @Test func `that announce no size are stopped at the limit`() {
        var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]
        for _ in 0..<1_000 { frame += [0x02, 0x00, 0x10, 0x00] }
        frame += [0x03, 0x00, 0x10, 0x00]
        #expect(decompress(frame, limit: 1 << 20) == .failure(.tooLarge(limit: 1 << 20)))
    }

    @Test func `that want a window of gigabytes are refused`() {
        guard
            case .failure(.corrupt) = decompress(
                [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00], limit: 1 << 20)
        else {
            Issue.record("accepted")
            return
        }
    }

    @Test func `that are cut, changed or followed by others are refused`() throws {
        let packed = try ZstandardCompressor().compress(text)
        for length in 0..<packed.count {
            guard case .failure = decompress(Array(packed.prefix(length)), limit: text.count) else {
                Issue.record("accepted with \(length) bytes")
                return
            }
        }
        for position in packed.indices {
            var changed = packed
            changed[position] ^= 0x10
            if case .success(let bytes) = decompress(changed, limit: text.count) {
                #expect(bytes == text, "\(position)")
            }
        }
        #expect(decompress(packed + [0], limit: text.count) == .failure(.corrupt("bytes behind the frame")))
    }
}
