import ArgumentParser
import FederationModel
import Foundation
import NodeDesk

struct TicketListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tickets that this node holds, those requested last first.",
        discussion: """
            EXAMPLE
              federation-node ticket list --origin 370102 --status evaluated --config /srv/370000/node.yaml
              federation-node ticket list --overdue --unit 市住建局 --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "Only those of one node: its code or the beginning of its name.")
    var origin: String?

    @Option(help: "Only those in one state: \(TicketStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
    var status: String?

    @Option(help: "Only those with this number, their own or the one that they came with.")
    var number: String?

    @Option(help: "Only those that this unit handles.")
    var unit: String?

    @Option(help: "Only those requested on this day or later (YYYY-MM-DD).")
    var since: String?

    @Flag(help: "Only those that are open though their time limit is over.")
    var overdue = false

    @Option(help: "At most so many.")
    var limit = 20

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard limit >= 0 else { throw ValidationError("--limit must not be negative") }
        var filter = TicketFilter()
        filter.status = try status.map { word in
            guard let state = TicketStatus.allCases.first(where: { $0.rawValue == word || $0.title == word }) else {
                throw ValidationError("--status \(word) is not a state of a ticket")
            }
            return state
        }
        filter.since = try since.map { text in
            guard let time = ShanghaiTime.parse(text) else { throw ValidationError("--since is not a date") }
            return time
        }
        (filter.number, filter.unit, filter.isOverdue) = (number, unit, overdue)
        let desk = try node.desk()
        let tickets = try await desk.tickets(filter, origin: origin, limit: limit)
        if json {
            try Output.json(tickets.map(TicketLine.init))
            return
        }
        var table = TextTable(header: ["全局标识", "工单编号", "来源", "诉求时间", "状态", "标题"])
        for ticket in tickets {
            table.append([
                ticket.globalID.printable, ticket.number?.printable ?? "–", desk.topology.title(of: ticket.origin),
                ShanghaiTime.minute(ticket.requestedAt), ticket.status?.title ?? "–", ticket.title?.printable ?? "",
            ])
        }
        try Output.line(table.text)
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

extension Topology {
    /// The name of the node with this code; the code itself of one that is not in the topology.
    func title(of code: String) -> String { NodeID(code).flatMap { node($0)?.name } ?? code }
}
