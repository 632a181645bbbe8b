/// The records of a workbook's stream ([MS-XLS], 2.1.4), one after the other.
struct BIFFRecords {
    enum Kind {
        static let formula: UInt16 = 0x0006
        static let end: UInt16 = 0x000A
        static let dateMode: UInt16 = 0x0022
        static let password: UInt16 = 0x002F
        static let continuation: UInt16 = 0x003C
        static let sheet: UInt16 = 0x0085
        static let numbers: UInt16 = 0x00BD
        static let richText: UInt16 = 0x00D6
        static let cellFormat: UInt16 = 0x00E0
        static let sharedTexts: UInt16 = 0x00FC
        static let sharedText: UInt16 = 0x00FD
        static let number: UInt16 = 0x0203
        static let label: UInt16 = 0x0204
        static let boolean: UInt16 = 0x0205
        static let text: UInt16 = 0x0207
        static let shortNumber: UInt16 = 0x027E
        static let format: UInt16 = 0x041E
        static let beginning: UInt16 = 0x0809
    }

    private let stream: [UInt8]
    private(set) var position: Int

    init(_ stream: [UInt8], at position: Int) {
        self.stream = stream
        self.position = position
    }

    /// The next record, with the pieces that continue it; nil where the stream ends or is cut.
    mutating func next() -> (kind: UInt16, pieces: [ArraySlice<UInt8>])? {
        guard let first = record() else { return nil }
        var pieces = [first.bytes]
        while position + 4 <= stream.count, stream.u16(position) == Kind.continuation, let more = record() {
            pieces.append(more.bytes)
        }
        return (first.kind, pieces)
    }

    private mutating func record() -> (kind: UInt16, bytes: ArraySlice<UInt8>)? {
        guard position >= 0, position + 4 <= stream.count else { return nil }
        let start = position + 4
        let end = start + Int(stream.u16(position + 2))
        guard end <= stream.count else { return nil }
        defer { position = end }
        return (stream.u16(position), stream[start..<end])
    }
}

/// Reads the texts of a record that may go on in others ([MS-XLS], 2.5.293 and 2.5.294).
struct BIFFTexts {
    private let pieces: [ArraySlice<UInt8>]
    private var piece = 0
    private var offset: Int

    init(_ pieces: [ArraySlice<UInt8>], at offset: Int) {
        self.pieces = pieces
        self.offset = offset
    }

    /// - Parameter shortLength: whether the length has one byte.
    /// - Returns: nil when the record ends before the text does.
    mutating func next(shortLength: Bool = false) -> String? {
        guard let low = byte(), let high = shortLength ? 0 : byte(), let flags = byte() else { return nil }
        var left = Int(low) | Int(high) << 8
        var isWide = flags & 1 != 0
        var after = 0
        if flags & 8 != 0 {
            guard let low = byte(), let high = byte() else { return nil }
            after += 4 * (Int(low) | Int(high) << 8)
        }
        if flags & 4 != 0 {
            let length = (0..<4).map { _ in Int(byte() ?? 0) }
            after += length.enumerated().reduce(0) { $0 | $1.element << (8 * $1.offset) }
        }
        var units: [UInt16] = []
        while left > 0 {
            if offset >= pieces[piece].count {
                // A text that goes on in the next record says anew how wide it is.
                guard goOn(), let flags = byte() else { return nil }
                isWide = flags & 1 != 0
            }
            guard let low = byte(), let high = isWide ? byte() : 0 else { return nil }
            units.append(UInt16(low) | UInt16(high) << 8)
            left -= 1
        }
        skip(after)
        return String(decoding: units, as: UTF16.self)
    }

    private mutating func byte() -> UInt8? {
        while offset >= pieces[piece].count { guard goOn() else { return nil } }
        defer { offset += 1 }
        return pieces[piece][pieces[piece].startIndex + offset]
    }

    private mutating func goOn() -> Bool {
        guard piece + 1 < pieces.count else { return false }
        piece += 1
        offset = 0
        return true
    }

    private mutating func skip(_ count: Int) {
        var left = count
        while left > 0 {
            let step = min(left, pieces[piece].count - offset)
            offset += step
            left -= step
            if left > 0, !goOn() { return }
        }
    }
}
