import FederationModel
import Foundation

/// What a peer says when it refuses: read, and made fit to be kept and shown.
package enum PeerProblem {
    /// The error that a peer's answer carries, made fit to be shown.
    package static func error(in body: [UInt8], status: Int) -> FederationError {
        guard let problem = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let code = problem["code"] as? String, isCode(code)
        else {
            return FederationError("E_PEER_ANSWER", "a peer answered with HTTP status \(status)")
        }
        return FederationError(
            code, presentable(problem["detail"] as? String ?? "refused"),
            hint: (problem["hint"] as? String).map(presentable), isRetryable: status >= 429)
    }

    /// Whether a text has the shape of our codes, so that it may name a metric or a line of a log.
    package static func isCode(_ text: String) -> Bool {
        text.hasPrefix("E_") && text.utf8.count <= 64
            && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// A peer's words as `status` may print them: a bounded length, and nothing that moves a terminal's cursor.
    package static func presentable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(500).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: Character("\u{FFFD}")
            default: Character(scalar)
            }
        }
        return String(shown)
    }
}
