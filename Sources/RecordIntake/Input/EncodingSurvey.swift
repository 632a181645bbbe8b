import ConfigurationFiles
import Foundation

/// Decides the encoding of a file that does not say it, from every byte of it.
///
/// Line by line, because one damaged line must not turn a whole file into another encoding. A line beyond ASCII speaks for
/// UTF-8 when it is that, for GB18030 when it is that and not UTF-8 and looks like Chinese, else for neither. GB18030 takes
/// almost any pair of bytes (an English `didn’t` in code page 1252 among them), so a file is GB18030 only when more lines
/// speak for it than for UTF-8 and than for neither. Otherwise it is UTF-8, and lines that are not are refused when read.
struct EncodingSurvey {
    /// Bytes of a file that are NUL, at even and at odd places: in UTF-16 one of both is frequent, in other text there is none.
    private var evenNULs = 0
    private var oddNULs = 0
    private var bytes = 0

    private var utf8Lines = 0
    private var gb18030Lines = 0
    private var otherLines = 0

    private var line = LineEvidence()
    /// Whether a line feed was the last that was seen.
    private var isAtLineStart = true

    mutating func add(_ piece: UnsafeRawBufferPointer) {
        var position = 0
        while position < piece.count {
            if isAtLineStart {
                position = endOfUTF8Lines(piece, from: position)
                guard position < piece.count else { break }
                isAtLineStart = false
            }
            // Most of a file is ASCII: eight bytes at a time until a line goes beyond it.
            if !line.isBeyondASCII {
                while position + 8 <= piece.count {
                    let word = piece.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    guard word & 0x8080_8080_8080_8080 == 0,
                        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 == 0
                    else { break }
                    position += 8
                }
                guard position < piece.count else { break }
            }
            let byte = piece[position]
            if byte == 0 {
                if (bytes + position) % 2 == 0 { evenNULs += 1 } else { oddNULs += 1 }
            }
            if byte == 0x0A || byte == 0x0D { endLine() } else { line.add(byte) }
            isAtLineStart = byte == 0x0A
            position += 1
        }
        bytes += piece.count
    }

    /// Whole lines of UTF-8, as nearly all are, the standard library tells from others many bytes at a time.
    ///
    /// - Returns: where they end: at a line that is not whole or something else, or at the end of the piece.
    private mutating func endOfUTF8Lines(_ piece: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < piece.count, let first = piece.baseAddress?.advanced(by: position),
            let end = memchr(first, 0x0A, piece.count - position)
        {
            let length = first.distance(to: UnsafeRawPointer(end))
            // Old Macintoshes ended lines with a carriage return alone; the one of `\r\n` is the last byte.
            guard memchr(first, 0, length) == nil, memchr(first, 0x0D, max(0, length - 1)) == nil,
                let text = try? UTF8Span(
                    validating: Span(_unsafeBytes: UnsafeRawBufferPointer(start: first, count: length)))
            else { break }
            if !text.isKnownASCII { utf8Lines += 1 }
            position += length + 1
        }
        return position
    }

    private mutating func endLine() {
        if line.isBeyondASCII {
            switch line.verdict {
            case .utf8?: utf8Lines += 1
            case .gb18030?: gb18030Lines += 1
            default: otherLines += 1
            }
        }
        line = LineEvidence()
    }

    private func isUTF16(nuls: Int, others: Int) -> Bool {
        nuls >= 8 && nuls * 10 >= bytes / 2 && others * 20 <= nuls
    }

    /// What the file is; call it once, at its end.
    mutating func decision() -> TextEncoding {
        endLine()
        // At least one unit in ten is ASCII: commas, digits, line ends. The other half of the bytes has next to no NUL.
        if isUTF16(nuls: oddNULs, others: evenNULs) { return .utf16LittleEndian }
        if isUTF16(nuls: evenNULs, others: oddNULs) { return .utf16BigEndian }
        return gb18030Lines > utf8Lines && gb18030Lines > otherLines ? .gb18030 : .utf8
    }
}

/// What the bytes of one line speak for.
struct LineEvidence {
    private(set) var isBeyondASCII = false
    private var utf8 = UTF8Check()
    private var gb18030 = GB18030Check()

    mutating func add(_ byte: UInt8) {
        if byte >= 0x80 { isBeyondASCII = true }
        utf8.add(byte)
        gb18030.add(byte)
    }

    var verdict: TextEncoding? {
        if utf8.isValid { return .utf8 }
        return gb18030.isChinese ? .gb18030 : nil
    }

    /// Whether it is UTF-8 with a character of three bytes or more, as Chinese has. GB18030 looks like that next to never, but
    /// often like UTF-8 with characters of two.
    var isWideUTF8: Bool { utf8.isValid && utf8.hasWideCharacter }
}

/// Checks UTF-8 byte by byte (RFC 3629).
private struct UTF8Check {
    private var isBroken = false
    private var missing = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF
    private(set) var hasWideCharacter = false

    var isValid: Bool { !isBroken && missing == 0 }

    mutating func add(_ byte: UInt8) {
        if isBroken { return }
        if missing > 0 {
            guard allowed.contains(byte) else {
                isBroken = true
                return
            }
            allowed = 0x80...0xBF
            missing -= 1
            return
        }
        switch byte {
        case 0x00...0x7F: return
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF:
            missing = 2
            hasWideCharacter = true
            if byte == 0xE0 { allowed = 0xA0...0xBF }
            if byte == 0xED { allowed = 0x80...0x9F }
        case 0xF0...0xF4:
            missing = 3
            hasWideCharacter = true
            if byte == 0xF0 { allowed = 0x90...0xBF }
            if byte == 0xF4 { allowed = 0x80...0x8F }
        default: isBroken = true
        }
    }
}

/// Checks GB18030 byte by byte, and whether it looks like Chinese.
private struct GB18030Check {
    private var isBroken = false
    /// The first byte of the character that is being read, and how many were read of it.
    private var lead: UInt8 = 0
    private var count = 0
    /// Characters that GB 2312 has too: nearly all of any Chinese text, and few of what other encodings look like.
    private var usual = 0
    private var unusual = 0

    /// Whether four of five characters beyond ASCII are those of GB 2312.
    var isChinese: Bool { !isBroken && count == 0 && usual > 0 && usual >= 4 * unusual }

    mutating func add(_ byte: UInt8) {
        if isBroken { return }
        switch count {
        case 0:
            if byte < 0x80 { return }
            if byte == 0x80 || byte == 0xFF { isBroken = true }
            (lead, count) = (byte, 1)
        case 1:
            switch byte {
            case 0x30...0x39: count = 2
            case 0x40...0x7E, 0x80...0xFE:
                if byte >= 0xA1, (0xA1...0xA9).contains(lead) || (0xB0...0xF7).contains(lead) {
                    usual += 1
                } else {
                    unusual += 1
                }
                count = 0
            default: isBroken = true
            }
        case 2:
            if (0x81...0xFE).contains(byte) { count = 3 } else { isBroken = true }
        default:
            if (0x30...0x39).contains(byte) { unusual += 1 } else { isBroken = true }
            count = 0
        }
    }
}
