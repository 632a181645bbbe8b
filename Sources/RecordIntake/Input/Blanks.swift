/// Cuts off what people and spreadsheets leave around a value: ASCII blanks and control characters, no-break blank,
/// ideographic blank, zero-width blank and byte order mark.
func trimmingBlanks(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var rest = bytes[...]
    while let first = rest.first {
        if first <= 0x20 {
            rest = rest.dropFirst()
        } else if let blank = wideBlanks.first(where: { rest.starts(with: $0) }) {
            rest = rest.dropFirst(blank.count)
        } else {
            break
        }
    }
    while let last = rest.last {
        if last <= 0x20 {
            rest = rest.dropLast()
        } else if last >= 0x80, let blank = wideBlanks.first(where: { rest.suffix($0.count).elementsEqual($0) }) {
            rest = rest.dropLast(blank.count)
        } else {
            break
        }
    }
    return UnsafeBufferPointer(rebasing: rest)
}

/// UTF-8 of U+00A0, U+3000, U+200B and U+FEFF.
private let wideBlanks: [[UInt8]] = [
    [0xC2, 0xA0], [0xE3, 0x80, 0x80], [0xE2, 0x80, 0x8B], [0xEF, 0xBB, 0xBF],
]
