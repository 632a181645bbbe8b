import FederationModel
import Testing

@Suite struct `A ticket number` {
    private let day = CivilDate.dayNumber(year: 2025, month: 9, day: 30)

    @Test func `is 23 digits with a check digit (2.6)`() throws {
        let number = try #require(TicketNumber(region: "370100", dayNumber: day, channel: "01", sequence: 123))
        #expect(number.description == "37010020250930010001234")
        #expect(TicketNumber("37010020250930010001234") == number)
    }

    @Test func `survives text and back`() throws {
        var chance = SplitMix64(seed: 26)
        for _ in 0..<1_000 {
            let number = try #require(
                TicketNumber(
                    region: "\(Int.random(in: 110_000...659_999, using: &chance))",
                    dayNumber: Int64.random(in: 0...40_000, using: &chance),
                    channel: "\(Int.random(in: 10...19, using: &chance))",
                    sequence: Int.random(in: TicketNumber.sequences, using: &chance)))
            #expect(TicketNumber(number.description) == number)
        }
    }

    /// ISO 7064 MOD 11,10 finds every single wrong digit.
    @Test func `with one wrong digit is none`() {
        let right = Array("37010020250930010001234".utf8)
        for position in right.indices {
            for digit in UInt8(ascii: "0")...UInt8(ascii: "9") where digit != right[position] {
                var wrong = right
                wrong[position] = digit
                #expect(TicketNumber(String(decoding: wrong, as: UTF8.self)) == nil)
            }
        }
    }

    @Test(arguments: [
        "", "370100", "3701002025093001000123", "370100202509300100012344", "3701002025093001000123x",
        "３７０１００２０２５０９３００１０００１２３４", "37010020250930010001234 ", "-7010020250930010001234",
    ])
    func `in another shape is none`(text: String) {
        #expect(TicketNumber(text) == nil)
    }

    /// Their check digits are right.
    @Test(arguments: [("20250230", "000001"), ("20251301", "000001"), ("20250930", "000000")])
    func `of a day or a sequence that does not exist is none`(day: String, sequence: String) {
        let texts = (0...9).map { "370100\(day)01\(sequence)\($0)" }
        #expect(texts.allSatisfy { TicketNumber($0) == nil })
    }

    @Test func `has no place for what exceeds its digits`() {
        func make(region: String = "370100", day: Int64? = nil, channel: String = "01", sequence: Int = 1)
            -> TicketNumber?
        {
            TicketNumber(region: region, dayNumber: day ?? self.day, channel: channel, sequence: sequence)
        }
        #expect(make() != nil)
        #expect(make(region: "37010") == nil && make(region: "37010x") == nil)
        #expect(make(day: .max) == nil && make(day: .min) == nil)
        #expect(make(channel: "1") == nil && make(channel: "电话") == nil)
        #expect(make(sequence: 0) == nil && make(sequence: 1_000_000) == nil)
        #expect(make(sequence: 999_999)?.description.utf8.count == 23)
    }
}

@Suite struct `A ULID` {
    @Test func `writes time and chance as the specification says`() {
        var ones = Repeating(value: .max)
        #expect(ULID(now: 281_474_976_710_655, using: &ones).description == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        var zeros = Repeating(value: 0)
        #expect(ULID(now: 0, using: &zeros).description == "00000000000000000000000000")
        #expect(ULID(now: -5, using: &zeros).description == "00000000000000000000000000")
        // The example of the specification.
        #expect(ULID(now: 1_469_918_176_385, using: &zeros).description.hasPrefix("01ARYZ6S41"))
    }

    @Test func `sorts by time and does not come twice`() {
        var chance = SplitMix64(seed: 1)
        let made = (0..<10_000).map { ULID(now: 1_790_000_000_000 + Int64($0 / 100), using: &chance).description }
        #expect(Set(made).count == made.count)
        #expect(made.allSatisfy { $0.utf8.count == 26 })
        let early = ULID(now: 1_790_000_000_000, using: &chance).description
        #expect(early < ULID(now: 1_790_000_000_001, using: &chance).description)
    }

    private struct Repeating: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }
}
