import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct ServiceAxisTests {
    private let reference = ReferenceData(
        version: 1, title: "t",
        additions: [
            CodeList(
                name: "service_code", title: "问题分类",
                entries: [
                    .init(code: "03", title: "城乡建设"), .init(code: "03.02", title: "供热", parent: "03"),
                    .init(code: "03.02.01", title: "温度不达标", parent: "03.02"),
                    .init(code: "03.03", title: "供水", parent: "03"), .init(code: "05", title: "交通运输"),
                ]),
            CodeList(
                name: "function", title: "政府职能",
                entries: [
                    .init(code: "housing", title: "住建"), .init(code: "water", title: "水务"),
                    .init(code: "tax", title: "税务"), .init(code: "03", title: "城乡建设", parent: "housing"),
                    .init(code: "03.03", title: "供水", parent: "water"),
                ]),
        ], notices: [], limits: LimitRules([]))

    private func rows(_ reference: ReferenceData) throws -> [String: Int64] {
        let analysis = try Analysis(dimensions: [.function], asOf: 0)
        var partial = PartialResult(for: analysis)
        for (category, tickets) in [("03", Int64(1)), ("03.02.01", 2), ("03.03", 4), ("05", 8), ("99", 16)] {
            try partial.add(key: [ExactText(category)], sums: [tickets])
        }
        try partial.add(key: [nil], sums: [32])
        let table = try partial.rolledUp(for: analysis, reference).table(for: analysis)
        return Dictionary(uniqueKeysWithValues: table.rows.map { ($0.cells[0].text ?? "-", $0.cells[1].integer ?? 0) })
    }

    @Test func `a category counts under its code of the axis, or that of the category it lies in`() throws {
        #expect(try rows(reference) == ["housing": 3, "water": 4, "-": 56])
        #expect(try rows(.builtIn) == ["-": 63], "nobody has put them anywhere")
    }

    @Test func `a filter on an axis is one on the categories that are counted so`() throws {
        func parse(_ text: String) throws -> Filter { try Filter.parse(text, reference: reference) }
        let category = Dimension.service(levels: nil)
        #expect(try parse("function=住建") == Filter(category, .equals, ["03", "03.02", "03.02.01"]))
        #expect(try parse("政府职能=water,住建") == Filter(category, .equals, ["03", "03.02", "03.02.01", "03.03"]))
        #expect(try parse("function!=water") == Filter(category, .notEquals, ["03.03"]))
        #expect(try parse("function^=wa") == Filter(category, .equals, ["03.03"]))
        for text in ["function=供热", "function=03", "function=消防", "function=税务", "domain=供暖"] {
            #expect(errorCode { _ = try parse(text) } == "E_FILTER_VALUE", "\(text)")
        }
    }
}
