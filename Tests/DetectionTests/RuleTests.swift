import Detection
import FederationModel
import Foundation
import TestSupport
import Testing

@Suite struct `A rule` {
    @Test func `of the default set is sound, survives JSON, and every rule of the domain is among them`() throws {
        let rules = DetectionRules.builtIn.rules
        #expect(rules.flatMap(\.problems).isEmpty)
        let names = [
            "CLUSTER", "DATA_SILENCE", "EMERGENCY", "GROUP", "REPEAT", "SENSITIVE", "SURGE_DAY", "SURGE_HOUR",
            "SURGE_SPARSE", "TREND_STL",
        ]
        #expect(rules.map(\.id) == names)
        for rule in rules {
            #expect(try JSONDecoder().decode(DetectionRule.self, from: JSONEncoder().encode(rule)) == rule)
        }
    }

    @Test func `is read from what is written and has the method's defaults for the rest`() throws {
        let text =
            #"{"id":"GROUP","version":2,"title":"群体","method":"group","kind":"concentrated","levels":{"yellow":4}}"#
        let rule = try JSONDecoder().decode(DetectionRule.self, from: Data(text.utf8))
        #expect(rule.problems.isEmpty && rule.parameter(.windowHours) == 72 && rule.level(of: 4) == .yellow)
    }

    @Test func `names the field that is wrong`() throws {
        func fields(_ id: String, _ change: (inout DetectionRule) -> Void) throws -> [String] {
            var rule = try rule(id)
            change(&rule)
            return rule.problems.map(\.field)
        }
        #expect(try fields("GROUP") { $0.id = "group 1" } == ["id"])
        #expect(try fields("GROUP") { $0.version = 0 } == ["version"])
        #expect(try fields("GROUP") { $0.parameters = ["window_hour": 3] } == ["parameters.window_hour"])
        #expect(try fields("GROUP") { $0.parameters = ["window_hours": -1] } == ["parameters.window_hours"])
        #expect(try fields("GROUP") { $0.levels = ["yellow": 5, "orange": 5] } == ["levels.orange"])
        #expect(try fields("GROUP") { $0.levels = ["amber": 5] } == ["levels.amber"])
        #expect(try fields("GROUP") { $0.levels = [:] } == ["levels"])
        #expect(try fields("GROUP") { $0.words = [WordClass("x", .red, words: ["跳楼"])] } == ["words"])
        #expect(try fields("GROUP") { $0.scope.regions = ["37x"] } == ["scope.regions[0]"])
        #expect(try fields("SURGE_HOUR") { $0.levels = ["yellow": 1e-3, "red": 1e-2] } == ["levels.red"])
        #expect(try fields("SURGE_HOUR") { $0.levels = ["yellow": 1] } == ["levels.yellow"])
        #expect(try fields("SENSITIVE") { $0.words[0].words.append("死") }.count == 1)
        #expect(
            try fields("SENSITIVE") { $0.words[0].exclusions.append("楼价") }.first?.hasPrefix("words[0].exclusions")
                == true)
        #expect(try fields("SENSITIVE") { $0.words = [] } == ["words"])
    }

    @Test func `takes the place of the one that had its id`() throws {
        var own = try rule("GROUP")
        own.version = 2
        own.levels = ["yellow": 3]
        let rules = DetectionRules.builtIn.adding(try DetectionRules([own]))
        #expect(rules.named("GROUP")?.version == 2 && rules.rules.count == DetectionRules.builtIn.rules.count)
        #expect(throws: FederationError.self) { try DetectionRules([own, own]) }
    }
}
