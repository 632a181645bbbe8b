import ArgumentParser
import FederationModel
import NodeDesk

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens with which local systems push records.",
        discussion: "EXAMPLE\n  federation-node token list",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token for one system, and show it this once.",
            discussion: """
                Only its digest is kept; a token that was lost is revoked and replaced. Give each system one of its own, for \
                the resources that it writes.

                EXAMPLE
                  federation-node token create --name crm --resource service_request --expires 2026-12-31
                  federation-node token create --name housing --category 03 --webhook https://housing.example.cn/12345
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Which system it is for.")
        var name: String

        @Option(name: .customLong("resource"), help: "A resource that it may write; may be repeated. Without: all.")
        var resources: [String] = []

        @Option(help: "The unit that reads its tickets with it, by name or code; it writes nothing then.")
        var unit: String?

        @Option(
            help: "The category whose tickets a department reads with it, with all below it; it writes nothing then.")
        var category: String?

        @Option(
            help:
                "Where changes of the department's tickets are sent to, signed with the SHA-256 of the token (docs/reports.md)."
        )
        var webhook: String?

        @Option(help: "Until when it is good: a day (to its end in China), or RFC 3339. Without: until it is revoked.")
        var expires: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if [!resources.isEmpty, unit != nil, category != nil].count(where: \.self) > 1 {
                throw ValidationError("--resource, --unit and --category exclude each other")
            }
            if webhook != nil, unit == nil, category == nil {
                throw ValidationError("--webhook is for a department: give --unit or --category too")
            }
        }

        func run() async throws {
            let department = unit.map(Department.unit) ?? category.map(Department.category)
            let resources = self.resources.isEmpty ? nil : self.resources.map { ResourceName($0) }
            do {
                try await node.desk().createToken(
                    named: name, resources: resources, department: department, webhook: webhook,
                    expiresAt: try expiry()
                ) { token, secret in
                    try Output.once(json ? Output.document(TokenDocument(token, secret: secret)) : secret)
                }
            } catch let error as FederationError
                where ["E_TOKEN_NAME", "E_TOKEN_EXPIRED", "E_TOKEN_WEBHOOK"].contains(error.code)
            {
                throw ValidationError(error.description)
            }
            if !json { Output.note("\(name): keep it safe, it is not shown again") }
        }

        private func expiry() throws -> UnixMilliseconds? {
            guard let expires else { return nil }
            guard let time = ShanghaiTime.parse(expires) else {
                throw ValidationError("--expires \(expires) is neither a day (2026-12-31) nor RFC 3339")
            }
            return expires.utf8.count == 10 ? time + 86_400_000 : time
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them, without the tokens themselves.",
            discussion: "EXAMPLE\n  federation-node token list --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let reports = try await node.desk().tokens().map { TokenDocument($0) }
            if json {
                try Output.json(reports)
                return
            }
            var table = TextTable(header: ["名称", "资源", "创建", "有效期至", "状态"])
            for report in reports {
                table.append([
                    report.name,
                    report.unit ?? report.category ?? report.resources?.joined(separator: " ") ?? "全部",
                    report.createdAt,
                    report.expiresAt ?? "–", report.title,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make one worthless, from the next request on.",
            discussion: "EXAMPLE\n  federation-node token revoke crm --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The token's name.")
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await node.desk().revokeToken(named: name)
            if json { try Output.json(["name": name, "state": "revoked"]) } else { try Output.line("\(name) 已吊销") }
        }
    }
}

private struct TokenDocument: Encodable {
    let name: String
    /// Null for all.
    let resources: [String]?
    /// Whose tickets are read with it.
    let unit: String?
    let category: String?
    let webhook: String?
    let createdAt: String
    let expiresAt: String?
    let revokedAt: String?
    /// valid, expired or revoked.
    let state: String
    /// Only where it was just made.
    var token: String?

    init(_ report: TokenReport, secret: String? = nil) {
        let token = report.token
        name = token.name
        resources = token.resources?.map(\.text)
        unit = if case .unit(let unit)? = token.department { unit } else { nil }
        category = if case .category(let category)? = token.department { category } else { nil }
        webhook = token.webhook
        createdAt = ShanghaiTime.rfc3339(token.createdAt)
        expiresAt = token.expiresAt.map(ShanghaiTime.rfc3339)
        revokedAt = token.revokedAt.map(ShanghaiTime.rfc3339)
        state = report.state.rawValue
        self.token = secret
    }

    var title: String {
        switch state {
        case "revoked": "已吊销"
        case "expired": "已过期"
        default: "有效"
        }
    }
}
