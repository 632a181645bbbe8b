import FederationModel
import LogicalQuery
import NodeDesk
import Testing

@Suite struct `A question by an axis of categories` {
    @Test func `has figures, former figures and plans under its codes`() async throws {
        let node = try TestNode("370200")
        try node.clock.set("2024-09-30T09:00:00+08:00")
        for category in ["03.02.01", "03.06.02"] { _ = try await node.addTicket(["service_code": category]) }
        try node.clock.set("2025-09-30T09:00:00+08:00")
        _ = try await node.addTicket(["service_code": "03.02.02"])
        var question = AnalysisQuestion()
        question.dimensions = ["政府职能"]
        question.from = ShanghaiTime.parseLocal("2025-09-01 00:00:00")
        question.to = ShanghaiTime.parseLocal("2025-10-01 00:00:00")
        question.comparison = .year
        question.plan = [["指标": "诉求量", "期间": "2025-09", "政府职能": "住房城乡建设", "计划值": "4"]]
        let table = try await node.desk.ask(question, deadlineMS: 60_000).table
        let row = try #require(table.rows.first)
        #expect(table.rows.count == 1, "one of the former period is no row of its own")
        let cells = Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.name), row.cells))
        #expect(cells["function"] == .text("housing") && cells["count"] == .integer(1))
        #expect(cells["count:former"] == .integer(2) && cells["count:plan"] == .integer(4))
        question = AnalysisQuestion()
        question.filters = ["问题领域=供暖"]
        #expect(try await node.desk.ask(question, deadlineMS: 60_000).table.rows.map(\.cells) == [[.integer(2)]])
    }

    @Test func `names a node as tables print it`() async throws {
        let node = try TestNode("370200")
        #expect(try node.desk.node(named: "370200 青岛市").id == NodeID("370200"))
        #expect(await code { try node.desk.node(named: "370100 青岛市") } == "E_NODE_UNKNOWN")
    }
}
