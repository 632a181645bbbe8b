import FederationModel
import Foundation
import NodeDesk
import TestSupport
import Testing

@Suite struct `A later export is the truth about its own rows` {
    private func closed() -> SourceFile {
        var file = SourceFile()
        file.set(
            7,
            [
                "unit": "城管局", "due": "2025-09-20 18:00", "replied": "2025-09-05 10:00", "answer": "已修复",
                "status": "closed", "closed": "2025-09-06 10:00", "score": "5",
            ])
        file.set(8)
        return file
    }

    private func status(_ node: TestNode) async throws -> TicketStatus? {
        try await node.desk.ticket("370100-7").thread.state?.status
    }

    @Test func `a closure that was taken back reopens the ticket, and the report says so`() async throws {
        let node = try TestNode()
        var file = closed()
        #expect(try await node.import(file).counts.changes == [.new: 2])
        #expect(try await status(node) == .evaluated)
        file.set(7, ["status": "open", "closed": "", "score": ""])
        let trial = try await node.import(file, isDryRun: true)
        #expect(trial.counts.changes == [.reopened: 1] && trial.counts.unchanged == 1)
        #expect(try await status(node) == .evaluated, "a trial changes nothing")
        let report = try await node.import(file)
        #expect(report.counts.changes == [.reopened: 1] && report.counts.unchanged == 1 && report.counts.accepted == 1)
        #expect(try await status(node) == .replied)
        #expect(try await node.import(file).counts.unchanged == 2)
        #expect(try await node.import(closed()).counts.changes == [.changed: 1])
        #expect(try await status(node) == .evaluated)
    }

    @Test func `a verdict or a reply that was deleted is withdrawn, and another unit takes the place of the first`()
        async throws
    {
        let node = try TestNode()
        var file = closed()
        try await node.import(file)
        file.set(7, ["score": ""])
        #expect(try await node.import(file).counts.changes == [.withdrawn: 1])
        #expect(try await status(node) == .closed)
        file.set(7, ["unit": "住建局"])
        file.set(8, ["title": "井盖"])
        file.set(9)
        #expect(try await node.import(file).counts.changes == [.changed: 2, .new: 1])
        #expect(try await node.desk.ticket("370100-7").thread.state?.unit == "住建局")
    }

    @Test func `what persons wrote on the ticket stays`() async throws {
        let node = try TestNode()
        var file = closed()
        try await node.import(file)
        try await node.record("supervise", of: "370100-7", ["level": "reminder", "trigger": "poor"])
        file.set(7, ["status": "open", "closed": "", "score": "", "replied": ""])
        #expect(try await node.import(file).counts.changes == [.reopened: 1])
        #expect(try await node.count("supervision WHERE deleted = 0") == 1)
    }

    @Test func `a source that only adds takes nothing back`() async throws {
        let node = try TestNode()
        var file = closed()
        let mapping = "closure: append\n" + SourceFile.mapping
        try await node.import(file, mapping: mapping)
        file.set(7, ["status": "open", "closed": "", "score": ""])
        #expect(try await node.import(file, mapping: mapping).counts.unchanged == 2)
        #expect(try await status(node) == .evaluated)
    }

    @Test func `a row that takes back a closure may also go on where the state machine guards`() async throws {
        let node = try TestNode()
        var file = closed()
        let mapping = "guarded: true\nclosure: snapshot\n" + SourceFile.mapping
        file.set(7, ["score": ""])
        try await node.import(file, mapping: mapping)
        file.set(7, ["status": "open", "closed": "", "replied": "", "unit": "住建局"])
        let report = try await node.import(file, mapping: mapping)
        #expect(report.counts.changes == [.reopened: 1] && report.counts.rejected == 0)
        #expect(try await status(node) == .dispatched)
    }

    @Test func `two rows of one key that differ are one ticket and a refusal, and an equal one is counted`()
        async throws
    {
        let node = try TestNode()
        let header = "number,opened,title,unit,due,replied,answer,status,closed,score\n"
        try node.write(SourceFile.mapping, to: "crm.yaml")
        let row = { (title: String) in "1,2025-09-01 09:00,\(title),,,,,open,,\n" }
        try node.write(header + row("a") + row("b") + row("a") + row("c"), to: "crm.csv")
        let request = ImportRequest(
            path: node.path("crm.csv"), mappingPath: node.path("crm.yaml"), resource: "service_request")
        for change in [[IntakeChange.new: 1], [:]] {
            let report = try await node.desk.importFile(request).report
            #expect(report.counts.changes == change && report.counts.collapsed == 1)
            #expect(report.rejectedByCode == ["E_ROW_REPEATED": 2] && report.repeatedRows == [2, 3, 4])
            let rejects = try String(contentsOfFile: try #require(report.rejectsFile), encoding: .utf8)
            #expect(rejects.contains("2,3,,E_ROW_REPEATED,row 1 of this file"))
        }
        try node.write("closure: append\n" + SourceFile.mapping, to: "crm.yaml")
        let added = try await node.desk.importFile(request).report
        #expect(added.counts.collapsed == 3 && added.counts.changes == [.changed: 1] && added.counts.rejected == 0)
        #expect(try await node.count("service_request WHERE title = 'c'") == 1)
    }

    @Test(arguments: 0..<12)
    func `imports of many days leave what an import of the last file leaves, beside what others wrote`(seed: UInt64)
        async throws
    {
        var random = SplitMix64(seed: seed)
        let (node, fresh) = (try TestNode(), try TestNode())
        var file = SourceFile()
        var written: [String] = []
        for _ in 0..<6 {
            file.edit(&random)
            try await node.import(file)
            let ticket = try #require(file.rows.keys.randomElement(using: &random))
            let event = try await node.record(
                "supervise", of: "370100-\(ticket)", ["level": "reminder", "trigger": "poor"])
            written.append(event.key)
        }
        try await fresh.import(file)
        let own = try await node.liveRecords()
        let others = own.filter { line in written.contains { line.contains($0) } }
        #expect(others.count == written.count)
        #expect(own.filter { !others.contains($0) } == (try await fresh.liveRecords()))
    }
}
