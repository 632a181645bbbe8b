import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime

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
        let local = try node.open()
        try await local.catchUp()
        let now = wallClock()
        let lines = try await local.store.transfers(isOpen: open, limit: limit).map {
            TransferLine($0.transfer, ticket: $0.globalID, number: $0.number, local, now: now)
        }
        if json {
            try Output.json(lines)
            return
        }
        var table = TextTable(header: ["全局标识", "工单编号", "流转标识", "移交自", "移交至", "移交时间", "答复期限", "结果"])
        for line in lines {
            table.append([
                line.id.printable, line.number?.printable ?? "–", line.transferID.printable,
                local.topology.title(of: line.from), local.topology.title(of: line.to),
                ShanghaiTime.minute(line.offeredAt), ShanghaiTime.minute(line.limit),
                line.isLate ? "逾期未答复，由\(line.parentTitle)指定" : line.standing.title,
            ])
        }
        try Output.line(table.text)
    }
}

/// A transfer as the command line says it.
struct TransferLine: Encodable {
    let id: String
    let number: String?
    let transferID: String
    let from: String
    let to: String
    let ordinal: Int64
    let standing: TicketTransfer.Standing
    let offeredAt: UnixMilliseconds
    let answeredAt: UnixMilliseconds?
    let due: UnixMilliseconds?
    /// Until when it may be returned.
    let limit: UnixMilliseconds
    /// Whether it waits for an answer although the limit is over.
    let isLate: Bool
    /// Who may designate; nil when one of both has left the topology.
    let parent: String?
    let parentTitle: String

    /// - Parameter number: the ticket's, if it is known here.
    init(
        _ transfer: TicketTransfer, ticket: String, number: String?, _ local: LocalNode, now: UnixMilliseconds
    ) {
        id = ticket
        self.number = number
        transferID = transfer.id
        (from, to, ordinal, standing) = (transfer.from, transfer.to, transfer.ordinal, transfer.standing)
        (offeredAt, answeredAt, due) = (transfer.offeredAt, transfer.answeredAt, transfer.due)
        limit = local.store.rules.answerLimit(ofOffer: transfer.offeredAt)
        isLate = standing == .open && now > limit
        let ends = [from, to].compactMap { NodeID($0) }
        let common = ends.count == 2 ? local.topology.commonParent(of: ends[0], ends[1]) : nil
        parent = common?.code
        parentTitle = common.map { local.topology.title(of: $0.code) } ?? "共同上级"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id, forKey: .id)
        try container.encode(number, forKey: .number)
        try container.encode(transferID, forKey: .transferId)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(ordinal, forKey: .ordinal)
        try container.encode(standing.rawValue, forKey: .state)
        try container.encode(ShanghaiTime.rfc3339(offeredAt), forKey: .offeredAt)
        try container.encode(answeredAt.map { ShanghaiTime.rfc3339($0) }, forKey: .answeredAt)
        try container.encode(due.map { ShanghaiTime.rfc3339($0) }, forKey: .due)
        try container.encode(ShanghaiTime.rfc3339(limit), forKey: .answerBy)
        try container.encode(isLate, forKey: .late)
        try container.encode(isLate ? parent : nil, forKey: .designatedBy)
    }

    private enum Key: CodingKey {
        case id, number, transferId, from, to, ordinal, state, offeredAt, answeredAt, due, answerBy, late, designatedBy
    }
}
