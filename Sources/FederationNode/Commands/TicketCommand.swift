import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime

struct TicketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket", abstract: "Single tickets.", subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the tickets that this node holds, those requested last first.",
            discussion: """
                EXAMPLE
                  federation-node ticket list --origin 370102 --status evaluated --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Only those of one node: its code or the beginning of its name.")
        var origin: String?

        @Option(help: "Only those in one state: \(TicketStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
        var status: String?

        @Option(help: "At most so many.")
        var limit = 20

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let state = try status.map { word in
                guard let state = TicketStatus(rawValue: word) else {
                    throw ValidationError("--status \(word) is not a state of a ticket")
                }
                return state
            }
            guard limit >= 0 else { throw ValidationError("--limit must not be negative") }
            let local = try node.open()
            try await local.store.catchUpConsumers()
            let tickets = try await local.store.tickets(
                origin: try origin.map { try local.node(named: $0).id }, status: state, limit: limit)
            if json {
                try Output.json(tickets.map(TicketLine.init))
                return
            }
            var table = TextTable(header: ["全局标识", "来源", "受理时间", "状态", "标题"])
            for ticket in tickets {
                let origin = NodeID(ticket.origin).flatMap { local.topology.node($0)?.name } ?? ticket.origin
                table.append([
                    ticket.globalID, origin, ShanghaiTime.minute(ticket.requestedAt), ticket.status?.title ?? "–",
                    ticket.title ?? "",
                ])
            }
            print(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a ticket with the records of its thread and its eight stages.",
            discussion: "EXAMPLE\n  federation-node ticket show 370102-1 --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The ticket's global id or number.")
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let local = try node.open()
            try await local.store.catchUpConsumers()
            let thread = try await local.store.ticket(id)
            if json {
                try Output.json(TicketReport(thread))
            } else {
                print(thread.text(topology: local.topology))
            }
        }
    }
}

private struct TicketLine: Encodable {
    let id: String
    let number: String?
    let origin: String
    let title: String?
    let requestedAt: String
    let status: String?

    init(_ ticket: TicketSummary) {
        id = ticket.globalID
        number = ticket.number
        origin = ticket.origin
        title = ticket.title
        requestedAt = ShanghaiTime.rfc3339(ticket.requestedAt)
        status = ticket.status?.rawValue
    }
}

private struct TicketReport: Encodable {
    struct Event: Encodable {
        let resource: String
        let stage: String?
        let node: String
        let key: String
        let occurredAt: String
        let round: Int64?
        let unit: String?
    }

    let id: String
    let number: String?
    let origin: String?
    let status: String?
    let round: Int64?
    let due: String?
    let conflicts: [String]
    let stages: [String: Int]
    let events: [Event]

    init(_ thread: TicketThread) {
        let request = thread.records.first { $0.resource.stage == .acceptance }
        id = thread.globalID
        number = request?.fields["service_request_id"]?.text
        origin = request?.origin
        status = thread.state?.status.rawValue
        round = thread.state?.round
        due = thread.state?.dueAt.map { ShanghaiTime.rfc3339($0) }
        conflicts = thread.state?.conflicts ?? []
        stages = Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0.title, thread.count(of: $0)) })
        events = thread.records.map {
            Event(
                resource: $0.resource.name.text, stage: $0.resource.stage?.title, node: $0.origin, key: $0.key,
                occurredAt: ShanghaiTime.rfc3339($0.occurredAt), round: $0.round, unit: $0.unit)
        }
    }
}

extension TicketThread.Record {
    /// The unit that acted, or was named, in this record.
    fileprivate var unit: String? {
        ["assignee_unit", "unit", "target_unit"].lazy.compactMap { fields[$0]?.text }.first
    }

    /// What the record says in a few words: its code fields, by their names.
    fileprivate var summary: String {
        let codes = resource.columns.compactMap { column -> String? in
            guard let list = column.codeList, let code = fields[column.name]?.text else { return nil }
            return CodeList.named(list)?.title(of: code) ?? code
        }
        return codes.joined(separator: " · ")
    }
}

extension TicketThread {
    /// The eight stages in their order, each with its records or a dash; helper records stand under the stage before.
    fileprivate func text(topology: Topology) -> String {
        var lines = ["工单 \(globalID)"]
        if let request = records.first(where: { $0.resource.stage == .acceptance }) {
            lines.append(
                "  编号 \(request.fields["service_request_id"]?.text ?? "–")  \(request.fields["title"]?.text ?? "")")
        }
        if let state {
            var line = "  状态 \(state.status.title)  第 \(state.round) 轮"
            if let due = state.dueAt { line += "  时限 \(ShanghaiTime.minute(due))" }
            if !state.conflicts.isEmpty { line += "  冲突 \(state.conflicts.joined(separator: ", "))" }
            lines.append(line)
        }
        for stage in Stage.allCases {
            let found = records.filter { $0.resource.stage == stage }
            guard let first = found.first else {
                lines.append("  \(stage.title)  –")
                continue
            }
            lines.append("  \(stage.title)  \(describe(first, topology))")
            for record in found.dropFirst() { lines.append("        \(describe(record, topology))") }
        }
        let helpers = records.filter { $0.resource.stage == nil }
        if !helpers.isEmpty { lines.append("  其他记录") }
        for record in helpers { lines.append("        \(record.resource.title)  \(describe(record, topology))") }
        return lines.joined(separator: "\n")
    }

    private func describe(_ record: Record, _ topology: Topology) -> String {
        let name = NodeID(record.origin).flatMap { topology.node($0)?.name } ?? record.origin
        let parts = [ShanghaiTime.second(record.occurredAt), name, record.unit ?? "", record.summary]
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }
}
