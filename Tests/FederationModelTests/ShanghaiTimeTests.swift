import FederationModel
import Foundation
import Testing

@Suite struct `Times of Asia Shanghai` {
    @Test(
        arguments: [
            (0, "1970-01-01T08:00:00.000+08:00"), (-1, "1970-01-01T07:59:59.999+08:00"),
            (-28_800_000, "1970-01-01T00:00:00.000+08:00"), (-28_800_001, "1969-12-31T23:59:59.999+08:00"),
            (583_686_000_000, "1988-07-01T00:00:00.000+09:00"),
            (1_709_136_000_000, "2024-02-29T00:00:00.000+08:00"), (1_709_222_399_999, "2024-02-29T23:59:59.999+08:00"),
            (951_753_600_000, "2000-02-29T00:00:00.000+08:00"), (-2_203_920_000_000, "1900-03-01T00:00:00.000+08:00"),
            (-2_203_920_000_001, "1900-02-28T23:59:59.999+08:00"), (1_759_197_720_000, "2025-09-30T10:02:00.000+08:00"),
        ] as [(UnixMilliseconds, String)])
    func `are written as clocks in China show them`(time: UnixMilliseconds, text: String) {
        #expect(ShanghaiTime.rfc3339(time) == text)
        #expect(ShanghaiTime.parse(text) == time)
        #expect(ShanghaiTime.second(time) == text.prefix(19).replacing("T", with: " "))
        #expect(ShanghaiTime.minute(time) == text.prefix(16).replacing("T", with: " "))
    }

    @Test func `agree with the system's calendar`() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Shanghai"))
        let style = Date.ISO8601FormatStyle(timeZone: zone).year().month().day()
        var random = SplitMix64(seed: 1)
        for _ in 0..<2_000 {
            // Before 1901 Foundation goes by the sun.
            let time = UnixMilliseconds.random(in: -2_177_452_800_000...253_402_271_999_999, using: &random)
            let text = ShanghaiTime.rfc3339(time)
            let date = Date(timeIntervalSince1970: (Double(time) / 1_000).rounded(.down))
            #expect(text.prefix(10) == date.formatted(style))
            #expect(ShanghaiTime.parse(text) == time)
        }
    }

    @Test func `around each change of the clocks are what the system's calendar shows`() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Shanghai"))
        for change in ShanghaiTime.summers.flatMap({ [$0.lowerBound, $0.upperBound] }) {
            for time in [change - 1, change, change + 1, change - 3_600_000, change + 3_600_000] {
                let date = Date(timeIntervalSince1970: (Double(time) / 1_000).rounded(.down))
                #expect(ShanghaiTime.offset(at: time) == Int64(zone.secondsFromGMT(for: date)) * 1_000)
                #expect(ShanghaiTime.parse(ShanghaiTime.rfc3339(time)) == time)
            }
        }
        #expect(ShanghaiTime.lastSummerEnd == ShanghaiTime.summers.last?.upperBound)
    }

    @Test func `on clocks in China are read by what these showed then`() {
        #expect(ShanghaiTime.parseLocal("2025-09-30 10:02:00") == 1_759_197_720_000)
        #expect(ShanghaiTime.parseLocal("1988-07-01 00:30:00") == 583_687_800_000)
        #expect(ShanghaiTime.parseLocal("2025-09-30 10:02:00+08:00") == nil)
        // Clocks passed over 02:30, and showed 01:30 twice.
        #expect(ShanghaiTime.parseLocal("1986-05-04 02:30:00").map(ShanghaiTime.second) == "1986-05-04 03:30:00")
        #expect(ShanghaiTime.parseLocal("1986-09-14 01:30:00") == 527_013_000_000)
    }

    /// Rows of a neighbour may hold any number as a time.
    @Test func `have a text at the edge of what there is`() {
        for time in [Int64.min, .min + 1, .max - ShanghaiTime.offset, .max] {
            #expect(ShanghaiTime.rfc3339(time).hasSuffix("+08:00"))
            #expect(!ShanghaiTime.minute(time).isEmpty)
        }
    }

    @Test func `count every day once, leap years and centuries included`() {
        var previous = ""
        for day in -146_097...146_097 {
            let text = String(ShanghaiTime.rfc3339(Int64(day) * 86_400_000).prefix(10))
            // An #expect for each of 292,195 days would take seconds.
            let midnight = ShanghaiTime.parse(text) ?? 0
            guard text > previous, midnight == ShanghaiTime.midnight(ofDay: Int64(day)),
                ShanghaiTime.dayNumber(midnight) == Int64(day), ShanghaiTime.dayNumber(midnight - 1) == Int64(day) - 1
            else {
                Issue.record("\(previous) is followed by \(text)")
                return
            }
            previous = text
        }
        #expect(ShanghaiTime.parse("2000-02-29") != nil)
        for year in ["1900", "2023", "2025", "2100"] { #expect(ShanghaiTime.parse("\(year)-02-29") == nil) }
    }

    @Test(
        arguments: [
            ("2025-09-30T02:02:00Z", 0), ("2025-09-30T02:02:00.0z", 0), ("2025-09-30 10:02:00+08:00", 0),
            ("2025-09-29T22:02:00-04:00", 0), ("2025-09-30T02:02:00.5+00:00", 500), ("2025-09-30T02:02:00.1239Z", 123),
            ("2025-09-30T02:02:00.12345678901234567890Z", 123), ("2025-10-01T01:32:00.001+23:30", 1),
        ] as [(String, UnixMilliseconds)])
    func `are read with any offset`(text: String, milliseconds: UnixMilliseconds) {
        #expect(ShanghaiTime.parse(text) == 1_759_197_720_000 + milliseconds)
    }

    @Test(arguments: [
        "", " ", "2025", "2025-09", "2025-9-30", "2025-13-01", "2025-00-01", "2025-01-00", "2025-01-32", "2025-04-31",
        "2025/09/30", "20250930", "-025-09-30", "+025-09-30", "2025-09-30 ", " 2025-09-30", "2025-09-30T", "２０２５-09-30",
        "2025-09-30T10:02", "2025-09-30T10:02:00", "2025-09-30T24:00:00Z", "2025-09-30T10:60:00Z",
        "2025-09-30T10:02:60Z", "2025-09-30T10:02:00.Z", "2025-09-30T10:02:00,5Z", "2025-09-30T10-02-00Z",
        "2025-09-30T10:02:00+8:00", "2025-09-30T10:02:00+0800", "2025-09-30T10:02:00+24:00",
        "2025-09-30T10:02:00+08:60",
        "2025-09-30T10:02:00ZZ", "2025-09-30T10:02:00 Z", "2025-09-30t10:02:00Z", "2025-09-30T1a:02:00Z", "二〇二五-09-30",
        "2025-09-30T10:02:00\u{0}", "9999999999-01-01", String(repeating: "2025-09-30", count: 1_000),
    ])
    func `are nothing else`(text: String) {
        #expect(ShanghaiTime.parse(text) == nil)
    }

    @Test func `read no random text by accident`() {
        let alphabet = Array("0123456789-:TZ+. \u{e9}".unicodeScalars)
        var random = SplitMix64(seed: 7)
        for _ in 0..<5_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                text.append(alphabet[Int.random(in: alphabet.indices, using: &random)])
            }
            guard let time = ShanghaiTime.parse(String(text)) else { continue }
            #expect(ShanghaiTime.parse(ShanghaiTime.rfc3339(time)) == time)
        }
    }
}

@Suite struct `A hybrid time` {
    @Test func `follows the clock when that has moved on`() {
        let time = HybridTime(milliseconds: 1_000, counter: 5)
        #expect(time.next(now: 1_001) == HybridTime(milliseconds: 1_001, counter: 0))
        #expect(time.next(now: 1_000) == HybridTime(milliseconds: 1_000, counter: 6))
    }

    @Test func `never goes back and never repeats, whatever the clock does`() {
        var random = SplitMix64(seed: 3)
        var time = HybridTime(milliseconds: 1_790_000_000_000, counter: 0)
        for _ in 0..<10_000 {
            let next = time.next(now: 1_790_000_000_000 + Int64.random(in: -1_000...1_000, using: &random))
            #expect(time < next)
            time = next
        }
        #expect(time.milliseconds <= 1_790_000_001_000)
    }

    @Test func `carries into the milliseconds when its counter is full`() {
        let time = HybridTime(milliseconds: 7, counter: .max)
        #expect(time.next(now: 0) == HybridTime(milliseconds: 8, counter: 0))
        #expect(time.description == "7.65535")
        #expect(HybridTime(rawValue: time.rawValue) == time)
    }
}

@Suite struct `An identifier` {
    @Test(arguments: ["", "37010", "3701001234567", "37010a", "３７０１００", "370100 ", "370100\n", "-70100"])
    func `of a node is 6 to 12 digits`(text: String) {
        #expect(NodeID(text) == nil)
        for code in ["370100", "370100001002"] { #expect(NodeID(code)?.code == code) }
    }

    @Test(arguments: [Epoch(counter: 0, nonce: 0), Epoch(counter: .max, nonce: .max), Epoch(counter: 3, nonce: 0xab)])
    func `of an epoch is read as it is written`(epoch: Epoch) {
        #expect(Epoch(epoch.description) == epoch)
    }

    @Test(arguments: ["", "1", "1-", "-1", "x-1", "1-g", "4294967296-1", "1-10000000000000000", "1--1", "1 -1"])
    func `of an epoch is nothing else`(text: String) {
        #expect(Epoch(text) == nil)
    }
}
