import ArgumentParser
import FederationModel
import Foundation
import NodeDesk

struct TicketShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a ticket: its eight stages with the records of its thread, its calls and its time limit.",
        discussion: "EXAMPLE\n  federation-node ticket show 370102-1 --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Argument(help: "The ticket's global id or one of its numbers.")
    var id: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let desk = try node.desk()
        let report = try await desk.ticket(id)
        if json {
            try Output.json(TicketDocument(report))
        } else {
            print(TicketDrawing(report: report, topology: desk.topology, reference: desk.reference).text)
        }
    }
}

private struct TicketDocument: Encodable {
    struct Event: Encodable {
        let resource: String
        let stage: String?
        let node: String
        let key: String
        let occurredAt: String
        let round: Int64?
        let unit: String?
        let due: String?
    }

    struct Call: Encodable {
        let key: String
        let node: String
        let arrival: String
        let disposition: String?
        let queueSeconds: Int64?
        let talkSeconds: Int64?
    }

    struct Recording: Encodable {
        let key: String
        let node: String
        let call: String?
        let sha256: String?
        let sm3: String?
        let durationSeconds: Int64?
    }

    let id: String
    let number: String?
    let origin: String?
    let status: String?
    let round: Int64?
    let due: String?
    /// `none`, `yellow`, `red`: of an open ticket with a time limit.
    let card: String?
    let owner: String?
    let supervision: String?
    let held: Bool?
    let suspended: Bool?
    let mergedInto: String?
    let conflicts: [String]
    let stages: [String: Int]
    let events: [Event]
    let calls: [Call]
    let recordings: [Recording]

    init(_ report: TicketReport) {
        let thread = report.thread
        id = thread.globalID
        number = thread.request?.fields["service_request_id"]?.text
        origin = thread.request?.origin
        status = thread.state?.status.rawValue
        round = thread.state?.round
        due = thread.state?.dueAt.map { ShanghaiTime.rfc3339($0) }
        card = report.card?.rawValue
        owner = thread.state?.owner
        supervision = thread.state?.supervision.rawValue
        held = thread.state?.isHeld
        suspended = thread.state?.isSuspended
        mergedInto = thread.state?.mergedInto
        conflicts = thread.state?.conflicts ?? []
        stages = Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0.title, thread.count(of: $0)) })
        events = thread.records.map {
            Event(
                resource: $0.resource.name.text, stage: $0.resource.stage?.title, node: $0.origin, key: $0.key,
                occurredAt: ShanghaiTime.rfc3339($0.occurredAt), round: $0.round, unit: $0.unit,
                due: $0.due.map { ShanghaiTime.rfc3339($0) })
        }
        calls = thread.calls.map {
            Call(
                key: $0.key, node: $0.origin, arrival: ShanghaiTime.rfc3339($0.occurredAt),
                disposition: $0.fields["disposition"]?.text, queueSeconds: $0.fields["queue_seconds"]?.integer,
                talkSeconds: $0.fields["talk_seconds"]?.integer)
        }
        recordings = thread.recordings.map {
            Recording(
                key: $0.key, node: $0.origin, call: $0.fields["call_id"]?.text, sha256: $0.fields["sha256"]?.text,
                sm3: $0.fields["sm3"]?.text, durationSeconds: $0.fields["duration"]?.integer)
        }
    }
}

extension TicketThread.Record {
    /// The unit that acted, or was named, in this record.
    var unit: String? {
        ["assignee_unit", "unit", "target_unit"].lazy.compactMap { fields[$0]?.text }.first
    }

    /// The time limit that this record sets.
    var due: UnixMilliseconds? { fields["due_datetime"]?.integer }
}
