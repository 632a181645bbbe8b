import Crypto
import FederationModel
import Foundation

/// One-time tokens with which a node proves, once, that the authority's operator expects it.
///
/// A token is 256 random bits. The directory keeps one JSON file a token, named by the token's SHA-256: whoever reads the
/// directory or a backup of it learns no token.
package struct EnrolmentTokens: Sendable {
    private let directory: String

    private struct Entry: Codable {
        let node: NodeID
        let expiresAt: UnixMilliseconds
    }

    package init(directory: String) { self.directory = directory }

    /// - Returns: the token, 64 hexadecimal digits. It is shown once and stored nowhere.
    package func create(
        for node: NodeID, validityMilliseconds: Int64, now: UnixMilliseconds
    ) throws -> String {
        let token = SymmetricKey(size: .bits256).withUnsafeBytes { hexadecimal($0) }
        let entry = try JSONEncoder().encode(Entry(node: node, expiresAt: now + validityMilliseconds))
        try AtomicFile.makeDirectory(directory)
        try AtomicFile.write(
            String(decoding: entry, as: UTF8.self), to: path(of: token), mode: .ownerOnly, replacing: false)
        return token
    }

    /// Uses a token up. Of two at the same time only one succeeds, because a file can be removed only once.
    ///
    /// - Returns: the node for which the token was made.
    /// - Throws: `E_TOKEN_REFUSED` when it is unknown, used or expired; the answer does not tell which.
    package func redeem(_ token: String, now: UnixMilliseconds) throws(FederationError) -> NodeID {
        let path = path(of: token)
        guard let data = FileManager.default.contents(atPath: path),
            let entry = try? JSONDecoder().decode(Entry.self, from: data),
            unlink(path) == 0, now <= entry.expiresAt
        else {
            throw FederationError(
                "E_TOKEN_REFUSED", "the enrolment token is unknown, used or expired",
                hint: "ask the authority's operator for a new one")
        }
        return entry.node
    }

    private func path(of token: String) -> String {
        "\(directory)/\(hexadecimal(SHA256.hash(data: Array(token.utf8)))).json"
    }

    private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }
}
