import ArgumentParser
import FederationModel
import NodeDesk

struct TransferListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List transfers of tickets: from whom, to whom, since when, and how they stand.",
        discussion: """
            An offer that was not answered within its limit is for the common parent to decide, which is named.

            EXAMPLE
              federation-node transfer list --open --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Only offers that wait for an answer.")
    var open = false

    @Option(help: "Those of at most so many tickets.")
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard limit >= 0 else { throw ValidationError("--limit must not be negative") }
        let desk = try node.desk()
        let transfers = try await desk.transfers(isOpen: open, limit: limit)
        if json { return try Output.json(transfers.map(TransferLine.init)) }
        var table = TextTable(header: ["全局标识", "工单编号", "流转标识", "移交自", "移交至", "移交时间", "答复期限", "结果"])
        for report in transfers {
            let transfer = report.transfer
            table.append([
                report.ticket.printable, report.number?.printable ?? "–", transfer.id.printable,
                desk.topology.title(of: transfer.from), desk.topology.title(of: transfer.to),
                ShanghaiTime.minute(transfer.offeredAt), ShanghaiTime.minute(report.answerBy),
                report.isLate
                    ? "逾期未答复，由\(report.parentTitle(desk.topology))指定" : transfer.standing.title,
            ])
        }
        print(table.text)
    }
}

extension TransferReport {
    /// Who decides when nobody answers.
    func parentTitle(_ topology: Topology) -> String { parent.map { topology.title(of: $0.code) } ?? "共同上级" }
}

/// A transfer as the command line says it.
struct TransferLine: Encodable {
    private let report: TransferReport

    init(_ report: TransferReport) { self.report = report }

    func encode(to encoder: any Encoder) throws {
        let transfer = report.transfer
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(report.ticket, forKey: .id)
        try container.encode(report.number, forKey: .number)
        try container.encode(transfer.id, forKey: .transferId)
        try container.encode(transfer.from, forKey: .from)
        try container.encode(transfer.to, forKey: .to)
        try container.encode(transfer.ordinal, forKey: .ordinal)
        try container.encode(transfer.standing.rawValue, forKey: .state)
        try container.encode(ShanghaiTime.rfc3339(transfer.offeredAt), forKey: .offeredAt)
        try container.encode(transfer.answeredAt.map { ShanghaiTime.rfc3339($0) }, forKey: .answeredAt)
        try container.encode(transfer.due.map { ShanghaiTime.rfc3339($0) }, forKey: .due)
        try container.encode(ShanghaiTime.rfc3339(report.answerBy), forKey: .answerBy)
        try container.encode(report.isLate, forKey: .late)
        try container.encode(report.isLate ? report.parent?.code : nil, forKey: .designatedBy)
    }

    private enum Key: CodingKey {
        case id, number, transferId, from, to, ordinal, state, offeredAt, answeredAt, due, answerBy, late, designatedBy
    }
}
