import ArgumentParser
import FederationModel
import NodeDesk

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How each link of this node stands, and why one is late.",
        discussion: """
            Reads local state only, so it works when a peer is down, and when the service is.

            EXAMPLE
              federation-node status --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Also how fresh the copy of each node below is.")
    var all = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = StatusDocument(try await node.desk().status(includesOrigins: all))
        if json { try Output.json(report) } else { print(report.text) }
    }
}

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Rows of neighbours that were put aside because they break a rule.",
        subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them, oldest first.",
            discussion: "EXAMPLE\n  federation-node quarantine list --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Option(help: "At most so many.")
        var limit = 100

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let rows = try await node.desk().quarantine(limit: limit)
            if json {
                try Output.json(
                    rows.map {
                        [
                            "id": "\($0.id)", "link": $0.sender, "resource": $0.resource, "origin": $0.origin,
                            "key": $0.key,
                            "field": $0.field, "rule": $0.rule, "detail": $0.detail,
                            "receivedAt": ShanghaiTime.rfc3339($0.receivedAt),
                        ]
                    })
                return
            }
            var table = TextTable(header: ["编号", "链路", "资源", "来源", "主键", "信息项", "规则", "说明"])
            for row in rows {
                table.append([
                    "\(row.id)", row.sender, row.resource, row.origin, row.key, row.field, row.rule, row.detail,
                ])
            }
            print(table.text)
        }
    }
}

struct NodeMaintenanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Upkeep of this node.", subcommands: [Rebuild.self])

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Derive ticket state again from the first record.",
            discussion: "EXAMPLE\n  federation-node node rebuild --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let consumers = try await node.desk().rebuild().map(ConsumerReport.init)
            if json {
                try Output.json(consumers)
            } else {
                for consumer in consumers { print("\(consumer.name)  \(consumer.cursor)") }
            }
        }
    }
}

struct ConsumerReport: Encodable {
    let name: String
    let cursor: Seq
    let lagRows: Int64

    init(_ status: ConsumerStatus) {
        name = status.name
        cursor = status.cursor
        lagRows = status.lagRows
    }
}

private struct StatusDocument: Encodable {
    struct Problem: Encodable {
        let code: String
        let message: String
        let hint: String?
    }

    struct Link: Encodable {
        let peer: String
        let name: String
        let role: String
        let direction: String
        let state: String
        let mode: [String: String]
        let cursor: Seq
        let lagRows: Int64
        let lagSeconds: Double
        let lastContact: String?
        let lastError: Problem?
        let quarantined: Int
        let verifiedEqualAt: String?

        init(_ report: LinkReport) {
            peer = report.peer.id.code
            name = report.peer.name
            role = report.role.rawValue
            direction = report.direction.rawValue
            state = report.state
            mode = Dictionary(uniqueKeysWithValues: report.modes.map { ($0.key.text, $0.value.rawValue) })
            cursor = report.cursor
            lagRows = report.lagRows
            lagSeconds = report.lagSeconds.rounded(toPlaces: 3)
            lastContact = report.lastContact.map { ShanghaiTime.rfc3339($0) }
            lastError = report.error.map { Problem(code: $0.code, message: $0.message, hint: $0.hint) }
            quarantined = report.quarantined
            verifiedEqualAt = nil
        }

        private enum CodingKeys: String, CodingKey {
            case peer, name, role, direction, state, mode, cursor, lagRows, lagSeconds, lastContact, lastError
            case quarantined, verifiedEqualAt
        }

        /// Keys without a value are written as null: scripts may rely on them.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(peer, forKey: .peer)
            try container.encode(name, forKey: .name)
            try container.encode(role, forKey: .role)
            try container.encode(direction, forKey: .direction)
            try container.encode(state, forKey: .state)
            try container.encode(mode, forKey: .mode)
            try container.encode(cursor, forKey: .cursor)
            try container.encode(lagRows, forKey: .lagRows)
            try container.encode(lagSeconds, forKey: .lagSeconds)
            try container.encode(lastContact, forKey: .lastContact)
            try container.encode(lastError, forKey: .lastError)
            try container.encode(quarantined, forKey: .quarantined)
            try container.encode(verifiedEqualAt, forKey: .verifiedEqualAt)
        }
    }

    struct Removals: Encodable {
        let unconfirmed: Int
        let overdue: Int
    }

    struct Origin: Encodable {
        let origin: String
        let name: String
        let rows: Int
        let asOf: String?
        let complete: Bool
    }

    let node: String
    let name: String
    let epoch: String
    let schemaRevision: Int
    let serving: Bool
    let links: [Link]
    let consumers: [ConsumerReport]
    let removals: Removals
    let origins: [Origin]?

    init(_ report: StatusReport) {
        node = report.node.code
        name = report.name
        epoch = report.epoch.description
        schemaRevision = report.schemaRevision
        serving = report.isServing
        links = report.links.map(Link.init)
        consumers = report.consumers.map(ConsumerReport.init)
        removals = Removals(unconfirmed: report.removals.unconfirmed, overdue: report.removals.overdue)
        origins = report.origins?.map {
            Origin(
                origin: $0.node.code, name: $0.name, rows: $0.tickets, asOf: $0.asOf.map { ShanghaiTime.rfc3339($0) },
                complete: $0.isComplete)
        }
    }

    var text: String {
        var text = "\(node) \(name)  \(serving ? "服务运行中" : "服务未运行")  周期 \(epoch)\n"
        var table = TextTable(header: ["对端", "名称", "角色", "方向", "方式", "状态", "游标", "滞后行", "滞后秒", "最近联系"])
        for link in links {
            let modes = Set(link.mode.values)
            let mode = modes.count > 1 ? "混合" : AggregationMode(rawValue: modes.first ?? "")?.title ?? "–"
            table.append([
                link.peer, link.name, Self.roles[link.role] ?? link.role, link.direction == "sending" ? "发送" : "接收",
                mode,
                Self.states[link.state] ?? link.state, "\(link.cursor)", "\(link.lagRows)", "\(link.lagSeconds)",
                link.lastContact.map { String($0.prefix(19)) } ?? "–",
            ])
        }
        text += table.text
        for link in links {
            if let error = link.lastError, link.state != "level" {
                text += "\n\(link.name)(\(link.peer)) \(error.code): \(error.message)"
                if let hint = error.hint { text += "\n  → \(hint)" }
            }
            if link.quarantined > 0 {
                text += "\n\(link.name)(\(link.peer)) 隔离 \(link.quarantined) 行，见 quarantine list"
            }
        }
        if removals.unconfirmed > 0 {
            text += "\n召回(删除)未确认 \(removals.unconfirmed) 单，其中超时 \(removals.overdue) 单，见 removal list --unconfirmed"
        }
        for origin in origins ?? [] {
            let freshness = origin.asOf.map { "截至 \($0.prefix(19))" } ?? "–"
            text += "\n\(origin.origin)  \(origin.name)  本地 \(origin.rows) 件  \(freshness)"
        }
        for consumer in consumers { text += "\n\(consumer.name)  游标 \(consumer.cursor)  滞后 \(consumer.lagRows)" }
        return text
    }

    private static let roles = ["parent": "上级", "child": "下级", "peer": "对等"]
    private static let states = [
        "connecting": "连接中", "bootstrapping": "初始化", "sweeping": "全量核对", "behind": "追赶中", "level": "一致",
        "paused": "暂停", "refused": "被拒绝", "unreachable": "不可达",
    ]
}
