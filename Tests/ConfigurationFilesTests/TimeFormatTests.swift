import ConfigurationFiles
import FederationModel
import Foundation
import Testing

struct TimeFormatTests {
    private func utc(_ text: String, _ pattern: String, _ zone: String) throws -> String? {
        let format = try #require(TimeFormat(pattern))
        let clock = try #require(ZoneClock(zone))
        guard let reading = format.read(text) else { return nil }
        let milliseconds =
            reading.offset.map { reading.faceMilliseconds - $0 } ?? clock.utc(face: reading.faceMilliseconds)
        return Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
    }

    @Test(arguments: [
        ("01/01/2015 12:20:09 AM", "MM/dd/yyyy hh:mm:ss a", "America/New_York", "2015-01-01T05:20:09Z"),
        ("07/04/2015 12:00:00 PM", "MM/dd/yyyy hh:mm:ss a", "America/New_York", "2015-07-04T16:00:00Z"),
        ("2019/1/6 9:32:09", "yyyy/M/d H:mm:ss", "Asia/Shanghai", "2019-01-06T01:32:09Z"),
        ("2019-08-23 12:22:00", "yyyy-MM-dd HH:mm:ss", "Asia/Shanghai", "2019-08-23T04:22:00Z"),
        ("2025-09-30T10:00:00+08:00", "yyyy-MM-dd'T'HH:mm:ssZ", "America/New_York", "2025-09-30T02:00:00Z"),
        ("2024年2月29日", "yyyy年M月d日", "UTC", "2024-02-29T00:00:00Z"),
        ("2024/1/5 下午2:30:00", "yyyy/M/d ah:mm:ss", "Asia/Shanghai", "2024-01-05T06:30:00Z"),
        ("2024/1/5 上午12:10:00", "yyyy/M/d ah:mm:ss", "UTC", "2024-01-05T00:10:00Z"),
        ("2024-01-05 2:30 p.m.", "yyyy-MM-dd h:mm a", "UTC", "2024-01-05T14:30:00Z"),
        ("2024-01-05 晚上8:30", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T20:30:00Z"),
        ("2024-01-05 凌晨12:30", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T00:30:00Z"),
        ("2024-01-05 凌晨3:05", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T03:05:00Z"),
        ("2024-01-05 中午11:50", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T11:50:00Z"),
        ("2024-01-05 中午12:10", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T12:10:00Z"),
        ("2024-01-05 中午1:10", "yyyy-MM-dd ah:mm", "UTC", "2024-01-05T13:10:00Z"),
        ("2024年1月5日傍晚6点5分9秒", "yyyy年M月d日ah点m分s秒", "UTC", "2024-01-05T18:05:09Z"),
        ("06-JAN-19 09.05.00.000000 PM", "dd-MMM-yy hh.mm.ss.SSSSSS a", "UTC", "2019-01-06T21:05:00Z"),
        ("2024/1/5 星期五 14:30", "yyyy/M/d E H:mm", "UTC", "2024-01-05T14:30:00Z"),
        ("Fri, 5 Jan 2024 14:30:00 GMT", "E, d MMM yyyy HH:mm:ss Z", "Asia/Shanghai", "2024-01-05T14:30:00Z"),
        ("２０２４/１/５ ９：０５：００", "yyyy/M/d H:mm:ss", "UTC", "2024-01-05T09:05:00Z"),
        ("2024年01月05日09时05分", "yyyy年MM月dd日HH时mm分", "UTC", "2024-01-05T09:05:00Z"),
        ("2024-01-05 09:05:00.1234567", "yyyy-MM-dd HH:mm:ss.SSSSSSS", "UTC", "2024-01-05T09:05:00Z"),
        ("2024-01-05 09:05:00+08", "yyyy-MM-dd HH:mm:ssZ", "UTC", "2024-01-05T01:05:00Z"),
        ("45296.378472", "serial", "Asia/Shanghai", "2024-01-05T01:05:00Z"),
        ("45297", "serial", "UTC", "2024-01-06T00:00:00Z"),
        ("1704436200", "epoch_seconds", "Asia/Shanghai", "2024-01-05T06:30:00Z"),
        ("1704436200123", "epoch_milliseconds", "Asia/Shanghai", "2024-01-05T06:30:00Z"),
        ("1969-12-31 23:59:59", "yyyy-MM-dd HH:mm:ss", "UTC", "1969-12-31T23:59:59Z"),
        // China had summer time from 1986 to 1991.
        ("1988-07-01 08:00:00", "yyyy-MM-dd HH:mm:ss", "Asia/Shanghai", "1988-06-30T23:00:00Z"),
    ])
    func `a local time becomes UTC`(text: String, pattern: String, zone: String, expected: String) throws {
        #expect(try utc(text, pattern, zone) == expected)
    }

    @Test(arguments: [
        // New York 2015: 02:00 became 03:00 on 8 March, 02:00 became 01:00 on 1 November.
        ("2015-03-08 01:59:59", "2015-03-08T06:59:59Z"), ("2015-03-08 02:30:00", "2015-03-08T07:30:00Z"),
        ("2015-03-08 03:00:00", "2015-03-08T07:00:00Z"), ("2015-03-07 12:00:00", "2015-03-07T17:00:00Z"),
        ("2015-03-09 12:00:00", "2015-03-09T16:00:00Z"), ("2015-11-01 00:59:59", "2015-11-01T04:59:59Z"),
        ("2015-11-01 01:30:00", "2015-11-01T05:30:00Z"), ("2015-11-01 02:00:00", "2015-11-01T07:00:00Z"),
        ("2015-10-31 23:00:00", "2015-11-01T03:00:00Z"), ("2015-11-02 00:00:00", "2015-11-02T05:00:00Z"),
    ])
    func `a skipped or repeated local time is read with the offset before the change`(text: String, expected: String)
        throws
    {
        #expect(try utc(text, "yyyy-MM-dd HH:mm:ss", "America/New_York") == expected)
    }

    @Test(arguments: [
        "2015-02-29 00:00:00", "2015-13-01 00:00:00", "2015-00-01 00:00:00", "2015-01-00 00:00:00",
        "2015-01-01 24:00:00",
        "2015-01-01 00:60:00", "2015-01-01 00:00:60", "2015-1-01 00:00:00", "2015-01-01 00:00:0",
        "2015-01-01 00:00:000",
        "2015-01-01", "", " 2015-01-01 00:00:00", "0000-01-01 00:00:00", "二〇一五-01-01 00:00:00",
    ])
    func `what is not a time in the format is not read`(text: String) throws {
        #expect(try utc(text, "yyyy-MM-dd HH:mm:ss", "UTC") == nil)
    }

    @Test func `twelve-hour times end at twelve`() throws {
        let format = try #require(TimeFormat("yyyy-MM-dd h:mm a"))
        #expect(format.read("2015-01-01 13:00 PM") == nil)
        #expect(format.read("2015-01-01 0:00 AM") == nil)
        #expect(format.read("2015-01-01 1:00 XM") == nil)
        #expect(format.read("2015-01-01 1:05 pm")?.faceMilliseconds == 1_420_117_500_000)
    }

    @Test(arguments: [
        ("serial", "0"), ("serial", "2958466"), ("serial", "-1"), ("serial", "1e5"), ("serial", "45296,5"),
        ("serial", "nan"),
        ("epoch_seconds", ""), ("epoch_seconds", "99999999999999999999"), ("epoch_milliseconds", "0x10"),
        // Seconds for milliseconds, and the other way round.
        ("epoch_milliseconds", "1704416700"), ("epoch_seconds", "1704416700000"), ("epoch_seconds", "0"),
    ])
    func `a count that is none is not read`(pattern: String, text: String) {
        #expect(TimeFormat(pattern)?.read(text) == nil)
    }

    @Test(arguments: ["晚上12:30", "晚上1:30", "早上12:30", "中午4:00", "夜间13:00", "午夜12:00"])
    func `an hour that may be of another day or another half is not read`(time: String) {
        #expect(TimeFormat("yyyy-MM-dd ah:mm")?.read("2024-01-05 " + time) == nil)
    }

    @Test(arguments: [
        ("yyyy-MM-dd h:mm:ss", "needs a"), ("yyyy-MM-dd hh:mm", "needs a"), ("yyyy-MM-dd H:mm a", "goes with h"),
        ("yyyy/M/d '下午'h:mm:ss a", "letter a"), ("yyyy/M/d 下午H:mm", "letter a"), ("yyyy-MM-dd HH:mm 'PM'", "letter a"),
        ("yyyy/M/d 晚上H:mm", "letter a"), ("yyyy/M/d '中午'H:mm", "letter a"), ("yyyy-MM-dd HH:mm 'p.m.'", "letter a"),
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", "letter Z"), ("yyyy-MM-dd HH:mm:ss' UTC'", "letter Z"),
        ("yyyy-MM-dd HH:mm:ss'+00:00'", "letter Z"), ("yyyy-MM-dd HH:mm:ss+0800", "letter Z"),
        ("yyyy-mm-dd", "no month"),
        ("yyyy-MM-dd ss", "without the larger"), ("yyyy-MM HH:mm", "without the larger"),
        ("yyyy-MM-dd HH:MM:ss", "twice"),
        ("yyyy-MM-dd HH:mm a a", "twice"), ("YYYY-MM-dd", "no meaning"), ("yyyy-MM-dd 'T", "never closed"),
    ])
    func `a pattern that can't mean what it says is refused with its reason`(pattern: String, reason: String) {
        do throws(TimeFormat.Fault) {
            _ = try TimeFormat(checking: pattern)
            Issue.record("\(pattern) is taken")
        } catch {
            #expect(error.reason.contains(reason), "\(pattern): \(error.reason)")
        }
    }

    @Test func `two digits are a year from 1970 to 2069, and no day is the first of the month`() throws {
        #expect(try utc("9/22/88 12:00", "M/d/yy H:mm", "UTC") == "1988-09-22T12:00:00Z")
        #expect(try utc("10/21/18 9:05", "M/d/yy H:mm", "UTC") == utc("2018-10-21 09:05", "yyyy-MM-dd HH:mm", "UTC"))
        #expect(try utc("2018-02", "yyyy-MM", "UTC") == utc("2018-02-01", "yyyy-MM-dd", "UTC"))
    }

    @Test func `fractions of a second are read as milliseconds`() throws {
        let format = try #require(TimeFormat("yyyy-MM-dd HH:mm:ss.SSSSSS"))
        #expect(format.read("1970-01-01 00:00:01.234567")?.faceMilliseconds == 1_234)
    }

    @Test(arguments: [
        "yyy-MM-dd", "yyyy-dd", "yy-yyyy-MM", "yyyy-MM-dd QQ", "yyyy-MM-dd 'T", "MMMM dd yyyy", "yyyy-MM-dd dd", "",
    ])
    func `a pattern that is not understood is no format`(pattern: String) {
        #expect(TimeFormat(pattern) == nil)
    }

    @Test func `the arithmetic agrees with the system's zone on every hour of ten years`() throws {
        let clock = try #require(ZoneClock("America/New_York"))
        let zone = try #require(TimeZone(identifier: "America/New_York"))
        for hour in 0..<(3_653 * 24) {
            let utc = 1_262_304_000_000 + Int64(hour) * 3_600_000 + 1_800_000
            let offset = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(utc) / 1_000))) * 1_000
            let read = clock.utc(face: utc + offset)
            // The second of two equal faces reads as the first.
            #expect(read == utc || read == utc - 3_600_000)
        }
    }
}
