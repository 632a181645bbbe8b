import ConfigurationFiles
import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct IndicatorFileTests {
    private func problems(_ text: String) -> [String] {
        do throws(FileProblems) {
            _ = try IndicatorFile.read(text: text, file: "i.yaml")
            return []
        } catch {
            return error.problems.map { "\($0.line) \($0.code)" }
        }
    }

    private let file = """
        version: 3
        title: 济南指标
        three_rates: {version: 2, response: 0.2, resolution: 0.4, satisfaction: 0.4}
        indicators:
          - name: night_share
            version: 1
            title: 夜间诉求占比
            clause: 市热线办 2025-3
            unit: percent
            numerator: 22 时以后诉求的
            denominator: 受理的诉求
            terms:
              - fact: ticket
                base: not merged
                numerator: count where urgency = 'urgent'
                denominator: count

        """

    @Test func `says figures in the language of declarations, and what the three rates weigh`() throws {
        let read = try IndicatorFile.read(text: file, file: "i.yaml")
        #expect(read.version == 3 && read.indicators.map(\.name) == ["night_share"])
        var library = IndicatorLibrary.builtIn
        library.adopt(read.indicators + read.remade, from: .own)
        let rates = try library.named("three_rates")
        #expect(rates.measure.version == 2 && rates.measure.terms.map(\.weight) == [0.2, 0.4, 0.4])
        #expect(rates.numerator.contains("响应率 ×0.2") && rates.source == .own)
        #expect(try library.named("夜间诉求占比").measure.terms[0].period == "requested_datetime")
        #expect(library.all.count == IndicatorLibrary.builtIn.all.count + 1)
    }

    @Test func `says which calls asked for a human`() throws {
        let set = file.replacing(
            "indicators:", with: "human_calls: {version: 4, short_abandon_seconds: 5}\nindicators:")
        let read = try IndicatorFile.read(text: set, file: "i.yaml")
        var library = IndicatorLibrary.builtIn
        library.adopt(read.indicators + read.remade, from: .own)
        for indicator in try ["human_call_count", "connect_rate", "mean_wait_seconds"].map({ try library.named($0) }) {
            #expect(indicator.measure.version == 4 && indicator.exclusions?.contains("不足 5 秒即放弃的") == true)
            #expect(indicator.measure.terms[0].base.text.contains("queue_seconds < 5"))
        }
        #expect(try library.named("call_count").measure.version == 1)
        #expect(library.all.map(\.name).dropLast() == IndicatorLibrary.builtIn.all.map(\.name)[...])
        #expect(problems(set.replacing("seconds: 5", with: "seconds: 61")) == ["4 E_INDICATORS_BAD_NUMBER"])
        #expect(problems(set.replacing("version: 4", with: "version: 1")) == ["4 E_INDICATORS_BAD_NUMBER"])
    }

    @Test func `names every problem with its line`() {
        #expect(problems(file.replacing("0.2, res", with: "0.3, res")) == ["3 E_INDICATORS_WEIGHTS"])
        #expect(problems(file.replacing("urgency = 'urgent'", with: "urgency = 1")) == ["15 E_INDICATORS_DECLARATION"])
        #expect(problems(file.replacing("not merged", with: "reporter_phone = '1'")) == ["14 E_INDICATORS_DECLARATION"])
        #expect(problems(file.replacing("fact: ticket", with: "fact: tickets")) == ["13 E_INDICATORS_UNKNOWN_FACT"])
        #expect(problems(file.replacing("unit: percent", with: "unit: per cent")) == ["9 E_INDICATORS_UNKNOWN_WORD"])
        #expect(problems(file.replacing("name: night_share", with: "name: Night")) == ["5 E_INDICATORS_DECLARATION"])
        #expect(problems(file.replacing("        denominator: count\n", with: "")) == ["12 E_INDICATORS_DENOMINATOR"])
        #expect(problems(file.replacing("version: 3", with: "version: 0")) == ["1 E_INDICATORS_BAD_NUMBER"])
        #expect(
            problems(file.replacing("denominator: count", with: "denominator: p50(round)")) == [
                "5 E_INDICATORS_DECLARATION"
            ])
        #expect(
            problems(file.replacing("        base:", with: "        period: status\n        base:")) == [
                "14 E_INDICATORS_PERIOD"
            ])
        let twice =
            file + file.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(4).joined(separator: "\n")
        #expect(problems(twice) == ["17 E_INDICATORS_DUPLICATE_NAME"])
        #expect(problems("[]") == ["1 E_INDICATORS_NOT_A_MAPPING"])
    }
}
