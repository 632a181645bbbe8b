import FederationModel
import Foundation
import LocalStore
import NodeDesk
import TestSupport
import Testing

@Suite struct `An intake can be undone` {
    @Test func `what was new goes, what was changed comes back, what was withdrawn returns, as new versions`()
        async throws
    {
        let node = try TestNode()
        var file = SourceFile()
        for number in 1...3 {
            file.set(
                number, ["status": "closed", "closed": "2025-09-06 10:00", "unit": "城管局", "due": "2025-09-20 18:00"])
        }
        let first = try #require(try await node.import(file).intake)
        let before = try await node.liveRecords()
        file.set(1, ["title": "井盖"])
        file.set(2, ["status": "open", "closed": ""])
        file.set(4)
        let second = try #require(try await node.import(file).intake)
        #expect(second == first + 1)
        let after = try await node.liveRecords()
        let trial = try await node.desk.undo(intake: second, isTrial: true)
        #expect(trial.removed == 1 && trial.restored == 2 && trial.kept == 0)
        #expect(try await node.liveRecords() == after)
        let rung = node.bell.rung.count
        let report = try await node.desk.undo(intake: second, isTrial: false)
        #expect(report.removed == 1 && report.restored == 2 && report.passedOn == 0 && report.kept == 0)
        #expect(try await node.liveRecords() == before)
        let head = try await node.desk.figures().head
        #expect(node.bell.rung.count == rung + 1 && node.bell.rung.last == head)
        #expect(await code { try await node.desk.undo(intake: second, isTrial: false) } == "E_INTAKE_UNDONE")
        #expect(await code { try await node.desk.undo(intake: 99, isTrial: false) } == "E_INTAKE_UNKNOWN")
        let list = try await node.desk.intakes(limit: 10)
        #expect(list.map(\.number) == [second, first] && list[0].undoneAt != nil && list[1].undoneAt == nil)
        #expect(list[0].counts.changes == [.new: 1, .changed: 1, .reopened: 1] && list[0].source == "crm")
        // The tombstone of the ticket that was new is changed.
        #expect(try await node.import(file).counts.changes == [.changed: 2, .reopened: 1])
    }

    @Test func `rows that a later file says too stay, until that is undone as well`() async throws {
        let node = try TestNode()
        var file = SourceFile()
        file.set(1)
        file.set(2)
        let first = try #require(try await node.import(file).intake)
        file.remove(2)
        file.set(3)
        let report = try await node.import(file)
        let second = try #require(report.intake)
        #expect(report.absent == 1 && report.counts.unchanged == 1)
        let undone = try await node.desk.undo(intake: first, isTrial: false)
        #expect(undone.removed == 1 && undone.passedOn == 1)
        #expect(try await node.count("service_request WHERE deleted = 0") == 2)
        _ = try await node.desk.undo(intake: second, isTrial: false)
        #expect(try await node.liveRecords().isEmpty)
    }

    @Test func `a ticket on which a person has acted stays and is named`() async throws {
        let node = try TestNode()
        var file = SourceFile()
        file.set(1, ["unit": "城管局", "due": "2025-10-20 18:00"])
        file.set(2)
        let intake = try #require(try await node.import(file).intake)
        try await node.record("supervise", of: "370100-1", ["level": "reminder", "trigger": "poor"])
        let report = try await node.desk.undo(intake: intake, isTrial: false)
        #expect(report.removed == 1 && report.kept == 2 && report.keptTickets == ["370100-1"])
        #expect(try await node.count("assignment WHERE deleted = 0") == 1)
        #expect(try await node.desk.intake(intake).kept == 2)
    }

    @Test func `what a token pushed within an hour is one intake`() async throws {
        let node = try TestNode()
        let crm = node.desk.acting(as: .token("crm"))
        func push(_ key: String, title: String) async throws {
            let json = """
                {"key":"\(key)","service_request_id":"\(key)","requested_datetime":"2025-09-30T08:00:00+08:00","channel":"01",
                "request_type":"2","urgency":"normal","acceptance":"accepted","title":"\(title)"}
                """
            let body = Array(json.utf8)
            let report = try await crm.push([0..<body.count], of: body, resource: "service_request")
            #expect(report.results.map(\.outcome.name) == ["accepted"])
        }
        try await push("1", title: "路灯")
        try await push("2", title: "井盖")
        try node.clock.set("2025-09-30T10:00:00+08:00")
        try await push("1", title: "错误")
        let list = try await node.desk.intakes(limit: 10)
        #expect(list.map(\.kind) == [.push, .push] && list.map(\.source) == ["crm", "crm"])
        #expect(list[1].counts.changes == [.new: 2] && list[0].counts.changes == [.changed: 1])
        _ = try await node.desk.undo(intake: list[0].number, isTrial: false)
        #expect(try await node.count("service_request WHERE title = '路灯' AND deleted = 0") == 1)
        _ = try await node.desk.undo(intake: list[1].number, isTrial: false)
        #expect(try await node.liveRecords().isEmpty)
    }

    @Test func `a deleted ticket does not come back, and nothing is kept of it`() async throws {
        let node = try TestNode()
        var file = SourceFile()
        file.set(1)
        try await node.import(file)
        file.set(1, ["title": "井盖"])
        let second = try #require(try await node.import(file).intake)
        _ = try await node.desk.remove(.delete, tickets: ["370100-1"], reason: "subject_request")
        #expect(try await node.count("former_service_request") == 0)
        let report = try await node.desk.undo(intake: second, isTrial: false)
        #expect(report.restored == 0 && report.removed == 0)
        #expect(try await node.liveRecords().isEmpty)
    }

    @Test func `when it is over for too long what rows were before is forgotten`() async throws {
        let node = try TestNode()
        var file = SourceFile()
        file.set(1)
        try await node.import(file)
        file.set(1, ["title": "井盖"])
        let second = try #require(try await node.import(file).intake)
        let day: Int64 = 86_400_000
        let store = node.desk.local.store
        _ = try await store.prune(receivers: [], retention: day, undo: 30 * day, now: node.clock.now + 29 * day)
        #expect(try await node.count("former_service_request") == 1)
        _ = try await store.prune(receivers: [], retention: day, undo: 30 * day, now: node.clock.now + 31 * day)
        #expect(try await node.count("former_service_request") == 0)
        #expect(await code { try await node.desk.undo(intake: second, isTrial: false) } == "E_INTAKE_FORGOTTEN")
    }

    /// Whatever is undone, in whatever order, the store is what the imports that are left would have made of it.
    @Test(arguments: 0..<16)
    func `undoing some imports leaves what the others alone would leave`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let (node, fresh) = (try TestNode(), try TestNode())
        var file = SourceFile()
        var files: [Int64: SourceFile] = [:]
        for _ in 0..<6 {
            file.edit(&random)
            for number in file.rows.keys.sorted() where Int.random(in: 0..<8, using: &random) == 0 {
                file.remove(number)
            }
            files[try #require(try await node.import(file).intake)] = file
        }
        let undone = files.keys.sorted().shuffled(using: &random).prefix(Int.random(in: 1...6, using: &random))
        for number in undone {
            let report = try await node.desk.undo(intake: number, isTrial: false)
            #expect(report.kept == 0)
        }
        for number in files.keys.sorted() where !undone.contains(number) {
            try await fresh.import(try #require(files[number]))
        }
        let (left, wanted) = (try await node.liveRecords(), try await fresh.liveRecords())
        #expect(left == wanted, "\(undone)")
    }
}
