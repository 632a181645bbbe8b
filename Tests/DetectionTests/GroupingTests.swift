import Detection
import FederationModel
import Testing

@Suite struct `Tickets about one thing` {
    @Test func `are no group from four persons, and are one of seven tickets from the fifth`() throws {
        let group = try rule("GROUP")
        var tickets = ["a", "b", "c", "d", "a", "b"].enumerated().map {
            ticket("G\($0.offset)", hours: Int64($0.offset) * 10, person: $0.element)
        }
        #expect(group.judge(tickets).isEmpty)
        tickets.append(ticket("G6", hours: 70, person: "e"))
        let alert = try #require(group.judge(tickets).first)
        #expect(alert.evidence.tickets.count == 7 && alert.evidence.persons == 5 && alert.level == .yellow)
        #expect(alert.subject.place == "370102" && alert.key.hasPrefix("GROUP-20251003-"))
        #expect(alert.decidedAt == noon + 70 * hour)
    }

    @Test func `are no group over more than 72 hours, at two places, or of two categories`() throws {
        let group = try rule("GROUP")
        func five(_ change: (Int, inout ObservedTicket) -> Void) -> [ObservedTicket] {
            (0..<5).map {
                var ticket = ticket("G\($0)", person: "p\($0)")
                change($0, &ticket)
                return ticket
            }
        }
        #expect(group.judge(five { _, _ in }).count == 1)
        #expect(group.judge(five { $1.at += Int64($0) * 19 * hour }).isEmpty)
        #expect(group.judge(five { if $0 == 4 { $1.place = "370102/经十路8号" } }).isEmpty)
        #expect(group.judge(five { if $0 == 4 { $1.category = "03.03.02" } }).isEmpty)
        #expect(group.judge(five { if $0 == 4 { $1.person = nil } }).isEmpty, "nobody knows who it was")
        #expect(group.judge(five { if $0 == 4 { $1.category = "03.03.01.07" } }).count == 1, "three levels count")
    }

    @Test func `rise to orange with ten persons and to red with thirty, as one alert`() throws {
        let group = try rule("GROUP")
        let tickets = (0..<30).map { ticket("G\($0)", hours: Int64($0), person: "p\($0)") }
        let levels = [5, 10, 30].map { group.judge(Array(tickets.prefix($0))) }
        #expect(levels.map { $0.map(\.level) } == [[.yellow], [.orange], [.red]])
        #expect(Set(levels.flatMap { $0.map(\.key) }).count == 1)
    }

    @Test func `are two alerts when the group comes again later`() throws {
        let again = (0..<10).map { ticket("G\($0)", hours: $0 < 5 ? 0 : 2_000, person: "p\($0 % 5)") }
        #expect(try rule("GROUP").judge(again).map(\.evidence.tickets.count) == [5, 5])
    }

    @Test func `of one person are a repeat from the third in 30 days, wherever it was taken in`() throws {
        let repeated = try rule("REPEAT")
        let own = [0, 200, 600].map { ticket("R\($0)", hours: $0, person: "a") }
        #expect(repeated.judge(Array(own.prefix(2))).isEmpty)
        let alert = try #require(repeated.judge(own).first)
        #expect(
            alert.level == .yellow && alert.evidence.persons == 1 && alert.evidence.tickets == ["R0", "R200", "R600"])
        #expect(!alert.key.contains("a\n"))
        #expect(repeated.judge([0, 400, 800].map { ticket("R\($0)", hours: $0, person: "a") }).isEmpty)
        #expect(repeated.judge((0..<5).map { ticket("R\($0)", person: "a") }).map(\.level) == [.orange])
        #expect(repeated.judge((0..<3).map { ticket("R\($0)", person: "\($0)") }).isEmpty)
    }

    @Test func `with texts that are alike are a cluster of five persons`() throws {
        let texts = ["小区南门消防通道被私家车长期占用", "私家车长期占用小区南门消防通道"]
        let tickets = (0..<5).map {
            ticket("C\($0)", hours: Int64($0), person: "p\($0)", place: nil, text: texts[$0 % 2])
        }
        let other = ticket("C9", person: "p9", place: nil, text: "小区南门路灯不亮")
        let alert = try #require(try rule("CLUSTER").judge(tickets + [other]).first)
        #expect(alert.evidence.tickets == ["C0", "C1", "C2", "C3", "C4"] && alert.subject.detail == "C0")
    }

    @Test func `are told apart by community or house, else by cell, else by street`() {
        #expect(PlaceKey.of(region: "370102", address: "解放东路3号楼2单元301") == "370102/解放东路3号")
        #expect(
            PlaceKey.of(region: "370102", address: "解放东路３号") == PlaceKey.of(region: "370102", address: "解放东路 3号 北侧"))
        #expect(PlaceKey.of(region: "370102", address: "甸新家园小区南门") == "370102/甸新家园")
        #expect(PlaceKey.of(region: "370103", address: "解放东路3号") != PlaceKey.of(region: "370102", address: "解放东路3号"))
        let cell = PlaceKey.of(region: "370102", address: nil, latitude: 36.6512, longitude: 117.1201)
        #expect(
            cell != nil
                && cell == PlaceKey.of(region: "370102", address: "解***", latitude: 36.6513, longitude: 117.1202))
        #expect(
            PlaceKey.of(region: "370102001", address: nil) == "370102001"
                && PlaceKey.of(region: "370102", address: nil) == nil)
    }
}

@Suite struct `One ticket by itself` {
    @Test func `raises red for a gas leak with somebody unconscious, and says whom to connect to`() throws {
        let alert = try #require(try rule("EMERGENCY").judge([ticket("E1", text: "燃气泄漏 有人晕倒")]).first)
        #expect(alert.level == .red && alert.evidence.receivers == ["119", "燃气", "120"])
        #expect(alert.evidence.tickets == ["E1"] && alert.kind == .emergency)
    }

    @Test func `raises red for extreme words and nothing for the price that sounds like them`() throws {
        let sensitive = try rule("SENSITIVE")
        let alert = try #require(sensitive.judge([ticket("S1", text: "讨薪 跳楼")]).first)
        #expect(alert.level == .red && alert.evidence.classes == ["极端行为", "讨薪"])
        #expect(sensitive.judge([ticket("S2", text: "商场门口跳楼价甩卖")]).isEmpty)
        #expect(sensitive.judge([ticket("S3", text: "单位讨薪难")]).map(\.level) == [.yellow])
    }

    @Test func `raises by its category where the rule names that`() throws {
        var rule = try rule("EMERGENCY")
        rule.scope.categories = ["07.08"]
        rule.levels = ["red": 1]
        #expect(rule.problems.isEmpty)
        #expect(rule.judge([ticket("E1", category: "07.08.01")]).map(\.level) == [.red])
        #expect(rule.judge([ticket("E2", category: "07.09.01")]).isEmpty)
    }
}

@Suite struct `The same data by the same rules` {
    @Test func `give the same alerts in whatever order they arrived`() throws {
        var chance = SplitMix64(seed: 11)
        let texts = ["小区南门消防通道被私家车长期占用", "暖气不热室温只有十四度", "燃气泄漏 有人晕倒", "讨薪 跳楼", ""]
        for _ in 0..<60 {
            let tickets = (0..<Int.random(in: 1...60, using: &chance)).map { index in
                ticket(
                    "T\(index)", hours: Int64.random(in: 0...300, using: &chance),
                    person: "p\(Int.random(in: 0...9, using: &chance))",
                    place: "370102/\(Int.random(in: 0...2, using: &chance))号",
                    text: texts[Int.random(in: 0..<texts.count, using: &chance)])
            }
            for rule in DetectionRules.builtIn.rules where rule.method.judgesTickets {
                let expected = rule.judge(tickets)
                #expect(Set(expected.map(\.key)).count == expected.count, "one key, one alert")
                for _ in 0..<3 { #expect(rule.judge(tickets.shuffled(using: &chance)) == expected) }
                // Whoever looks at each subject by itself finds the same.
                let bySubject = Dictionary(grouping: tickets) { rule.subject(of: $0) }
                if bySubject[nil] == nil {
                    let apart = bySubject.values.flatMap { rule.judge($0) }
                    #expect(apart.sorted { $0.key < $1.key } == expected)
                }
            }
        }
    }
}
