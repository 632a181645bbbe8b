/// An identity that nobody has to hand out: 48 bits of milliseconds and 80 bits of chance, in Crockford's Base32, so that
/// sorting by text is sorting by time (https://github.com/ulid/spec).
package struct ULID: Hashable, Sendable, CustomStringConvertible {
    private let milliseconds: UInt64
    private let high: UInt16
    private let low: UInt64

    /// - Parameter now: before 1970 counts as 1970; beyond 48 bits the upper ones are lost.
    package init(now: UnixMilliseconds, using chance: inout some RandomNumberGenerator) {
        milliseconds = UInt64(max(0, now)) & 0xffff_ffff_ffff
        high = chance.next()
        low = chance.next()
    }

    /// 26 characters.
    package var description: String {
        var letters = [UInt8](repeating: 0, count: 26)
        var time = milliseconds
        for index in stride(from: 9, through: 0, by: -1) {
            letters[index] = Self.alphabet[Int(time & 31)]
            time >>= 5
        }
        var (rest, carry) = (low, UInt64(high))
        for index in stride(from: 25, through: 10, by: -1) {
            letters[index] = Self.alphabet[Int(rest & 31)]
            rest = rest >> 5 | (carry & 31) << 59
            carry >>= 5
        }
        return String(decoding: letters, as: UTF8.self)
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
