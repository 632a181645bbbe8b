import ConfigurationFiles
import FederationModel
import Foundation
import NodeFiles
import PeerTransport

/// ClickHouse servers over their HTTP interface: a statement there, an answer back.
///
/// Errors hold the code of the engine and nothing else of what it says: it quotes values.
struct ClickHouse: Sendable {
    let settings: WarehouseSettings

    /// How long an export waits for a statement, and the merging of a large partition.
    static let patienceSeconds = 600
    /// Bytes of an answer: groups and their states are bounded before.
    private static let answerBytesMax = 512 << 20
    /// Filters may have 10,000 values; the engine takes statements of 256 KiB unless it is told.
    private static let limits = [
        "max_query_size": "33554432", "wait_end_of_query": "1", "optimize_move_to_prewhere": "0",
    ]

    /// - Parameter data: rows that the statement inserts.
    /// - Returns: the answer, tab-separated.
    /// - Throws: `E_WAREHOUSE_AWAY`, `E_READABLE_BY_OTHERS`.
    @discardableResult
    func ask(
        _ sql: String, of shard: Int = 0, inserting data: [UInt8]? = nil,
        timeoutSeconds: Int = ClickHouse.patienceSeconds
    ) async throws(FederationError) -> String {
        let address = settings.addresses[shard]
        // Rows take the body's place.
        var parameters = Self.limits
        if data != nil { parameters["query"] = sql }
        let query = parameters.sorted { $0.key < $1.key }.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
        let url = address + (address.hasSuffix("/") ? "?" : "/?") + query
        let headers = ["X-ClickHouse-User": settings.user, "X-ClickHouse-Key": try password]
        let body = data ?? Array(sql.utf8)
        let outcome = await OutsideTransfer.onOwnThread { () -> Result<OutsideTransfer.Answer, OutsideFailure> in
            do throws(OutsideFailure) {
                return .success(
                    try OutsideTransfer.ask(
                        body, headers: headers, of: url, timeoutSeconds: max(1, timeoutSeconds),
                        answerBytesMax: Self.answerBytesMax))
            } catch { return .failure(error) }
        }
        switch outcome {
        case .failure(let failure): throw Self.away(address, failure.reason)
        case .success(let answer):
            let text = String(decoding: answer.body, as: UTF8.self)
            guard answer.status == 200 else {
                let code = text.prefixMatch(of: /Code: (\d+)/).map { "its code \($0.1)" } ?? "status \(answer.status)"
                throw Self.away(address, "it refused a statement with \(code)")
            }
            return text
        }
    }

    /// Says the same to every server, at once.
    func askAll(_ sql: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in settings.addresses.indices { group.addTask { try await ask(sql, of: shard) } }
            try await group.waitForAll()
        }
    }

    private var password: String {
        get throws(FederationError) {
            guard FileManager.default.fileExists(atPath: settings.passwordPath) else { return "" }
            if let openness = PrivateFiles.openness(of: settings.passwordPath) { throw openness }
            return try PrivateFiles.read(settings.passwordPath).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private static func away(_ address: String, _ reason: String) -> FederationError {
        FederationError(
            "E_WAREHOUSE_AWAY", "ClickHouse at \(address) gave no answer: \(reason)",
            hint: "check the clickhouse-… settings, the server and its log", isRetryable: true)
    }
}
