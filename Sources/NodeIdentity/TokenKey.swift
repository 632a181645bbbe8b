import Crypto
import FederationModel
import Foundation

/// The secret by which a field is tokenised on its way out: equal values give equal tokens at every node that holds the
/// same key, and nobody without it can try values out. One key serves a province; a new one makes new tokens.
package struct TokenKey: Sendable {
    /// With the key in it already: that is half of the work of a token.
    private let keyed: HMAC<SHA256>

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
        return TokenKey(keyed: HMAC(key: SymmetricKey(data: bytes)))
    }

    /// `~` and the first 128 bits of HMAC-SHA-256 (RFC 2104) in hexadecimal digits.
    package func token(of text: String) -> String {
        var code = keyed
        code.update(data: Array(text.utf8))
        return code.finalize().withUnsafeBytes { digest in
            String(unsafeUninitializedCapacity: FieldTreatment.tokenBytes) { token in
                token[0] = UInt8(ascii: "~")
                for (index, byte) in digest.prefix(16).enumerated() {
                    token[2 * index + 1] = Self.digit(byte >> 4)
                    token[2 * index + 2] = Self.digit(byte & 15)
                }
                return FieldTreatment.tokenBytes
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
