import ArgumentParser
import FederationModel
import NodeDesk

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
        subcommands: [
            Offer.self, Accept.self, Return.self, Designate.self, HandOverCommand.self, TransferListCommand.self,
        ])

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
            let desk = try node.desk()
            let report = try await desk.offer(ticket, to: target.to, terms: target.terms(desk))
            try report.show(desk, json: json)
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
            let desk = try node.desk()
            try await desk.accept(ticket).show(desk, json: json)
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
            let desk = try node.desk()
            var terms = desk.newTransfer()
            try terms.take(reason, for: "reason", flag: "--reason")
            try await desk.return(ticket, terms: terms).show(desk, json: json)
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
            let desk = try node.desk()
            let report = try await desk.designate(ticket, to: target.to, terms: target.terms(desk))
            try report.show(desk, json: json)
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

    func terms(_ desk: NodeDesk) throws -> RecordForm {
        var form = desk.newTransfer()
        try form.take(reason, for: "basis", flag: "--reason")
        try form.take(due, for: "due_datetime", flag: "--due")
        return form
    }
}

extension TransferStepReport {
    fileprivate func show(_ desk: NodeDesk, json: Bool) throws {
        let line = TransferLine(transfer)
        if json {
            try Output.json(Document(transfer: line, step: step.rawValue, wasWritten: wasWritten))
        } else {
            try Output.line(next(desk.topology))
        }
    }

    private struct Document: Encodable {
        let transfer: TransferLine
        let step: String
        /// False when the step was on record already.
        let wasWritten: Bool

        func encode(to encoder: any Encoder) throws {
            try transfer.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(step, forKey: .step)
            try container.encode(wasWritten, forKey: .wasWritten)
        }

        private enum Key: CodingKey {
            case step, wasWritten
        }
    }

    /// What comes next.
    private func next(_ topology: Topology) -> String {
        let (from, to) = (topology.title(of: transfer.transfer.from), topology.title(of: transfer.transfer.to))
        let id = transfer.transfer.id.printable
        guard wasWritten else { return "此前已记录，未作改动。流转标识 \(id)" }
        return switch step {
        case .offer:
            """
            已向\(to)移交，待其接收；接收前仍由\(from)承办。流转标识 \(id)
            \(ShanghaiTime.minute(transfer.answerBy)) 前未接收或退回的，由\(transfer.parentTitle(topology))指定承办。
            """
        case .accept: "已接收\(from)移交的工单，现由\(to)承办；请派单。"
        case .return: "已退回\(from)，仍由\(from)承办。"
        case .designate: "已指定\(to)承办，不得退回；请其派单。"
        }
    }
}
