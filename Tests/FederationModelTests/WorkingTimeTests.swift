import FederationModel
import TestSupport
import Testing

struct WorkingTimeTests {
    private func time(_ text: String) throws -> UnixMilliseconds { try #require(ShanghaiTime.parseLocal(text)) }
    private func day(_ text: String) throws -> Int64 { try #require(CivilDate.dayNumber(text)) }
    private let hour: Int64 = 3_600_000

    /// The days off of October 2025, Saturday the 11th worked for them.
    private func calendar(_ hours: WorkHours = .standard) throws -> WorkCalendar {
        let first = try day("2025-10-01")
        return WorkCalendar(
            years: [2025], holidays: first..<first + 8, workingWeekendDays: [try day("2025-10-11")], hours: hours)
    }

    @Test func `holidays and nights do not count, and a weekend day that is worked does`() throws {
        let calendar = try calendar()
        func hours(_ start: String, _ end: String) throws -> Double {
            Double(calendar.workingTime(from: try time(start), to: try time(end))) / Double(hour)
        }
        #expect(try hours("2025-09-30 10:00:00", "2025-09-30 12:00:00") == 2)
        #expect(try hours("2025-09-30 17:00:00", "2025-10-09 09:00:00") == 1)
        #expect(try hours("2025-10-01 00:00:00", "2025-10-08 23:59:59") == 0)
        // To the end of Tuesday: Thursday, Friday, the Saturday, Monday, Tuesday.
        #expect(try hours("2025-10-09 00:00:00", "2025-10-14 23:00:00") == 45)
        #expect(try hours("2025-09-30 06:00:00", "2025-09-30 23:00:00") == 9)
        #expect(try hours("2025-09-30 12:00:00", "2025-09-30 10:00:00") == -2)
    }

    @Test func `hours come from the code list, each while it is in force`() throws {
        let list = CodeList(
            name: "office_hours", title: "工作时间",
            entries: [
                .init(code: "0830-1200", title: "上午"),
                .init(code: "1330-1730", title: "下午", validTo: try day("2025-10-09")),
                .init(code: "1400-1800", title: "下午", validFrom: try day("2025-10-10")),
                .init(code: "2500-2600", title: "?"),
            ])
        let calendar = try calendar(WorkHours(list))
        #expect(
            calendar.workingTime(from: try time("2025-10-09 12:00:00"), to: try time("2025-10-09 23:00:00")) == 4 * hour
        )
        #expect(
            calendar.workingTime(from: try time("2025-10-10 17:30:00"), to: try time("2025-10-10 23:00:00")) == hour / 2
        )
        #expect(WorkHours(nil) == .standard)
        for code in ["0830", "0830-0830", "1200-0830", "0860-0900", "0000-2401", "08:3-1200", "0830-1200 "] {
            #expect(WorkHours.Span(code: code) == nil, "\(code)")
        }
        #expect(WorkHours.Span(code: "0000-2400")?.closes == 1_440)
    }

    /// Minute by minute, over calendars and times of chance.
    @Test(arguments: 0..<8)
    func `it is the minutes of working days that lie in office hours`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let first = try day("2025-09-20")
        let days = first..<first + 40
        let hours = WorkHours(
            ["0830-1200", "1330-1730"].compactMap {
                WorkHours.Span(code: $0, validFrom: Bool.random(using: &random) ? first + 10 : nil, validTo: nil)
            })
        let calendar = WorkCalendar(
            years: [2025], holidays: days.filter { _ in Int.random(in: 0..<5, using: &random) == 0 },
            workingWeekendDays: days.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }, hours: hours)
        let midnight = ShanghaiTime.midnight(ofDay: first)
        for _ in 0..<20 {
            let ends = (0..<2).map { _ in midnight + Int64.random(in: 0..<40 * 1_440, using: &random) * 60_000 }
                .sorted()
            var minutes: Int64 = 0
            for minute in stride(from: ends[0], to: ends[1], by: 60_000) {
                let day = ShanghaiTime.dayNumber(minute)
                let clock = (minute - ShanghaiTime.midnight(ofDay: day)) / 60_000
                guard calendar.isWorkingDay(day) else { continue }
                minutes +=
                    hours.spans.contains {
                        ($0.validFrom ?? .min) <= day && (Int64($0.opens)..<Int64($0.closes)).contains(clock)
                    } ? 1 : 0
            }
            #expect(calendar.workingTime(from: ends[0], to: ends[1]) == minutes * 60_000)
            #expect(calendar.workingTime(from: ends[1], to: ends[0]) == -minutes * 60_000)
        }
    }
}
