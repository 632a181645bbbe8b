import Crypto
import FederationModel
import Foundation

/// The secret by which a field is tokenised on its way out: equal values give equal tokens at every node that holds the
/// same key, and nobody without it can try values out. One key serves a province; a new one makes new tokens.
package struct TokenKey: Sendable {
    private let key: SymmetricKey

    /// Reads a file with 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    ///
    /// - Throws: `E_TOKEN_KEY` when the file is missing or holds anything else.
    package static func load(from path: String) throws(FederationError) -> TokenKey {
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0.prefix(100), as: UTF8.self) }
        let digits = text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        let bytes = stride(from: 0, to: digits.utf8.count, by: 2).compactMap {
            UInt8(digits.dropFirst($0).prefix(2), radix: 16)
        }
        guard digits.utf8.count == 64, bytes.count == 32 else {
            throw FederationError(
                "E_TOKEN_KEY", "\(path) is missing or does not hold a key of 64 hexadecimal digits",
                hint:
                    "a policy tokenises a field, or persons are counted: copy the key of the province there, or make the first one by "
                    + "`openssl rand -hex 32`, readable by the node alone")
        }
        return TokenKey(key: SymmetricKey(data: bytes))
    }

    /// `~` and the first 128 bits of HMAC-SHA-256 (RFC 2104) in hexadecimal digits.
    package func token(of text: String) -> String {
        let digest = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)
        var token = "~"
        token.reserveCapacity(33)
        for byte in digest.prefix(16) {
            for digit in [byte >> 4, byte & 0xf] {
                token.unicodeScalars.append(Unicode.Scalar(digit + (digit < 10 ? 0x30 : 0x57)))
            }
        }
        return token
    }
}
