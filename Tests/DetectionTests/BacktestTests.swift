import Detection
import FederationModel
import Testing

@Suite struct `A backtest` {
    private func event(_ rule: String, _ tickets: Set<String>, region: String = "370102") -> Backtest.Event {
        Backtest.Event(
            rule: rule, region: region, category: "03.03.01", time: noon...noon + 3 * hour, tickets: tickets)
    }

    @Test func `counts what was found and what was right`() throws {
        let group = (1...5).map { ticket("a\($0)", hours: Int64($0), person: "p\($0)") }
        let other = (1...5).map { ticket("b\($0)", hours: Int64($0), person: "q\($0)", place: "370102/别处1号") }
        let alerts = try rule("GROUP").judge(group + other)
        #expect(alerts.count == 2)
        let score = Backtest.score(
            try rule("GROUP"), alerts,
            against: [event("GROUP", ["a1", "x"]), event("GROUP", ["y"]), event("REPEAT", ["z"])])
        #expect(score.planted == 2)
        #expect(score.found == 1)
        #expect(score.right == 1)
        #expect(score.recall == 0.5)
        #expect(score.precision == 0.5)
        #expect(Backtest.score(try rule("GROUP"), [], against: []).precision == nil)
    }

    @Test func `of counts finds a surge that is put among even days, and only that`() throws {
        let day = ShanghaiTime.dayNumber(noon)
        let start = ShanghaiTime.midnight(ofDay: day - 90)
        // Ten an hour between eight and eighteen on each day.
        var tickets: [ObservedTicket] = []
        for step in 0..<Int64(91) {
            for slot in 0..<Int64(100) {
                tickets.append(
                    ObservedTicket(
                        id: "t\(step)-\(slot)", at: start + step * ShanghaiTime.day + 8 * hour + slot * hour / 10,
                        region: "370102", category: "03.03.01"))
            }
        }
        let surge = (0..<40).map { ticket("s\($0)", person: "p\($0)") }
        let rule = try rule("SURGE_HOUR")
        let quiet = Backtest.alerts(rule, counting: tickets, days: day - 10..<day + 1, in: "370100")
        #expect(quiet.isEmpty)
        let found = Backtest.alerts(rule, counting: tickets + surge, days: day - 10..<day + 1, in: "370100")
        // The county and the city, all categories and the one; the province is not this node's to judge.
        #expect(
            Set(found.map { "\($0.subject.place ?? "") \($0.subject.category ?? "")" })
                == ["370102 ", "370102 03", "370100 ", "370100 03"])
        let score = Backtest.score(rule, found, against: [event("SURGE_HOUR", Set(surge.map(\.id)))])
        #expect(score.recall == 1)
        #expect(score.precision == 1)
        let everywhere = Backtest.score(
            rule, found, against: [event("SURGE_HOUR", Set(surge.map(\.id)), region: "370100")])
        #expect(everywhere.right == found.count, "what happens in a city explains what its counties have")
    }
}

@Suite struct `Situations of the past` {
    @Test func `are near by category, then by place, then by kind, then the latest`() {
        func past(_ id: String, _ category: String?, _ region: String?, _ kind: SituationType, _ at: Int64 = 0)
            -> Precedent
        {
            Precedent(id: id, kind: kind, region: region, category: category, closedAt: at)
        }
        let all = [
            past("far", "05.01.01", "370102", .sensitive), past("kind", "05.01.01", "370102", .concentrated),
            past("level", "03.01.01", "370102", .concentrated), past("same", "03.03.01", "370200", .concentrated),
            past("here", "03.03.01", "370102", .concentrated), past("later", "03.03.01", "370102", .concentrated, 1),
        ]
        let nearest = Precedent.nearest(to: "03.03.01", in: "370102", kind: .concentrated, among: all)
        #expect(nearest.map(\.id) == ["later", "here", "same"])
        let more = Precedent.nearest(to: "03.03.01", in: "370102", kind: .concentrated, among: all, limit: 9)
        #expect(more.map(\.id) == ["later", "here", "same", "level", "kind"])
    }
}
