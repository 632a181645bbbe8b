import Detection
import FederationModel
import Testing

@Suite struct `A count against earlier counts` {
    private let even = [12, 10, 14, 11, 13, 12, 9, 11]
    private let wild = [12, 4, 25, 9, 18, 7, 15, 2]

    @Test func `is improbable by Poisson where they hardly vary: 27 against a mean of 11.5`() {
        let tail = CountTail(history: even)
        #expect(tail.mean == 11.5 && !tail.isOverdispersed)
        #expect(isNear(tail.probability(atLeast: 27), 6.8e-5, 0.05e-5))
        #expect(tail.threshold(1e-3) == 24)
    }

    @Test func `is nothing special by the negative binomial distribution where they vary widely`() {
        let tail = CountTail(history: wild)
        #expect(tail.mean == 11.5 && tail.isOverdispersed)
        #expect(isNear(tail.probability(atLeast: 27), 0.047, 0.0005))
        #expect(tail.threshold(1e-3) == 49)
    }

    @Test func `has probabilities that fall from 1 and add up`() {
        var chance = SplitMix64(seed: 1)
        for _ in 0..<200 {
            let mean = Double(Int.random(in: 1...4_000, using: &chance)) / 10
            let variance = mean * Double(Int.random(in: 5...80, using: &chance)) / 10
            let tail = CountTail(mean: mean, variance: variance)
            #expect(tail.probability(atLeast: 0) == 1)
            var (before, expected, count) = (1.0, 0.0, 0)
            repeat {
                count += 1
                let now = tail.probability(atLeast: count)
                #expect(now <= before && now >= 0)
                // The sum of all tails is the mean.
                expected += now
                before = now
            } while before > 1e-13
            #expect(isNear(expected, mean, mean * 1e-6), "mean \(mean) variance \(variance): \(expected)")
        }
    }

    private func alert(_ history: [Int], _ observed: Int, before: Int, category: String? = nil) throws -> Alert? {
        let hourNow = noon / hour
        var counts: [Int64: Int] = [hourNow: observed, hourNow - 1: before]
        for (week, count) in history.enumerated() {
            counts[hourNow - Int64(week + 1) * 168] = count
            counts[hourNow - 1 - Int64(week + 1) * 168] = count
        }
        let series = CountSeries(
            AlertSubject(place: "370102", category: category), counts: counts, start: hourNow - 9 * 168)
        return try rule("SURGE_HOUR").judge(hour: hourNow, of: series)
    }

    @Test func `raises yellow for 27 after even weeks and nothing after wild ones`() throws {
        let found = try #require(try alert(even, 27, before: 12))
        #expect(found.level == .yellow && found.period == "2025-09-30 10" && found.evidence.figures["threshold"] == 24)
        #expect(try alert(wild, 27, before: 12) == nil)
    }

    @Test func `raises orange and red only where the hour before was as remarkable`() throws {
        #expect(try alert(even, 60, before: 12)?.level == .yellow)
        #expect(try alert(even, 60, before: 33)?.level == .orange)
        #expect(try alert(even, 60, before: 60)?.level == .red)
    }

    @Test func `of one category is remarkable from a hundredth of that probability on, and from ten tickets on`() throws
    {
        #expect(try alert(even, 27, before: 27, category: "03") == nil)
        #expect(try alert(even, 31, before: 12, category: "03")?.level == .yellow)
        #expect(try alert([0, 0, 0, 0, 0, 0, 0, 0], 9, before: 9) == nil)
        #expect(try alert([0, 0, 0, 0, 0, 0, 0, 0], 10, before: 0)?.level == .yellow)
    }

    @Test func `of a special date is compared with the same date of the last years, and no other day with it`() throws {
        let hourNow = noon / hour
        let today = ShanghaiTime.dayNumber(noon)
        var counts: [Int64: Int] = [hourNow: 60, hourNow - 1: 60]
        for week in 1...Int64(8) { for step in 0...Int64(1) { counts[hourNow - step - week * 168] = 12 } }
        let years = [today - 384, today - 738, today - 1_093]
        for day in years { for step in 0...Int64(1) { counts[hourNow - step - (today - day) * 24] = 58 } }
        let series = CountSeries(AlertSubject(place: "370102"), counts: counts, start: 0)
        let rule = try rule("SURGE_HOUR")
        #expect(rule.judge(hour: hourNow, of: series)?.level == .red, "on an ordinary day")
        let eve = SpecialDates(Dictionary(uniqueKeysWithValues: (years + [today]).map { ($0, "除夕") }))
        #expect(rule.judge(hour: hourNow, of: series, specialDates: eve) == nil)
        // A special date among the eight weeks is left out of them.
        counts[hourNow - 168] = 500
        let wide = CountSeries(AlertSubject(place: "370102"), counts: counts, start: 0)
        #expect(rule.judge(hour: hourNow, of: wide) == nil)
        let past = SpecialDates([today - 7: "中秋"])
        #expect(rule.judge(hour: hourNow, of: wide, specialDates: past)?.level == .red)
    }

    @Test func `is not judged in the first weeks of a new node`() throws {
        let hourNow = noon / hour
        let series = CountSeries(
            AlertSubject(place: "370102"), counts: [hourNow: 500, hourNow - 168: 1], start: hourNow - 2 * 168)
        #expect(try rule("SURGE_HOUR").judge(hour: hourNow, of: series) == nil)
    }
}

@Suite struct `A day's count` {
    @Test func `runs through an average that alarms only at the last of 102, 98, 105, 120, 131`() {
        let chart = EWMAChart(mean: 100, deviation: 10, lambda: 0.3)
        #expect(isNear(chart.limit(width: 3), 112.603, 0.0005))
        let averages = chart.averages(of: [102, 98, 105, 120, 131])
        for (average, expected) in zip(averages, [100.6, 99.82, 101.374, 106.9618, 114.17326]) {
            #expect(isNear(average, expected, 1e-9))
        }
        #expect(averages.map { $0 > chart.limit(width: 3) } == [false, false, false, false, true])
    }

    private let today = ShanghaiTime.dayNumber(noon)

    /// Weekdays differ, and each week is a little different.
    private func series(_ change: (Int64) -> Double) -> CountSeries {
        let pattern = [100.0, 90, 95, 105, 40, 30, 120]
        var counts: [Int64: Int] = [:]
        for day in today - 70...today {
            let wobble = Double((day * 7_919) % 11) - 5
            counts[day] = Int((pattern[Int(day % 7)] + wobble) * change(day))
        }
        return CountSeries(AlertSubject(place: "370102"), counts: counts, start: today - 70)
    }

    @Test func `is nothing special by its weekday, and is when three days in a row have half as much again`() throws {
        let (daily, trend) = (try rule("SURGE_DAY"), try rule("TREND_STL"))
        #expect(daily.judge(day: today, of: series { _ in 1 }) == nil)
        #expect(trend.judge(trendDay: today, of: series { _ in 1 }) == nil)
        let surge = series { $0 > today - 3 ? 1.5 : 1 }
        #expect(try #require(daily.judge(day: today, of: surge)).period == "2025-09-30")
        #expect(trend.judge(trendDay: today, of: series { $0 == today ? 3 : 1 }) != nil)
    }

    @Test(arguments: ["SURGE_DAY", "SURGE_SPARSE", "TREND_STL"])
    func `of a special date is held against the same date of the years before, once two are known`(id: String) throws {
        let rule = try rule(id)
        let usual = id == "SURGE_SPARSE" ? 4 : 100
        let eves = (1...3).map { today - Int64($0) * 365 }
        let special = SpecialDates(Dictionary(uniqueKeysWithValues: (eves + [today]).map { ($0, "除夕") }))
        func alert(_ count: Int, eves counts: [Int], _ dates: SpecialDates) -> Alert? {
            var days: [Int64: Int] = [:]
            for day in today - 70..<today { days[day] = usual + Int(day % 3) }
            for (eve, count) in zip(eves, counts) { days[eve] = count }
            days[today] = count
            let start = counts.isEmpty ? today - 70 : eves[counts.count - 1]
            let series = CountSeries(AlertSubject(place: "370102"), counts: days, start: start)
            return rule.judge(closedDay: today, of: series, ownRegion: "370102", specialDates: dates)
        }
        let many = [usual * 5, usual * 6, usual * 5]
        #expect(alert(usual * 5, eves: many, .none) != nil, "on an ordinary day")
        #expect(alert(usual * 5, eves: many, special) == nil, "it is so each year")
        #expect(alert(usual * 5, eves: [usual * 5], special) != nil, "one year is no baseline")
        // A day on which hardly anybody calls: what is usual elsewhere is a surge.
        let few = try #require(alert(usual + 1, eves: [0, 0, 0], special))
        #expect(few.evidence.figures["expected"] == 0 && few.evidence.figures["observed"] == Double(usual + 1))
        #expect(alert(usual + 1, eves: [0, 0, 0], .none) == nil)
    }

    @Test func `of a small county is judged by EARS`() throws {
        let sparse = try rule("SURGE_SPARSE")
        func alert(_ counts: [Int]) -> Alert? {
            var days: [Int64: Int] = [:]
            for (index, count) in counts.enumerated() { days[today - Int64(counts.count - 1 - index)] = count }
            return sparse.judge(
                sparseDay: today,
                of: CountSeries(
                    AlertSubject(place: "370724"), counts: days, start: today - Int64(counts.count - 1)))
        }
        #expect(alert([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1]) == nil)
        #expect(alert([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 2]) == nil, "two are less than the least that counts")
        let jump = try #require(alert([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 6]))
        #expect(jump.level == .yellow && (jump.evidence.figures["c1"] ?? 0) > 3)
        // It builds up over three days: C1 does not see it, C2 and C3 do.
        let slow = try #require(alert([1, 2, 1, 2, 1, 2, 1, 2, 1, 4, 5, 5]))
        #expect((slow.evidence.figures["c1"] ?? 9) <= 3 && (slow.evidence.figures["c3"] ?? 0) > EARS.c3Limit)
        #expect(alert([9]) == nil, "one day is no baseline")
    }
}

@Suite struct `A node that is not heard` {
    private var node: NodeID { get throws { try #require(NodeID("370300")) } }

    /// Heard every minute by day (8 to 20) and once an hour by night, for seven days.
    private func pattern(until last: Int64) throws -> ArrivalPattern {
        let start = last - 7 * 1_440
        let minutes = (start...last).filter { minute in
            let hour = (minute / 60 + 8) % 24
            return (8..<20).contains(hour) || minute % 60 == 0
        }
        return ArrivalPattern(node: try node, minutes: Set(minutes + [last]), start: start)

    }

    @Test func `is silent by day after half an hour, and calm by night`() throws {
        let silence = try rule("DATA_SILENCE")
        let morning = noon / 60_000
        #expect(silence.judge(silenceAt: morning + 20, of: try pattern(until: morning)) == nil)
        let found = try #require(silence.judge(silenceAt: morning + 31, of: try pattern(until: morning)))
        #expect(found.subject.place == "370300" && found.evidence.figures["silent_minutes"] == 31)
        let midnight = morning + 14 * 60
        #expect(silence.judge(silenceAt: midnight + 31, of: try pattern(until: midnight)) == nil)
        #expect(silence.judge(silenceAt: midnight + 200, of: try pattern(until: midnight)) != nil)
    }

    @Test func `has to have been heard often, and for a day`() throws {
        let silence = try rule("DATA_SILENCE")
        let minute = noon / 60_000
        let rare = ArrivalPattern(node: try node, minutes: [minute - 3_000, minute - 1_500], start: minute - 10_000)
        #expect(silence.judge(silenceAt: minute, of: rare) == nil)
        let new = ArrivalPattern(node: try node, minutes: Set(minute - 600...minute - 300), start: minute - 600)
        #expect(silence.judge(silenceAt: minute, of: new) == nil)
    }
}

@Suite struct `A share of a sample` {
    @Test func `lies in Wilson's interval`() throws {
        let small = try #require(WilsonInterval(9, of: 10))
        #expect(isNear(small.lower, 0.596, 0.0005) && isNear(small.upper, 0.982, 0.0005))
        let large = try #require(WilsonInterval(700, of: 1_000))
        #expect(isNear(large.lower, 0.671, 0.0005) && isNear(large.upper, 0.728, 0.0005))
        #expect(WilsonInterval(0, of: 0) == nil && WilsonInterval(2, of: 1) == nil)
        for tries in 1...40 {
            for hits in 0...tries {
                let interval = try #require(WilsonInterval(hits, of: tries))
                let share = Double(hits) / Double(tries)
                #expect(interval.lower <= share + 1e-12 && share <= interval.upper + 1e-12)
            }
        }
    }
}

@Suite struct `A forecast` {
    @Test func `of a series with a weekly pattern is the mean of the same weekday, with interval and backtest`() throws
    {
        let pattern = [120.0, 100, 95, 98, 110, 50, 40]
        let wobble = [3.0, -2, 1, -4, 2, 5, -3, 0]
        let values = (0..<56).map { pattern[$0 % 7] + wobble[$0 / 7] }
        let forecast = try #require(Forecast(values))
        let mondays = (0..<8).map { values[$0 * 7] }
        let monday = forecast.seasonal.points[0]
        #expect(isNear(monday.value, mondays.reduce(0, +) / 8, 1e-9))
        #expect(monday.lower < monday.value && monday.value < monday.upper)
        let error = try #require(forecast.seasonal.backtestMAPE)
        #expect(error > 0 && error < 10)
    }

    @Test func `of an exact pattern has no error, and follows a shift when smoothed`() throws {
        let pattern = [120.0, 100, 95, 98, 110, 50, 40]
        let exact = try #require(Forecast((0..<56).map { pattern[$0 % 7] }))
        #expect(exact.seasonal.points.map(\.value) == pattern && exact.seasonal.backtestMAPE == 0)
        let shifted = try #require(Forecast((0..<56).map { pattern[$0 % 7] + ($0 >= 49 ? 40 : 0) }))
        #expect(shifted.smoothed.points[0].value > shifted.seasonal.points[0].value + 20)
        #expect(Forecast([1, 2, 3]) == nil)
    }
}
