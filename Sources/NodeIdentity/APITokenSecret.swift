import Crypto
import Foundation

/// The token that a local system shows when it pushes records: 256 random bits. The node keeps only its digest, so a
/// stolen copy of the database opens nothing; a slow hash, as for passwords, would gain nothing against 256 bits.
package struct APITokenSecret: Sendable {
    /// `fnt_` and 43 letters; shown once. The prefix lets a search of logs and repositories find a leaked one.
    package let text: String

    /// From the system's random generator.
    package init() {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        let letters = bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        text = "fnt_" + letters.replacing("=", with: "")
    }

    /// As somebody shows it.
    package init(_ text: String) { self.text = text }

    /// SHA-256.
    package var digest: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

    /// Whether it is the token of which only the digest was kept. Compared in constant time (swift-crypto's `Digest`).
    package func matches(digest: [UInt8]) -> Bool { SHA256.hash(data: Data(text.utf8)) == Data(digest) }
}
