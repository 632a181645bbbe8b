import ArgumentParser
import FederationModel
import Foundation
import NodeDesk

struct TicketDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete this node's records of tickets, here and everywhere.",
        discussion: """
            The request, the thread, its calls and their recordings become tombstones; what other nodes wrote on the ticket \
            stays theirs. Every node that may hold copies confirms: `removal list` shows who has. It can't be undone, and \
            a later import of the same records is refused (E_RECORD_DELETED).

            \(TicketRemoval.reasons)

            EXAMPLE
              federation-node ticket delete 370100-1 --reason subject_request --yes --config /srv/370100/node.yaml
            """)

    @OptionGroup var removal: TicketRemoval

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        if !yes {
            guard isatty(STDIN_FILENO) == 1 else { throw ValidationError("without a terminal, --yes must be given") }
            Output.note("删除后不可恢复，请输入 yes 确认：\(removal.ids.joined(separator: " ").printable)")
            guard readLine() == "yes" else { throw ExitCode.failure }
        }
        try await removal.run(.delete)
    }
}

struct TicketRecallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall", abstract: "Take this node's records of tickets back from every other node.",
        discussion: """
            The records stay here and leave all others, which confirm: `removal list` shows who has. What is added to such \
            a ticket stays here too. `removal lift` ends it.

            \(TicketRemoval.reasons)

            EXAMPLE
              federation-node ticket recall 370100-1 --reason shared_by_mistake --config /srv/370100/node.yaml
            """)

    @OptionGroup var removal: TicketRemoval

    func run() async throws { try await removal.run(.recall) }
}

/// What both commands ask for.
struct TicketRemoval: ParsableArguments {
    @OptionGroup var node: NodeOptions

    @Argument(help: "Global ids or numbers of tickets.")
    var ids: [String]

    @Option(help: "The ground: a code of the list below. It goes to every node, so there is no free text.")
    var reason: String

    @Flag(help: "Print JSON.")
    var json = false

    static var reasons: String {
        let entries = NodeDesk.removalReasons?.entries ?? []
        return "REASONS\n" + entries.map { "  \($0.code)  \($0.title)" }.joined(separator: "\n")
    }

    func validate() throws {
        let codes = NodeDesk.removalReasons?.entries.map(\.code) ?? []
        guard codes.contains(reason) else {
            throw ValidationError("--reason \(reason): \(suggestion(for: reason, among: codes))")
        }
    }

    func run(_ kind: RemovalKind) async throws {
        try await node.desk().remove(kind, tickets: ids, reason: reason).show(kind.title, json: json)
    }
}

extension RemovalReport {
    private struct JSON: Encodable {
        let removal: String
        let tickets: [String]
        let rows: Int
    }

    func show(_ act: String, json: Bool) throws {
        if json {
            try Output.json(JSON(removal: id, tickets: tickets, rows: rows))
        } else {
            print("\(act) \(tickets.count) 件 \(rows) 条记录，单号 \(id)")
        }
    }
}
