import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime

struct TransferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "Hand a ticket to another node, take one over, send one back, decide who handles it.",
        discussion: """
            One node owns the handling of a ticket at any time. Until an offer is accepted, that is whoever made it.

            EXAMPLE
              federation-node transfer offer 370100-01K6C4 --to 370900 --config /srv/370100/node.yaml
              federation-node transfer list --open --config /srv/370000/node.yaml
            """,
        subcommands: [Offer.self, Accept.self, Return.self, Designate.self, TransferListCommand.self])

    struct Offer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Offer a ticket to another node, which accepts or returns it.",
            discussion: """
                The handling stays here until the other node has accepted. A second offer waits for the answer to the first.

                EXAMPLE
                  federation-node transfer offer 370100-01K6C4 --to 泰安 --reason 事发地在泰安 --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The ticket's global id or number.")
        var ticket: String

        @OptionGroup var target: TransferTarget

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try await TransferDesk(node, ticket)
            try await desk.write(
                "transfer-offer", id: nil, to: desk.local.node(named: target.to).id, target.texts, json: json)
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take over a ticket that was offered to this node.",
            discussion: """
                From now on this node owns the handling; the ticket gets a number of this node beside the first. Accepting once \
                more changes nothing.

                EXAMPLE
                  federation-node transfer accept 370100-01K6C4 --config /srv/370900/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The ticket's global id or number, or the transfer's id.")
        var ticket: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try await TransferDesk(node, ticket)
            let transfer = try desk.received(done: [.accepted, .designated])
            try await desk.write("transfer-accept", id: transfer.id, to: desk.local.id, [:], json: json)
        }
    }

    struct Return: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send back an offer, within the limit for it and with the reason.",
            discussion: """
                The handling stays with whoever offered it. What a node above both has designated can't be returned.

                EXAMPLE
                  federation-node transfer return 370100-01K6C4 --reason 不属于本地管辖 --config /srv/370900/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The ticket's global id or number, or the transfer's id.")
        var ticket: String

        @Option(help: "退回原因.")
        var reason: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try await TransferDesk(node, ticket)
            let transfer = try desk.received(done: [.returned])
            try await desk.write("transfer-return", id: transfer.id, to: desk.local.id, ["reason": reason], json: json)
        }
    }

    struct Designate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decide, as the node above both, who handles a ticket.",
            discussion: """
                It needs no acceptance and can't be returned. Any offer that is open lapses.

                EXAMPLE
                  federation-node transfer designate 370100-01K6C4 --to 370900 --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The ticket's global id or number, or the transfer's id.")
        var ticket: String

        @OptionGroup var target: TransferTarget

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try await TransferDesk(node, ticket)
            try await desk.write(
                "transfer-designate", id: desk.transfers.last { $0.standing == .open }?.id,
                to: desk.local.node(named: target.to).id, target.texts, json: json)
        }
    }
}

/// Where a ticket is to go, on what ground and until when.
struct TransferTarget: ParsableArguments {
    @Option(help: "To which node: its code or the beginning of its name.")
    var to: String

    @Option(help: "流转依据.")
    var reason: String?

    @Option(help: "办理时限 of its own, Shanghai's unless it has an offset; else that of the ticket goes on.")
    var due: String?

    /// By the columns that they go into.
    var texts: [String: String?] { ["basis": reason, "due_datetime": due] }
}
