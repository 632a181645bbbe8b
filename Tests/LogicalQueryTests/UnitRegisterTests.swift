import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct UnitRegisterTests {
    private let reference = ReferenceData(
        version: 1, title: "t",
        additions: [
            CodeList(
                name: "unit", title: "承办单位",
                entries: [
                    .init(code: "U1", title: "市住建局", node: "370100"), .init(code: "U1.1", title: "市热力办", parent: "U1"),
                    .init(code: "U1.1.1", title: "东区热力站", parent: "U1.1", node: "370102"),
                    .init(code: "U2", title: "市城管局"),
                ])
        ], notices: [], limits: LimitRules([]))

    private func rows(_ dimension: Dimension, _ reference: ReferenceData) throws -> [String: Int64] {
        let analysis = try Analysis(dimensions: [dimension], asOf: 0)
        var partial = PartialResult(for: analysis)
        for (unit, tickets) in [("东区热力站", Int64(1)), ("U1.1.1", 2), ("U1", 4), ("市城管局", 8), ("某单位", 16)] {
            try partial.add(key: [ExactText(unit)], sums: [tickets])
        }
        try partial.add(key: [nil], sums: [32])
        let table = try partial.rolledUp(for: analysis, reference).table(for: analysis)
        return Dictionary(uniqueKeysWithValues: table.rows.map { ($0.cells[0].text ?? "-", $0.cells[1].integer ?? 0) })
    }

    @Test func `units count under the one above them, whether rows have codes or names`() throws {
        #expect(try rows(.unit(level: 1), reference) == ["U1": 7, "U2": 8, "某单位": 16, "-": 32])
        #expect(try rows(.unit(level: 2), reference) == ["U1": 4, "U1.1": 3, "U2": 8, "某单位": 16, "-": 32])
        #expect(try rows(.unit, reference) == ["U1": 4, "U1.1.1": 3, "U2": 8, "某单位": 16, "-": 32])
        #expect(try rows(.unit(level: 1), .builtIn).count == 6, "without a register each stands for itself")
    }

    @Test func `a filter takes a unit by code or name, and on a level all below it`() throws {
        #expect(try Filter.parse("unit=市热力办", reference: reference).values == ["U1.1", "市热力办"])
        #expect(try Filter.parse("承办单位=某单位", reference: reference).values == ["某单位"])
        let below = try Filter.parse("unit:1=市住建局", reference: reference)
        #expect(below.field == .unit && below.values == ["U1", "市住建局", "U1.1", "市热力办", "U1.1.1", "东区热力站"])
        #expect(errorCode { _ = try Filter.parse("unit:1=某单位", reference: reference) } == "E_FILTER_VALUE")
        #expect(errorCode { _ = try Filter.parse("unit:1=U1") } == "E_FILTER_VALUE", "there is no register")
    }

    @Test func `units count under the node that they, or those above them, belong to`() throws {
        #expect(try rows(.nodeOfUnit, reference) == ["370100": 4, "370102": 3, "-": 56])
        let register = UnitRegister(reference)
        func units(_ comparison: FilterOperator, _ node: String) throws -> Filter {
            try register.filter(onNodes: Filter(.nodeOfUnit, comparison, [node]))
        }
        #expect(try units(.equals, "370100") == Filter(.unit, .equals, ["U1", "市住建局", "U1.1", "市热力办"]))
        #expect(try units(.notEquals, "370102") == Filter(.unit, .notEquals, ["U1.1.1", "东区热力站"]))
        #expect(try units(.hasPrefix, "3701").values.count == 6)
        #expect(errorCode { _ = try units(.equals, "370200") } == "E_FILTER_VALUE")
    }
}
