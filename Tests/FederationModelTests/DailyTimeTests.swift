import FederationModel
import TestSupport
import Testing

@Suite struct `A time of the day` {
    @Test(arguments: ["", "2:00", "24:00", "02:60", "0200", "02:00 ", "０２:00", "-1:00"])
    func `is nothing but HH and MM`(text: String) { #expect(DailyTime(text) == nil) }

    @Test func `was last today or yesterday, in Shanghai`() throws {
        let time = try #require(DailyTime("02:30"))
        #expect(time.description == "02:30")
        func latest(_ text: String, delay: Int64 = 0) throws -> String {
            ShanghaiTime.minute(time.latest(before: try #require(ShanghaiTime.parse(text)), delay: delay))
        }
        let (today, yesterday) = (try latest("2026-10-01T02:30:00+08:00"), try latest("2026-10-01T02:29:59+08:00"))
        #expect(today.contains("01") && today.hasSuffix("02:30") && yesterday.contains("30"))
        #expect(try latest("2026-10-01T04:00:00+08:00", delay: 5_400_000).hasSuffix("04:00"))
        #expect(try latest("2026-10-01T03:59:00+08:00", delay: 5_400_000).contains("30"))
    }

    @Test func `late in the evening lets a night go on past midnight`() throws {
        let schedule = ComparisonSchedule(at: try #require(DailyTime("23:30")))
        let jinan = node("370100")
        var due = 0
        for minute in stride(from: Int64(0), to: 24 * 60, by: 5) {
            let now = try #require(ShanghaiTime.parse("2026-10-01T12:00:00+08:00")) + minute * 60_000
            if schedule.isDue(at: jinan, last: nil, now: now) { due += 1 }
        }
        #expect(due == 48, "four hours of it, in steps of five minutes")
    }
}

@Suite struct `The schedule of comparisons` {
    @Test func `begins for each node at a time of its own, within two hours`() throws {
        let schedule = ComparisonSchedule(at: try #require(DailyTime("02:00")))
        let midnight = try #require(ShanghaiTime.parse("2026-10-01T00:00:00+08:00"))
        var begins: Set<Int64> = []
        for number in 0..<100 {
            let city = node("37\(1000 + number)")
            let first = try #require(
                (0..<24 * 60).first { schedule.isDue(at: city, last: midnight, now: midnight + $0 * 60_000) })
            #expect((120...240).contains(first))
            begins.insert(Int64(first))
        }
        #expect(begins.count > 40, "they are spread")
    }

    @Test func `is over once the link was compared, whoever asked, and comes again the next day`() throws {
        let schedule = ComparisonSchedule(at: try #require(DailyTime("02:00")))
        let night = try #require(ShanghaiTime.parse("2026-10-01T04:05:00+08:00"))
        let jinan = node("370100")
        #expect(schedule.isDue(at: jinan, last: nil, now: night))
        #expect(schedule.isDue(at: jinan, last: night - 20 * 3_600_000, now: night))
        #expect(!schedule.isDue(at: jinan, last: night - 60_000, now: night))
        #expect(schedule.isDue(at: jinan, last: night - 60_000, now: night + 86_400_000))
    }
}
