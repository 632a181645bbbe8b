import ConfigurationFiles
import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

struct DatasetFileTests {
    private func problems(_ text: String) -> [String] {
        do throws(FileProblems) {
            _ = try DatasetFile.read(text: text, file: "d.yaml", lists: .builtIn)
            return []
        } catch {
            return error.problems.map { "\($0.line) \($0.code)" }
        }
    }

    private let file = """
        dataset: outage
        version: 1
        title: 停水计划
        provider: 供水集团
        key: id
        time: begins
        region: area
        columns:
          - {name: id, title: 编号}
          - {name: begins, title: 开始, type: time}
          - {name: area, title: 地区}
          - {name: kind, title: 类型, codes: {water: 停水}}
          - {name: channel, title: 渠道, list: channel}
          - {name: cost, title: 费用, type: real, level: 2}

        """

    @Test(arguments: ["planned_outage", "social_supervision"])
    func `the examples can be registered, counted and read by the headings that they name`(name: String) throws {
        let dataset = try DatasetFile.read(
            path: repositoryRoot.appending(path: "datasets/\(name).yaml").path, lists: .builtIn
        ).dataset
        #expect(dataset.name == name)
        #expect(try Mapping.of(dataset, lists: .builtIn).resources == [ResourceName(name)])
        #expect(Fact(dataset).columns["region_code"] != nil)
    }

    @Test func `says which columns are needed, and has its own codes`() throws {
        let dataset = try DatasetFile.read(text: file, file: "d.yaml", lists: .builtIn)
        #expect(dataset.columns.filter(\.isRequired).map(\.name) == ["id", "begins"])
        #expect(dataset.roles == ["region_code": "area"] && dataset.lists.map(\.name) == ["outage_kind"])
        #expect(
            Fact(dataset).kind(of: "kind") == .text && Fact(dataset).kind(of: "cost") == nil, "sums are whole numbers")
    }

    @Test func `names every problem with its line`() {
        #expect(problems(file.replacing("key: id", with: "key: begins")) == ["5 E_DATASET_ROLE"])
        #expect(problems(file.replacing("dataset: outage", with: "dataset: Outage")) == ["1 E_DATASET_BAD_NAME"])
        #expect(problems(file.replacing("dataset: outage", with: "dataset: handling")) == ["1 E_DATASET_BAD_NAME"])
        #expect(problems(file.replacing("level: 2", with: "level: 3")) == ["14 E_DATASET_LEVEL"])
        #expect(problems(file.replacing("list: channel", with: "list: chanel")) == ["13 E_DATASET_UNKNOWN_LIST"])
        #expect(problems(file.replacing("type: real", with: "type: float")) == ["14 E_DATASET_UNKNOWN_WORD"])
        #expect(
            problems(file.replacing("{name: area,", with: "{name: id,")) == [
                "7 E_DATASET_ROLE", "11 E_DATASET_DUPLICATE_NAME",
            ])
    }
}
