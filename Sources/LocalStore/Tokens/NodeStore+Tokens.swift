import FederationModel
import Foundation
import GRDB

extension NodeStore {
    /// Tokens that a node keeps, revoked ones included. Each request looks at all of them.
    package static let apiTokensMax = 1_000

    /// - Throws: `E_TOKEN_EXISTS`, `E_TOKEN_TOO_MANY`.
    package func add(_ token: APIToken) async throws {
        let resources = try token.resources.map { try JSONEncoder().encode($0) }
        try await pool.write { db in
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM main.api_token") ?? 0 < Self.apiTokensMax else {
                throw FederationError("E_TOKEN_TOO_MANY", "this node keeps \(Self.apiTokensMax) tokens already")
            }
            try db.execute(
                sql: """
                    INSERT INTO main.api_token (name, digest, resources, created_at, expires_at, unit, category, webhook)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO NOTHING
                    """,
                arguments: [
                    token.name, Data(token.digest), resources.map { String(decoding: $0, as: UTF8.self) },
                    token.createdAt, token.expiresAt, token.department?.unit, token.department?.category,
                    token.webhook,
                ])
            guard db.changesCount == 1 else {
                throw FederationError(
                    "E_TOKEN_EXISTS", "there is a token named \(token.name) already", hint: "choose another name")
            }
        }
    }

    /// Takes back a token that nobody was shown.
    package func withdraw(_ token: APIToken) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "DELETE FROM main.api_token WHERE name = ? AND digest = ?",
                arguments: [token.name, Data(token.digest)])
        }
    }

    /// All of them, revoked and expired ones too, by name.
    package func apiTokens() async throws -> [APIToken] {
        try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM main.api_token ORDER BY name").map(Self.apiToken)
        }
    }

    private static func apiToken(_ row: Row) throws -> APIToken {
        let resources: String? = row["resources"]
        return APIToken(
            name: row["name"], digest: Array(row["digest"] as Data),
            resources: try resources.map { try JSONDecoder().decode([ResourceName].self, from: Data($0.utf8)) },
            department: Department(unit: row["unit"], category: row["category"]), webhook: row["webhook"],
            createdAt: row["created_at"], expiresAt: row["expires_at"], revokedAt: row["revoked_at"])
    }

    // MARK: - Webhooks of departments

    /// The tokens with a webhook that are good and whose next page is due, each with the change up to which its tickets were sent.
    package func duePushes(now: UnixMilliseconds) async throws -> [(token: APIToken, cursor: Seq)] {
        try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM main.api_token WHERE webhook IS NOT NULL AND revoked_at IS NULL
                      AND (expires_at IS NULL OR expires_at > ?1) AND push_at <= ?1
                      AND pushed < (SELECT value FROM main.node WHERE name = 'seq') ORDER BY name
                    """, arguments: [now]
            ).map { row in (try Self.apiToken(row), row["pushed"]) }
        }
    }

    /// Notes up to where a department's tickets were sent.
    package func notePush(by token: String, upTo cursor: Seq) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "UPDATE main.api_token SET pushed = ?, push_tries = 0, push_at = 0 WHERE name = ?",
                arguments: [cursor, token])
        }
    }

    /// Notes that a page did not get through: it is tried again after 1, 2, 4 … minutes, an hour at most, as long as the token is good.
    package func noteFailedPush(by token: String, now: UnixMilliseconds) async throws {
        try await pool.write { db in
            try db.execute(
                sql: """
                    UPDATE main.api_token SET push_tries = push_tries + 1, push_at = ? + min(60, 1 << min(push_tries, 6)) * 60000
                    WHERE name = ?
                    """, arguments: [now, token])
        }
    }

    /// Makes a token worthless from the next request on. It stays in the list, so that its name means one thing for ever.
    ///
    /// - Throws: `E_TOKEN_UNKNOWN`.
    package func revokeToken(named name: String, now: UnixMilliseconds) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "UPDATE main.api_token SET revoked_at = coalesce(revoked_at, ?) WHERE name = ?",
                arguments: [now, name])
            guard db.changesCount == 1 else {
                throw FederationError(
                    "E_TOKEN_UNKNOWN", "there is no token named \(name)", hint: "see `federation-node token list`")
            }
        }
    }
}

extension Department {
    fileprivate init?(unit: String?, category: String?) {
        guard let department = unit.map(Self.unit) ?? category.map(Self.category) else { return nil }
        self = department
    }

    fileprivate var unit: String? { if case .unit(let unit) = self { unit } else { nil } }
    fileprivate var category: String? { if case .category(let category) = self { category } else { nil } }
}
