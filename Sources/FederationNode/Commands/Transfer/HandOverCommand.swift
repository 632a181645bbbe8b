import ArgumentParser
import FederationModel
import NodeDesk

struct HandOverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hand-over",
        abstract: "Hand every open ticket that a node handles to another node, before it leaves the topology.",
        discussion: """
            At the node itself each ticket is offered, and the other node accepts it; at a node above both each is decided, which \
            also serves when the node that leaves is gone. Tickets with an offer that waits stay as they are, so the command can be \
            repeated. It exits with 3 when a ticket was refused or waits.

            EXAMPLE
              federation-node transfer hand-over --from 370202 --to 370203 --reason 机构撤并 --config /srv/370200/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "Whose tickets: the node's code or the beginning of its name.")
    var from: String

    @OptionGroup var target: TransferTarget

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let desk = try node.desk()
        var progress = ProgressBar("hand-over")
        let report = try await desk.handOver(from: from, to: target.to, terms: target.terms(desk)) { done, count in
            progress.show(Double(done) / Double(count), "\(done) / \(count)")
        }
        progress.finish()
        if json {
            try Output.json(Document(report))
        } else {
            let way = report.step == .offer ? "已提出移交" : "已指定承办"
            try Output.line("\(way) \(report.handedOver) 件,待答复 \(report.waiting) 件,未能移交 \(report.refused.count) 件")
            for refusal in report.refused {
                try Output.line("\(refusal.ticket.printable)  \(refusal.error.code)  \(refusal.error.message)")
            }
        }
        if report.waiting > 0 || !report.refused.isEmpty { throw ExitCode(3) }
    }

    private struct Document: Encodable {
        let from: String
        let to: String
        let step: String
        let handedOver: Int
        let waiting: Int
        let refused: [Refusal]

        struct Refusal: Encodable {
            let ticket: String
            let code: String
        }

        init(_ report: HandOverReport) {
            from = report.from.code
            to = report.to.code
            step = report.step.rawValue
            handedOver = report.handedOver
            waiting = report.waiting
            refused = report.refused.map { Refusal(ticket: $0.ticket, code: $0.error.code) }
        }
    }
}
