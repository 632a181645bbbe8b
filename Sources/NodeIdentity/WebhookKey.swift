import Crypto
import FederationModel
import Foundation

/// The secret that a webhook's receiver shares with this node; by it the receiver knows that a message is from here and unchanged.
package struct WebhookKey: Sendable {
    private let key: SymmetricKey

    private static let bytesMin = 16

    private init(key: SymmetricKey) { self.key = key }

    /// That of a department: what is kept of its token, which it can compute from the token (SHA-256).
    package init(digest: [UInt8]) { self.init(key: SymmetricKey(data: digest)) }

    /// Reads it from a file: its bytes without the line end.
    ///
    /// - Throws: `E_WEBHOOK_SECRET` for a file that is missing or holds fewer than 16 bytes.
    package static func load(from path: String) throws(FederationError) -> WebhookKey {
        let text = FileManager.default.contents(atPath: path) ?? Data()
        let bytes = text.filter { $0 != 0x0a && $0 != 0x0d }
        guard bytes.count >= bytesMin else {
            throw FederationError(
                "E_WEBHOOK_SECRET", "\(path) is missing or holds fewer than \(bytesMin) bytes",
                hint: "make one with `openssl rand -hex 32` and give it to the receiver too")
        }
        return WebhookKey(key: SymmetricKey(data: bytes))
    }

    /// HMAC-SHA256 in hexadecimal digits.
    package func signature(of text: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
    }
}
