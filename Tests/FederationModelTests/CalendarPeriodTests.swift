import FederationModel
import Foundation
import Testing

@Suite struct `Calendar periods` {
    private func period(_ unit: CalendarPeriod.Unit, _ label: String) throws -> CalendarPeriod {
        try #require(CalendarPeriod(unit, label), "\(label)")
    }

    private func time(_ from: String, _ to: String) throws -> Range<UnixMilliseconds> {
        try #require(ShanghaiTime.parse(from))..<#require(ShanghaiTime.parse(to))
    }

    /// ISO 8601 weeks among them, over the ends of years.
    @Test func `agree with the system's calendar on every day of a century`() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        for day in stride(from: Int64(-10_000), to: 30_000, by: 1) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day, .yearForWeekOfYear, .weekOfYear], from: date)
            let (year, month) = (parts.year ?? 0, parts.month ?? 0)
            let expected: [CalendarPeriod.Unit: String] = [
                .day: String(format: "%04d-%02d-%02d", year, month, parts.day ?? 0),
                .week: String(format: "%04d-W%02d", parts.yearForWeekOfYear ?? 0, parts.weekOfYear ?? 0),
                .month: String(format: "%04d-%02d", year, month),
                .quarter: String(format: "%04d-Q%d", year, (month + 2) / 3), .year: String(format: "%04d", year),
            ]
            for unit in CalendarPeriod.Unit.allCases {
                let period = CalendarPeriod(unit, containing: day)
                guard period.label == expected[unit], CalendarPeriod(unit, period.label) == period,
                    period.days.contains(day), period.advanced(by: 1).days.lowerBound == period.days.upperBound
                else {
                    Issue.record("\(unit) of day \(day): \(period.label)")
                    return
                }
            }
        }
    }

    @Test(arguments: [
        (CalendarPeriod.Unit.day, "2025-02-29"), (.day, "2025-9-30"), (.week, "2021-W53"), (.week, "2025-W00"),
        (.week, "2025W01"), (.month, "2025-13"), (.month, "2025"), (.quarter, "2025-Q5"), (.quarter, "2025-Q0"),
        (.quarter, "2025"), (.year, "2025-01"), (.year, "25"), (.year, ""), (.month, "2025-０９"),
    ])
    func `that the calendar does not have are none`(unit: CalendarPeriod.Unit, label: String) {
        #expect(CalendarPeriod(unit, label) == nil)
    }

    @Test(arguments: [
        (PeriodComparison.previous, CalendarPeriod.Unit.day, "2025-03-01", "2025-02-28"),
        (.previous, .week, "2021-W01", "2020-W53"), (.previous, .month, "2025-01", "2024-12"),
        (.previous, .quarter, "2025-Q1", "2024-Q4"), (.previous, .year, "2025", "2024"),
        // Tuesdays.
        (.year, .day, "2025-09-30", "2024-10-01"), (.year, .day, "2024-02-29", "2023-03-02"),
        (.year, .week, "2025-W40", "2024-W40"), (.year, .week, "2021-W01", "2020-W01"),
        (.year, .week, "2022-W52", "2021-W52"), (.year, .month, "2024-02", "2023-02"),
        (.year, .quarter, "2025-Q3", "2024-Q3"), (.year, .year, "2025", "2024"),
    ])
    func `have a former one`(
        comparison: PeriodComparison, unit: CalendarPeriod.Unit, label: String, former: String
    ) throws {
        let period = try period(unit, label)
        #expect(comparison.former(of: period)?.label == former)
        #expect(try comparison.latter(of: self.period(unit, former)) == period)
    }

    @Test func `of a 53rd week there may be none a year before, and none a year after`() throws {
        let week = try period(.week, "2020-W53")
        #expect(PeriodComparison.year.former(of: week) == nil)
        #expect(PeriodComparison.year.latter(of: week) == nil)
        #expect(PeriodComparison.previous.former(of: week)?.label == "2020-W52")
    }

    @Test(arguments: [
        // Whole months, also where the former ones have more days; also February 2027, which is four whole weeks.
        (PeriodComparison.previous, "2025-09-01", "2025-10-01", "2025-08-01", "2025-09-01"),
        (.previous, "2025-07-01", "2025-10-01", "2025-04-01", "2025-07-01"),
        (.previous, "2025-01-01", "2026-01-01", "2024-01-01", "2025-01-01"),
        (.previous, "2027-02-01", "2027-03-01", "2027-01-01", "2027-02-01"),
        (.year, "2024-02-01", "2024-03-01", "2023-02-01", "2023-03-01"),
        (.year, "2025-01-01", "2025-04-01", "2024-01-01", "2024-04-01"),
        // An ISO week with that of its number, although it lies 53 weeks back.
        (.previous, "2025-09-29", "2025-10-06", "2025-09-22", "2025-09-29"),
        (.year, "2025-09-29", "2025-10-06", "2024-09-30", "2024-10-07"),
        (.year, "2021-01-04", "2021-01-11", "2019-12-30", "2020-01-06"),
        // Days with equal weekdays.
        (.previous, "2025-09-10", "2025-09-15", "2025-09-05", "2025-09-10"),
        (.year, "2025-09-30", "2025-10-01", "2024-10-01", "2024-10-02"),
        (
            .previous, "2025-09-30T08:00:00+08:00", "2025-09-30T20:00:00+08:00", "2025-09-29T20:00:00+08:00",
            "2025-09-30T08:00:00+08:00"
        ),
        (
            .year, "2025-09-30T08:00:00+08:00", "2025-09-30T20:00:00+08:00", "2024-10-01T08:00:00+08:00",
            "2024-10-01T20:00:00+08:00"
        ),
    ])
    func `of any stretch of time there is a former one`(
        comparison: PeriodComparison, from: String, to: String, formerFrom: String, formerTo: String
    ) throws {
        #expect(try comparison.former(of: time(from, to)) == time(formerFrom, formerTo))
    }

    @Test func `of a 53rd week alone there may be none`() throws {
        #expect(try PeriodComparison.year.former(of: time("2020-12-28", "2021-01-04")) == nil)
    }

    @Test func `special dates are told each once, in their order, and not of what is longer than a quarter`() throws {
        let day = try #require(CivilDate.dayNumber("2025-10-01"))
        let dates = SpecialDates([
            HolidayNotice(
                year: 2025, holidays: [day: "国庆节", day + 1: "国庆节"], workingDays: [day - 3],
                specialDays: [day + 1: "会议"])
        ])
        #expect(dates.titles(in: day - 5..<day + 5) == ["调休上班", "国庆节", "会议"])
        #expect(dates.titles(in: day + 2..<day + 5) == [])
        #expect(dates.titles(in: day - 200..<day + 5) == [])
    }
}
