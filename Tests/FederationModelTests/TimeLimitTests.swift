import FederationModel
import Testing

/// The notice of 2025 around the National Day holiday, as in domain ground rule 10.
private let calendar = WorkCalendar(
    years: [2025],
    holidays: (1...8).map { day(2025, 10, $0) },
    workingWeekendDays: [day(2025, 9, 28), day(2025, 10, 11)])

private let usual = LimitCounting(
    startDayCounts: false, dueAt: .endOfDay, afterHours: .startsAtOnce, suspensionStopsClock: false)

private func day(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    CivilDate.dayNumber(year: year, month: month, day: day)
}

private func at(_ text: String) throws -> UnixMilliseconds {
    try #require(ShanghaiTime.parse(text.count == 10 ? text : text + ":00+08:00"))
}

@Test func `Five working days from 30 September 2025 end on 14 October`() throws {
    let due = calendar.end(ofWorkingDay: 5, after: try at("2025-09-30 10:00"))
    #expect(ShanghaiTime.rfc3339(due) == "2025-10-14T23:59:59.999+08:00")
    #expect(calendar.workingDays(from: try at("2025-09-30 10:00"), to: due) == 5)
    #expect(
        TimeLimit(5, .workingDays).due(start: try at("2025-09-30 10:00"), counting: usual, calendar: calendar) == due)
}

@Test func `A calendar without the notice has weekends only and says so`() throws {
    let start = try at("2025-09-30 10:00")
    let due = WorkCalendar.weekendsOnly.end(ofWorkingDay: 5, after: start)
    #expect(ShanghaiTime.minute(due) == "2025-10-07 23:59")
    #expect(WorkCalendar.weekendsOnly.yearsWithoutNotice(from: start, to: due) == [2025])
    #expect(calendar.yearsWithoutNotice(from: start, to: try at("2026-01-02")) == [2026])
}

@Test func `Counting working days agrees with looking at each day, for every pair of days of two years`() {
    let first = day(2025, 1, 1)
    for from in stride(from: first, to: first + 730, by: 13) {
        var count = 0
        for to in from + 1...first + 730 {
            if calendar.isWorkingDay(to) { count += 1 }
            let (a, b) = (ShanghaiTime.midnight(ofDay: from), ShanghaiTime.end(ofDay: to))
            #expect(calendar.workingDays(from: a, to: b) == count)
            #expect(calendar.workingDays(from: b, to: a) == -count)
        }
    }
}

@Test func `Fifteen working days and an extension of seven count from the old due date`() throws {
    let due = TimeLimit(15, .workingDays).due(start: try at("2025-09-29 09:00"), counting: usual, calendar: calendar)
    #expect(ShanghaiTime.minute(due) == "2025-10-27 23:59")
    let extended = TimeLimit(7, .workingDays).extending(due: due, counting: usual, calendar: calendar)
    #expect(ShanghaiTime.minute(extended) == "2025-11-05 23:59")
}

@Test func `Hours run through the night, days can end at the start's time of day`() throws {
    let start = try at("2025-10-10 17:30")
    var clock = usual
    clock.dueAt = .sameTimeOfDay
    #expect(TimeLimit(24, .hours).due(start: start, counting: usual, calendar: calendar) == start + 86_400_000)
    let week = TimeLimit(7, .calendarDays)
    #expect(ShanghaiTime.minute(week.due(start: start, counting: usual, calendar: calendar)) == "2025-10-17 23:59")
    #expect(ShanghaiTime.minute(week.due(start: start, counting: clock, calendar: calendar)) == "2025-10-17 17:30")
    let twoDays = TimeLimit(2, .workingDays)
    // Saturday 11 October is worked, Sunday is not.
    #expect(ShanghaiTime.minute(twoDays.due(start: start, counting: clock, calendar: calendar)) == "2025-10-13 17:30")
}

@Test func `The start day counts where the rule says so, if it is a working day`() throws {
    var counting = usual
    counting.startDayCounts = true
    let one = TimeLimit(1, .workingDays)
    let friday = one.due(start: try at("2025-10-10 10:00"), counting: counting, calendar: calendar)
    #expect(ShanghaiTime.minute(friday) == "2025-10-10 23:59")
    let sunday = one.due(start: try at("2025-10-12 10:00"), counting: counting, calendar: calendar)
    #expect(ShanghaiTime.minute(sunday) == "2025-10-13 23:59")
}

@Test func `What is dispatched after hours starts at the next opening where the rule says so`() throws {
    var counting = usual
    counting.afterHours = .startsAtNextOpening(opens: 510, closes: 1_050)
    let one = TimeLimit(1, .workingDays)
    func due(_ start: String) throws -> String {
        ShanghaiTime.minute(one.due(start: try at(start), counting: counting, calendar: calendar))
    }
    #expect(try due("2025-10-10 17:29") == "2025-10-11 23:59")
    #expect(try due("2025-10-10 17:30") == "2025-10-13 23:59")
    #expect(try due("2025-10-11 07:00") == "2025-10-13 23:59")
    #expect(try due("2025-10-12 10:00") == "2025-10-14 23:59")
    let two = TimeLimit(2, .hours).due(start: try at("2025-10-12 10:00"), counting: counting, calendar: calendar)
    #expect(ShanghaiTime.minute(two) == "2025-10-13 10:30")
}

@Test func `A suspension moves the due date only where it stops the clock`() throws {
    let due = calendar.end(ofWorkingDay: 5, after: try at("2025-10-13 10:00"))
    let limit = TimeLimit(5, .workingDays)
    let (from, to) = (try at("2025-10-14 09:00"), try at("2025-10-20 09:00"))
    #expect(limit.due(due, afterSuspensionFrom: from, to: to, counting: usual, calendar: calendar) == due)
    var stops = usual
    stops.suspensionStopsClock = true
    let moved = limit.due(due, afterSuspensionFrom: from, to: to, counting: stops, calendar: calendar)
    #expect(ShanghaiTime.minute(due) == "2025-10-20 23:59")
    #expect(ShanghaiTime.minute(moved) == "2025-10-24 23:59")
}

@Test func `The card is yellow from one working day before the due date and red on the first working day after it`()
    throws
{
    func card(_ now: String, due: UnixMilliseconds) throws -> WarningCard {
        WarningCard(due: due, now: try at(now), calendar: calendar)
    }
    let tuesday = ShanghaiTime.end(ofDay: day(2025, 10, 14))
    #expect(try card("2025-10-12 23:59", due: tuesday) == .none)
    #expect(try card("2025-10-13 00:00", due: tuesday) == .yellow)
    #expect(try card("2025-10-14 23:59", due: tuesday) == .yellow)
    #expect(try card("2025-10-15 00:00", due: tuesday) == .red)
    // Due on a Friday: late at the weekend, red on Monday. Due on Monday 13: yellow from the Saturday that is worked.
    let friday = ShanghaiTime.end(ofDay: day(2025, 10, 17))
    #expect(try card("2025-10-19 12:00", due: friday) == .yellow)
    #expect(try card("2025-10-20 00:00", due: friday) == .red)
    let monday = ShanghaiTime.end(ofDay: day(2025, 10, 13))
    #expect(try card("2025-10-10 12:00", due: monday) == .none)
    #expect(try card("2025-10-11 00:00", due: monday) == .yellow)
}

@Test func `Any numbers that a row can hold give an answer`() {
    let numbers: [Int64] = [.min, -1, 0, 1, 1_759_197_600_000, .max]
    for time in numbers {
        for count in [Int.min, -1, 0, 5, .max] {
            for kind in LimitKind.allCases {
                let limit = TimeLimit(count, kind)
                let due = limit.due(start: time, counting: usual, calendar: calendar)
                _ = limit.extending(due: due, counting: usual, calendar: calendar)
                var stops = usual
                stops.suspensionStopsClock = true
                for other in numbers {
                    _ = limit.due(due, afterSuspensionFrom: time, to: other, counting: stops, calendar: calendar)
                    _ = RemainingTime(due: other, now: time, calendar: calendar)
                    _ = WarningCard(due: other, now: time, calendar: calendar)
                    _ = calendar.yearsWithoutNotice(from: time, to: other)
                }
            }
        }
    }
}
