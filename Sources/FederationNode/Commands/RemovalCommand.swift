import ArgumentParser
import FederationModel
import NodeDesk

struct RemovalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "removal", abstract: "Deletions and recalls of tickets, and who has confirmed them.",
        subcommands: [List.self, Lift.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List this node's orders with the nodes that have not confirmed; exit 4 when one is overdue.",
            discussion: """
                EXAMPLE
                  federation-node removal list --unconfirmed --config /srv/370100/node.yaml
                  federation-node removal list --set removal-confirmation-hours=2 --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Only those that some node has not confirmed.")
        var unconfirmed = false

        @Flag(help: "The orders of other nodes that have come here, and when this node confirmed them.")
        var received = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            if received { return try await showReceived(desk) }
            let removals = try await desk.removals().filter { !unconfirmed || !$0.missing.isEmpty }
            if json {
                let now = wallClock()
                try Output.json(removals.map { Line($0, now: now) })
            } else {
                var table = TextTable(header: ["单号", "类型", "事由", "记录", "下达时间", "已确认", "状态", "未确认节点"])
                for removal in removals {
                    let order = removal.order
                    table.append([
                        order.id, RemovalKind(rawValue: order.kind)?.title ?? order.kind, reasonTitle(order.reason),
                        "\(order.rows)", ShanghaiTime.minute(order.orderedAt),
                        "\(removal.expected.count - removal.missing.count)/\(removal.expected.count)", state(removal),
                        removal.missing.map { "\($0.name)(\($0.id))" }.joined(separator: " "),
                    ])
                }
                print(table.text)
            }
            if removals.contains(where: \.isOverdue) { throw ExitStatus.different }
        }

        private func state(_ removal: RemovalStatus) -> String {
            if removal.order.liftedAt != nil { return "已解除" }
            if removal.isOverdue { return "超时" }
            return removal.missing.isEmpty ? "已确认" : "待确认"
        }

        private func showReceived(_ desk: NodeDesk) async throws {
            let orders = try await desk.receivedRemovals()
            if json { return try Output.json(orders.map { ReceivedLine($0, node: desk.id) }) }
            var table = TextTable(header: ["单号", "下达节点", "类型", "事由", "记录", "下达时间", "本节点确认时间"])
            for order in orders {
                table.append([
                    order.id, desk.topology.node(order.origin)?.name ?? order.origin.code,
                    RemovalKind(rawValue: order.kind)?.title ?? order.kind.printable, reasonTitle(order.reason),
                    "\(order.rows)", ShanghaiTime.minute(order.orderedAt),
                    order.confirmations[desk.id].map(ShanghaiTime.minute) ?? "–",
                ])
            }
            print(table.text)
        }

        private func reasonTitle(_ code: String) -> String {
            NodeDesk.removalReasons?.entries.first { $0.code == code }?.title ?? code.printable
        }
    }

    struct Lift: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a recall: its records flow again.",
            discussion:
                "EXAMPLE\n  federation-node removal lift 01K6C4XJ9ZQ4T1V8M2N7R5B3WD --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The id of the order, as `removal list` shows it.")
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await node.desk().lift(recall: id).show("解除召回", json: json)
        }
    }
}

private struct Line: Encodable {
    let id: String
    let kind: String
    let reason: String
    let rows: Int64
    let orderedAt: String
    let liftedAt: String?
    let ageSeconds: Int64
    let expected: [String]
    let confirmed: [String: String]
    let missing: [String]
    let overdue: Bool

    init(_ removal: RemovalStatus, now: UnixMilliseconds) {
        let order = removal.order
        id = order.id
        kind = order.kind
        reason = order.reason
        rows = order.rows
        orderedAt = ShanghaiTime.rfc3339(order.orderedAt)
        liftedAt = order.liftedAt.map { ShanghaiTime.rfc3339($0) }
        ageSeconds = max(0, now - order.orderedAt) / 1_000
        expected = removal.expected.map(\.id.code)
        confirmed = Dictionary(
            uniqueKeysWithValues: order.confirmations.map { ($0.key.code, ShanghaiTime.rfc3339($0.value)) })
        missing = removal.missing.map(\.id.code)
        overdue = removal.isOverdue
    }
}

private struct ReceivedLine: Encodable {
    let id: String
    let origin: String
    let kind: String
    let reason: String
    let rows: Int64
    let orderedAt: String
    let confirmedAt: String?

    init(_ order: RemovalOrder, node: NodeID) {
        id = order.id
        origin = order.origin.code
        kind = order.kind
        reason = order.reason
        rows = order.rows
        orderedAt = ShanghaiTime.rfc3339(order.orderedAt)
        confirmedAt = order.confirmations[node].map { ShanghaiTime.rfc3339($0) }
    }
}
