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

    /// Snapshots, files that only add, pushes by two tokens and what persons write, with undoing in between: what is left is what the
    /// intakes that were not undone would have made alone. Tickets on which others have acted are looked at for what must stay.
    /// One after the other: forty pairs of nodes at a time would hold more files open than a process can start others with.
    @Test(.serialized, arguments: 0..<40)
    func `any intakes, undone at any time and in any order, leave what the others alone would leave`(seed: UInt64)
        async throws
    {
        var random = SplitMix64(seed: seed)
        let (node, fresh) = (try TestNode(), try TestNode())
        var world = IntakeWorld()
        for _ in 0..<14 {
            let step = world.next(&random)
            let number = try await node.take(step)
            if let number { world.taken.append((number, step)) }
            guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
            try await node.undoOne(of: &world, &random)
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) { try await node.undoOne(of: &world, &random) }
        for (number, step) in world.taken where !world.undone.contains(number) {
            _ = try await fresh.take(step)
        }
        func ofIntakes(_ lines: [String]) -> [String] { lines.filter { !world.isShared($0) } }
        let (left, wanted) = (ofIntakes(try await node.liveRecords()), ofIntakes(try await fresh.liveRecords()))
        #expect(left == wanted, "\(world.undone)")
        let supervisions = try await node.count("supervision WHERE deleted = 0")
        while try await node.undoOne(of: &world, &random) {}
        #expect(ofIntakes(try await node.liveRecords()).isEmpty, "\(world.undone)")
        #expect(try await node.count("supervision WHERE deleted = 0") == supervisions)
        // What only pushes made is gone too; what persons have supervised is there still.
        let supervised = try await node.desk.local.store.rows(
            sql: "SELECT DISTINCT global_id FROM main.supervision WHERE deleted = 0", arguments: []
        ).compactMap { $0[0].text }
        let rest = try await node.liveRecords()
        #expect(rest.allSatisfy { line in supervised.contains { line.contains($0) } })
        #expect(
            supervised.allSatisfy { ticket in rest.contains { $0.hasPrefix("service_request") && $0.contains(ticket) } }
        )
    }
}

/// One thing that happens to a node.
private enum IntakeStep {
    case snapshot(SourceFile)
    case append(SourceFile)
    case push(token: String, at: UnixMilliseconds, requests: [(key: String, title: String)], units: [String])
    /// Not undone.
    case supervision(ticket: Int)
}

private struct IntakeWorld {
    /// Tickets 1 to 12 are of files and of pushed requests, 13 to 15 are supervised too, 16 to 18 have pushed threads.
    private var file = SourceFile()
    private var token = "crm"
    private var time: UnixMilliseconds = ShanghaiTime.parse("2025-09-30T09:00:00+08:00") ?? 0
    var taken: [(Int64, IntakeStep)] = []
    var undone: [Int64] = []

    /// Whether a record is on a ticket on which several have acted.
    func isShared(_ line: String) -> Bool { (13...18).contains { line.contains("370100-\($0)") } }

    mutating func next(_ random: inout SplitMix64) -> IntakeStep {
        time += 900_000
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            file.edit(&random)
            return .snapshot(file)
        case 4..<6:
            file.edit(&random)
            for number in file.rows.keys.sorted() where Bool.random(using: &random) { file.remove(number) }
            return .append(file)
        case 6..<9:
            // Two tokens that write the same record within one hour can't be told apart by the hour.
            if Int.random(in: 0..<3, using: &random) == 0 {
                token = token == "crm" ? "app" : "crm"
                time += 3_600_000
            }
            let requests = (0..<3).map { _ in
                (
                    key: "\(Int.random(in: 1...18, using: &random))",
                    title: ["路灯不亮", "井盖缺失", "噪音"].randomElement(using: &random) ?? ""
                )
            }
            let units = requests.map(\.key).filter { (Int($0) ?? 0) > 15 && Bool.random(using: &random) }
            return .push(token: token, at: time, requests: requests, units: units)
        default: return .supervision(ticket: Int.random(in: 13...15, using: &random))
        }
    }
}

extension TestNode {
    /// - Returns: the number of the intake; nil when it was none.
    fileprivate func take(_ step: IntakeStep) async throws -> Int64? {
        switch step {
        case .snapshot(let file): return try await self.import(file).intake
        case .append(let file):
            return try await self.import(file, mapping: "closure: append\n" + SourceFile.mapping).intake
        case .push(let token, let time, let requests, let units):
            clock.pass(time - clock.now)
            let pusher = desk.acting(as: .token(token))
            for (key, title) in requests {
                let json = """
                    {"key":"\(key)","service_request_id":"\(key)","requested_datetime":"2025-09-01T09:00:00+08:00","channel":"01",
                    "request_type":"2","urgency":"normal","acceptance":"accepted","title":"\(title)"}
                    """
                try await pusher.push(json, "service_request")
            }
            for key in units {
                let json = """
                    {"key":"a-\(key)","global_id":"370100-\(key)","occurred_at":"2025-09-01T10:00:00+08:00",
                    "assignee_unit":"城管局","role":"main","due_datetime":"2025-10-14T18:00:00+08:00"}
                    """
                try await pusher.push(json, "assignment")
            }
            return try await desk.intakes(limit: 50).first { $0.kind == .push && $0.source == token }?.number
        case .supervision(let ticket):
            guard try await count("service_request WHERE deleted = 0 AND \"key\" = '370100-\(ticket)'") == 1 else {
                return nil
            }
            try await record("supervise", of: "370100-\(ticket)", ["level": "reminder", "trigger": "poor"])
            return nil
        }
    }

    /// - Returns: whether there was one that had not been undone.
    @discardableResult
    fileprivate func undoOne(of world: inout IntakeWorld, _ random: inout SplitMix64) async throws -> Bool {
        let left = Set(world.taken.map(\.0)).subtracting(world.undone).sorted()
        guard let number = left.randomElement(using: &random) else { return false }
        let before = try await liveRecords()
        let trial = try await desk.undo(intake: number, isTrial: true)
        #expect(try await liveRecords() == before)
        let report = try await desk.undo(intake: number, isTrial: false)
        #expect(trial.removed == report.removed && trial.restored == report.restored && trial.kept == report.kept)
        world.undone.append(number)
        return true
    }
}

extension NodeDesk {
    fileprivate func push(_ json: String, _ resource: ResourceName) async throws {
        let body = Array(json.utf8)
        let report = try await push([0..<body.count], of: body, resource: resource)
        #expect(["accepted", "unchanged"].contains(report.results[0].outcome.name), "\(report.results[0])")
    }
}
