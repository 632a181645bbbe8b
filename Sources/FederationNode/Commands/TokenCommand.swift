import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeIdentity
import NodeRuntime

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
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Which system it is for.")
        var name: String

        @Option(name: .customLong("resource"), help: "A resource that it may write; may be repeated. Without: all.")
        var resources: [String] = []

        @Option(help: "Until when it is good: a day (to its end in China), or RFC 3339. Without: until it is revoked.")
        var expires: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard (1...64).contains(name.utf8.count), name.allSatisfy({ !$0.isWhitespace }) else {
                throw ValidationError("--name takes 1 to 64 bytes without blanks")
            }
            for resource in resources where BuiltInResources.named(ResourceName(resource)) == nil {
                let names = BuiltInResources.all.map(\.name.text)
                throw FederationError(
                    "E_RESOURCE_UNKNOWN", "there is no resource \(resource)",
                    hint: suggestion(for: resource, among: names))
            }
            let secret = APITokenSecret()
            let token = APIToken(
                name: name, digest: secret.digest,
                resources: resources.isEmpty ? nil : resources.map { ResourceName($0) }, createdAt: wallClock(),
                expiresAt: try expiry())
            let text = json ? try Output.document(TokenReport(token, secret: secret.text)) : secret.text
            let store = try node.open().store
            try await store.add(token)
            do {
                try Output.once(text)
            } catch {
                // Nobody has seen it, and its name is free again.
                try await store.withdraw(token)
                throw error
            }
            if !json { Output.note("\(name): keep it safe, it is not shown again") }
        }

        private func expiry() throws -> UnixMilliseconds? {
            guard let expires else { return nil }
            guard let time = ShanghaiTime.parse(expires) else {
                throw ValidationError("--expires \(expires) is neither a day (2026-12-31) nor RFC 3339")
            }
            let end = expires.utf8.count == 10 ? time + 86_400_000 : time
            guard end > wallClock() else { throw ValidationError("--expires \(expires) is past") }
            return end
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
            let reports = try await node.open().store.apiTokens().map { TokenReport($0) }
            if json {
                try Output.json(reports)
                return
            }
            var table = TextTable(header: ["名称", "资源", "创建", "有效期至", "状态"])
            for report in reports {
                table.append([
                    report.name, report.resources?.joined(separator: " ") ?? "全部", report.createdAt,
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
            try await node.open().store.revokeToken(named: name, now: wallClock())
            if json { try Output.json(["name": name, "state": "revoked"]) } else { try Output.line("\(name) 已吊销") }
        }
    }
}

private struct TokenReport: Encodable {
    let name: String
    /// Null for all.
    let resources: [String]?
    let createdAt: String
    let expiresAt: String?
    let revokedAt: String?
    /// valid, expired or revoked.
    let state: String
    /// Only where it was just made.
    var token: String?

    init(_ token: APIToken, secret: String? = nil) {
        name = token.name
        resources = token.resources?.map(\.text)
        createdAt = ShanghaiTime.rfc3339(token.createdAt)
        expiresAt = token.expiresAt.map(ShanghaiTime.rfc3339)
        revokedAt = token.revokedAt.map(ShanghaiTime.rfc3339)
        let isExpired = token.expiresAt.map { $0 <= wallClock() } ?? false
        state = token.revokedAt != nil ? "revoked" : isExpired ? "expired" : "valid"
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
