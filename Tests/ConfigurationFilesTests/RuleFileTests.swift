import ConfigurationFiles
import Detection
import FederationModel
import Testing

@Suite struct `A file of rules` {
    private func problems(_ text: String) -> [String] {
        do throws(FileProblems) {
            _ = try RuleFile.read(text: text, file: "rules.yaml")
            return []
        } catch {
            return error.problems.map { "\($0.line) \($0.code)" }
        }
    }

    @Test func `is read with all that a rule has`() throws {
        let file = try RuleFile.read(
            text: """
                rules:
                  - id: GROUP
                    version: 2
                    title: 群体诉求
                    method: group
                    kind: concentrated
                    parameters: {window_hours: 48}
                    levels: {yellow: 4, red: 30}
                    scope: {regions: ["3701"], categories: ["03"]}
                  - id: SENSITIVE
                    version: 3
                    title: 敏感诉求
                    method: immediate
                    kind: sensitive
                    words:
                      - {name: 极端行为, level: red, words: [跳楼], exclusions: [跳楼价], receivers: ["110"]}
                """, file: "rules.yaml")
        let group = try #require(file.rules.named("GROUP"))
        #expect(
            group
                == DetectionRule(
                    id: "GROUP", version: 2, title: "群体诉求", method: .group, kind: .concentrated,
                    parameters: ["window_hours": 48], levels: [.yellow: 4, .red: 30],
                    scope: .init(regions: ["3701"], categories: ["03"])))
        #expect(file.rules.named("SENSITIVE")?.words.first?.exclusions == ["跳楼价"])
    }

    @Test func `tells every problem with its line`() {
        #expect(
            problems(
                """
                rules:
                  - id: GROUP
                    version: 2
                    title: 群体
                    method: grup
                    kind: concentrated
                  - id: repeat
                    version: 1
                    title: 反复
                    method: repeat
                    kind: concentrated
                    levels: {yellow: 5, orange: 3}
                  - id: WORDS
                    version: 1
                    title: 词
                    method: immediate
                    kind: sensitive
                    words:
                      - name: 类
                        level: red
                        words: [跳楼]
                        exclusions: [别的]
                """)
                == ["5 E_RULE_UNKNOWN_WORD", "7 E_RULE_INVALID", "12 E_RULE_INVALID", "22 E_RULE_INVALID"])
        #expect(problems("rules: []") == ["1 E_RULE_COUNT"])
        #expect(problems("rules: [{}]").count == 5)
        #expect(problems("- 1") == ["1 E_RULE_NOT_A_MAPPING"])
    }
}
