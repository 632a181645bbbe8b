import Foundation
import Testing
import Zstandard

@Suite struct `Compressed bytes` {
    private let compressor = ZstandardCompressor()

    @Test(arguments: [0, 1, 100, 70_000, 20 << 20]) func `come back as they were`(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3 ^ $0 >> 9) }
        #expect(try inflated(try compressor.compress(bytes), limit: count) == bytes)
    }

    @Test func `may have as many bytes as the limit and not one more`() throws {
        let frame = try compressor.compress([UInt8](repeating: 7, count: 1_000))
        #expect(try inflated(frame, limit: 1_000).count == 1_000)
        #expect(throws: ZstandardError.tooLarge(limit: 999)) { try inflated(frame, limit: 999) }
    }

    @Test func `of a bomb that declares 10 GiB are refused before anything is reserved`() {
        #expect(throws: ZstandardError.tooLarge(limit: 64 << 20)) {
            try inflated(frame(declares: 10 << 30, blocks: 81_920), limit: 64 << 20)
        }
        #expect(throws: ZstandardError.tooLarge(limit: 64 << 20)) {
            try inflated(frame(declares: .max - 2, blocks: 1), limit: 64 << 20)
        }
    }

    @Test func `of a bomb that declares nothing are refused at the limit`() {
        let bomb = frame(declares: nil, blocks: 81_920)
        #expect(bomb.count < 400_000)
        #expect(throws: ZstandardError.tooLarge(limit: 1_000)) { try inflated(bomb, limit: 1_000) }
        #expect(throws: ZstandardError.tooLarge(limit: 64 << 20)) { try inflated(bomb, limit: 64 << 20) }
    }

    @Test func `of a frame that declares less or more than it holds are refused`() {
        #expect(isRefused(frame(declares: 1_000, blocks: 1), limit: 1 << 20))
        #expect(isRefused(frame(declares: 1 << 18, blocks: 1), limit: 1 << 20))
        #expect(!isRefused(frame(declares: 1 << 17, blocks: 1), limit: 1 << 20))
    }

    @Test func `that want a window of more than 8 MiB are refused`() throws {
        #expect(try inflated(frame(declares: nil, blocks: 1, windowLog: 23), limit: 1 << 20).count == 1 << 17)
        for windowLog: UInt8 in [24, 27, 31, 41] {
            #expect(isRefused(frame(declares: nil, blocks: 1, windowLog: windowLog), limit: 1 << 20))
        }
    }

    @Test func `are refused wherever they are cut`() throws {
        let frame = try compressor.compress(Array("工单".utf8) + [UInt8](repeating: 1, count: 300))
        for length in 0..<frame.count { #expect(isRefused(Array(frame.prefix(length)), limit: 1_000), "\(length)") }
    }

    @Test func `are refused with any bit flipped`() throws {
        let frame = try compressor.compress((0..<600).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        for bit in 0..<frame.count * 8 {
            var flipped = frame
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let output = try? inflated(flipped, limit: 600)
            // Two bits of a frame's header mean nothing to the reader (RFC 8878, 3.1.1.1.1.3).
            #expect(output == nil || output == (try? inflated(frame, limit: 600)), "bit \(bit)")
        }
    }

    @Test func `are refused with anything behind the frame`() throws {
        let frame = try compressor.compress([1, 2, 3])
        #expect(throws: ZstandardError.corrupt("bytes behind the frame")) { try inflated(frame + [0], limit: 10) }
        #expect(isRefused(frame + frame, limit: 10))
    }

    @Test func `of nothing, of chance and of another format are refused`() {
        #expect(isRefused([], limit: 10))
        #expect(isRefused([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], limit: 10))
        var state: UInt64 = 1
        for _ in 0..<2_000 {
            let garbage = (0..<64).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            }
            #expect(isRefused(magic + garbage, limit: 100_000))
        }
    }

    private let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    /// A frame of blocks of 128 KiB zeros, four bytes each, made by hand (RFC 8878, 3.1.1).
    private func frame(declares size: UInt64?, blocks: Int, windowLog: UInt8 = 17) -> [UInt8] {
        // Bits 6 and 7: whether eight bytes of content size follow.
        var bytes = magic + [size == nil ? 0x00 : 0xc0, (windowLog - 10) << 3]
        if let size { withUnsafeBytes(of: size.littleEndian) { bytes.append(contentsOf: $0) } }
        for index in 0..<blocks {
            // Last block, type 1 (run length), size.
            let header: UInt32 = (index == blocks - 1 ? 1 : 0) | 1 << 1 | 1 << 20
            withUnsafeBytes(of: header.littleEndian) { bytes.append(contentsOf: $0.prefix(3)) }
            bytes.append(0)
        }
        return bytes
    }

    private func inflated(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try zstandardDecompress($0, limit: limit) }
    }

    private func isRefused(_ bytes: [UInt8], limit: Int) -> Bool {
        do {
            _ = try inflated(bytes, limit: limit)
            return false
        } catch {
            return error is ZstandardError
        }
    }
}
