import ConfigurationFiles
import Detection
import LogicalQuery
import Testing

@Suite struct `A file of an evaluation scheme` {
    private static let good = """
        scheme: city-hotlines
        version: 2
        title: 评价
        evaluated: hotline
        criteria:
          - {id: resolution_rate, weight: 0.4, sample_min: 30}
          - {id: 满意率, title: 满意, weight: 0.4}
          - {id: survey, title: 满意度调查, weight: 0.2, source: survey}
        groups:
          东部: ["370200"]
        classes:
          - {name: 优, least: 80}
          - {name: 其他, least: 0}
        exclusions:
          恶意: "acceptance = 'not_accepted'"

        """

    private func problems(_ text: String) -> [String] {
        do throws(FileProblems) {
            _ = try SchemeFile.read(text: text, file: "scheme.yaml", library: .builtIn)
            return []
        } catch {
            return error.problems.map { "\($0.line) \($0.code)" }
        }
    }

    @Test func `is read whole`() throws {
        let file = try SchemeFile.read(text: Self.good, file: "scheme.yaml", library: .builtIn)
        #expect(file.scheme.id == "city-hotlines" && file.scheme.version == 2 && file.scheme.evaluated == .hotline)
        #expect(file.scheme.criteria.map(\.weight) == [0.4, 0.4, 0.2])
        #expect(file.scheme.criteria.map(\.sampleMin) == [30, 1, 1])
        #expect(file.scheme.criteria.map(\.source) == [.hotline, .hotline, .survey])
        #expect(file.scheme.groups == ["东部": ["370200"]] && file.scheme.classes.map(\.name) == ["优", "其他"])
        #expect(file.scheme.exclusions == ["恶意"] && file.exclusions["恶意"] == "acceptance = 'not_accepted'")
    }

    @Test func `is refused when the weights are not 1 together, where they stand (7.2.4-1)`() {
        #expect(problems(Self.good.replacing("weight: 0.2", with: "weight: 0.3")) == ["5 E_SCHEME_WEIGHTS"])
    }

    @Test func `has every problem named with its line`() {
        let bad = Self.good.replacing("resolution_rate", with: "resolution_rat")
            .replacing("sample_min: 30", with: "sample_min: 0").replacing("source: survey", with: "source: poll")
            .replacing("'not_accepted'", with: "")
        #expect(
            problems(bad) == [
                "6 E_SCHEME_BAD_NUMBER", "6 E_SCHEME_INDICATOR", "8 E_SCHEME_UNKNOWN_WORD", "15 E_SCHEME_EXCLUSION",
            ])
        #expect(problems(Self.good.replacing("least: 0}", with: "least: 10}")) == ["11 E_SCHEME_INVALID"])
        #expect(
            problems(Self.good.replacing("acceptance = 'not_accepted'", with: "repeat_mark = 'mark_repeat'"))
                == ["15 E_SCHEME_EXCLUSION"], "callbacks know nothing of that column of their ticket")
        #expect(problems(Self.good.replacing("resolution_rate", with: "three_rates")) == ["6 E_SCHEME_INDICATOR"])
    }
}
