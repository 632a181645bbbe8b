import FederationModel
import Foundation

/// A file taken apart into pieces that mean something to its reader, so that what is made of them gets past the first check.
struct Mutation {
    private(set) var draw: SplitMix64

    init(seed: UInt64) { draw = SplitMix64(seed: seed) }

    mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(draw.next() % UInt64(bound)) }

    /// - Parameter foreign: pieces that may stand where they do not belong.
    mutating func apply(to pieces: [[UInt8]], foreign: [[UInt8]]) -> [UInt8] {
        var pieces = pieces
        for _ in 0..<(1 + below(6)) where !pieces.isEmpty {
            let at = below(pieces.count)
            let end = min(pieces.count, at + 1 + below(12))
            switch below(8) {
            case 0: pieces.removeSubrange(at..<end)
            case 1: pieces.insert(contentsOf: pieces[at..<end], at: below(pieces.count))
            case 2: pieces.swapAt(at, below(pieces.count))
            case 3: pieces[at] = pieces[below(pieces.count)]
            case 4: pieces[at] = foreign[below(foreign.count)]
            case 5: pieces.insert(foreign[below(foreign.count)], at: at)
            case 6: pieces.insert(contentsOf: repeatElement(pieces[at], count: 1 << below(12)), at: at)
            default: pieces.removeLast(min(pieces.count - 1, below(pieces.count / 2)))
            }
        }
        return Array(pieces.joined())
    }

    /// Some bytes overwritten, those of the beginning by preference: they hold the places of everything else.
    mutating func overwrite(_ bytes: [UInt8], in range: Range<Int>? = nil) -> [UInt8] {
        var bytes = bytes
        let range = range ?? 0..<(below(2) == 0 ? bytes.count : min(bytes.count, 2_048))
        for _ in 0..<(1 + below(8)) where !range.isEmpty {
            bytes[range.lowerBound + below(range.count)] =
                [0, 1, 0xFF, 0xFE, 0x7F, 0x80, UInt8(truncatingIfNeeded: draw.next())][below(7)]
        }
        return bytes
    }

    /// Words, and each byte of punctuation alone.
    static func words(_ bytes: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var word: [UInt8] = []
        for byte in bytes {
            let isWord = byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
            if isWord {
                word.append(byte)
            } else {
                if !word.isEmpty { pieces.append(word) }
                word = []
                pieces.append([byte])
            }
        }
        return word.isEmpty ? pieces : pieces + [word]
    }

    /// Tags, and the texts between them.
    static func tags(_ bytes: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        for byte in bytes {
            if byte == UInt8(ascii: "<"), pieces.last?.isEmpty == false { pieces.append([]) }
            pieces[pieces.count - 1].append(byte)
            if byte == UInt8(ascii: ">") { pieces.append([]) }
        }
        return pieces
    }

    /// Lines with their ends.
    static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        for byte in bytes {
            pieces[pieces.count - 1].append(byte)
            if byte == 0x0A { pieces.append([]) }
        }
        return pieces
    }

    /// Where the records of an `.xls` lie in it, as far as they follow each other; each has four bytes of kind and length.
    static func records(ofWorkbook bytes: [UInt8]) -> [Range<Int>] {
        // The workbook's stream begins with the record BOF of BIFF8 at the start of a sector.
        guard
            var at = stride(from: 512, to: bytes.count, by: 512).first(where: {
                Array(bytes[$0..<min($0 + 6, bytes.count)]) == [0x09, 0x08, 0x10, 0x00, 0x00, 0x06]
            })
        else { return [] }
        var records: [Range<Int>] = []
        while at + 4 <= bytes.count {
            let end = at + 4 + Int(bytes[at + 2]) + Int(bytes[at + 3]) << 8
            guard end <= bytes.count, end > at + 4 || bytes[at] != 0 else { break }
            records.append(at..<end)
            at = end
        }
        return records
    }
}
