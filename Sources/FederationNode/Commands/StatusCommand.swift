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

    @Flag(
        help:
            "Exit with 4 when a link is refused, unreachable or paused, has lost rows or differs, or the database or a certificate needs somebody."
    )
    var check = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = StatusDocument(try await node.desk().status(includesOrigins: all))
        if json { try Output.json(report) } else { try Output.line(report.text) }
        if check, report.needsSomebody { throw ExitStatus.different }
    }
}

struct NodeMaintenanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Upkeep of this node.",
        discussion: "EXAMPLE\n  federation-node node rebuild --config /srv/370100/node.yaml",
        subcommands: [Refold.self, RecoveryCommand.self, ReconcileCommand.self])

    struct Refold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Derive ticket state again from the first record.",
            discussion: "EXAMPLE\n  federation-node node refold --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let consumers = try await node.desk().rebuild().map(ConsumerReport.init)
            if json {
                try Output.json(consumers)
            } else {
                for consumer in consumers { try Output.line("\(consumer.name)  \(consumer.cursor)") }
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
    /// What keeps this node from storing anything; null when nothing does.
    let store: Problem?
    /// What the running service shows; null when none runs.
    let certificates: [ServedCertificateReport]?
    let links: [LinkDocument]
    let consumers: [ConsumerReport]
    let removals: Removals
    let origins: [Origin]?

    init(_ report: StatusReport) {
        node = report.node.code
        name = report.name
        epoch = report.epoch.description
        schemaRevision = report.schemaRevision
        serving = report.isServing
        store = report.storeProblem.map(Problem.init)
        certificates = report.certificates?.map(ServedCertificateReport.init)
        links = report.links.map(LinkDocument.init)
        consumers = report.consumers.map(ConsumerReport.init)
        removals = Removals(unconfirmed: report.removals.unconfirmed, overdue: report.removals.overdue)
        origins = report.origins?.map {
            Origin(
                origin: $0.node.code, name: $0.name, rows: $0.tickets, asOf: $0.asOf.map { ShanghaiTime.rfc3339($0) },
                complete: $0.isComplete)
        }
    }

    var needsSomebody: Bool {
        store != nil || certificates?.allSatisfy(\.isFine) == false
            || links.contains { link in
                [LinkState.refused, .unreachable, .paused].contains(link.state) || link.lost > 0
                    || link.differences ?? 0 > 0
            }
    }

    var text: String {
        var text = "\(node) \(name)  \(serving ? "服务运行中" : "服务未运行")  纪元 \(epoch)\n"
        text += LinkDocument.table(links, areLastKnown: !serving)
        if let store {
            text += "\n本节点数据库 \(store.code): \(store.message)"
            if let hint = store.hint { text += "\n  → \(hint)" }
        }
        for certificate in certificates ?? [] where !certificate.isFine {
            text +=
                "\n证书 \(certificate.certificate) 有效期至 \(certificate.notAfter) (\(certificate.daysLeft) 天)，见 cert status"
            if let problem = certificate.problem { text += "\n  → \(problem)" }
        }
        text += links.map(\.troubles).joined()
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
}
