import FederationModel
import LocalStore
import NodeIdentity

extension NodeDesk {
    /// Makes a token with which a local system pushes records. Only its digest is kept.
    ///
    /// - Parameters:
    ///   - name: which system it is for: 1 to 64 bytes without blanks.
    ///   - resources: what it may write; nil for all.
    ///   - department: whose tickets it may read; it writes nothing then.
    ///   - webhook: where changes of its tickets are sent to besides.
    ///   - expiresAt: in the future; nil for one that is good until it is revoked.
    ///   - hand: hands the token over. When it throws, nobody has seen it, and its name is free again.
    /// - Throws: `E_TOKEN_NAME`, `E_RESOURCE_UNKNOWN`, `E_TOKEN_WEBHOOK`, `E_TOKEN_EXPIRED`, `E_TOKEN_EXISTS`, `E_TOKEN_TOO_MANY`, and what `hand`
    ///   throws.
    package func createToken(
        named name: String, resources: [ResourceName]?, department: Department? = nil, webhook: String? = nil,
        expiresAt: UnixMilliseconds?, hand: (TokenReport, _ secret: String) throws -> Void
    ) async throws {
        try await perform(.createToken) { now in
            guard (1...64).contains(name.utf8.count), name.allSatisfy({ !$0.isWhitespace }) else {
                throw FederationError("E_TOKEN_NAME", "a token's name has 1 to 64 bytes without blanks")
            }
            for resource in resources ?? [] where !store.resources.contains(where: { $0.name == resource }) {
                throw FederationError(
                    "E_RESOURCE_UNKNOWN", "there is no resource \(resource)",
                    hint: suggestion(for: resource.text, among: store.resources.map(\.name.text)))
            }
            guard webhook.map(Self.isWebhook) ?? true else {
                throw FederationError(
                    "E_TOKEN_WEBHOOK", "the webhook is no address that begins with https://",
                    hint: "http:// is for 127.0.0.1 alone: tickets must not cross a network in clear")
            }
            if let expiresAt, expiresAt <= now {
                throw FederationError("E_TOKEN_EXPIRED", "the token would have expired already")
            }
            let secret = APITokenSecret()
            let token = APIToken(
                name: name, digest: secret.digest, resources: department == nil ? resources : [],
                department: department, webhook: webhook, createdAt: now, expiresAt: expiresAt)
            try await store.add(token)
            do {
                try hand(TokenReport(token: token, state: .valid), secret.text)
            } catch {
                // Nobody has seen it, and its name is free again.
                try await store.withdraw(token)
                throw error
            }
        }
    }

    private static func isWebhook(_ address: String) -> Bool {
        address.hasPrefix("https://") || address.wholeMatch(of: /http:\/\/127\.0\.0\.1[:\/].*/) != nil
    }

    /// All tokens, revoked and expired ones too, by name.
    package func tokens() async throws -> [TokenReport] {
        try await perform(.listTokens) { now in
            try await store.apiTokens().map { TokenReport(token: $0, state: TokenReport.State($0, now: now)) }
        }
    }

    /// Makes a token worthless, from the next request on.
    ///
    /// - Throws: `E_TOKEN_UNKNOWN`.
    package func revokeToken(named name: String) async throws {
        try await perform(.revokeToken) { now in try await store.revokeToken(named: name, now: now) }
    }
}

/// A token and what it is worth.
package struct TokenReport: Hashable, Sendable {
    package enum State: String, Sendable {
        case valid, expired, revoked

        package init(_ token: APIToken, now: UnixMilliseconds) {
            let isExpired = token.expiresAt.map { $0 <= now } ?? false
            self = token.revokedAt != nil ? .revoked : isExpired ? .expired : .valid
        }
    }

    package let token: APIToken
    package let state: State
}
