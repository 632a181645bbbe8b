import FederationModel
import Foundation
import Hummingbird
import SyncProtocol

/// Where error codes become HTTP statuses, and nowhere else.
package enum ErrorMapping {
    package static func status(of code: String) -> HTTPResponse.Status {
        switch code {
        case "E_NOT_A_NEIGHBOUR", "E_ANALYSIS_DENIED", "E_ROWS_NOT_GRANTED", "E_TOKEN_RESOURCE", "E_TLS_REQUIRED":
            .forbidden
        case "E_TOKEN_MISSING", "E_TOKEN_INVALID", "E_TOKEN_EXPIRED": .unauthorized
        case "E_RESOURCE_UNKNOWN", "E_NO_ROUTE": .notFound
        case "E_BODY_SLOW": .requestTimeout
        case "E_FRAME_TOO_LARGE", "E_BODY_TOO_LARGE", "E_BATCH_TOO_LARGE": .contentTooLarge
        case "E_CONTENT_TYPE": .unsupportedMediaType
        case "E_INTAKE_BUSY": .tooManyRequests
        case "E_STORE_BUSY", "E_STORE_FULL", "E_STORE_READONLY", "E_STORE_DAMAGED", "E_STORE_IO": .serviceUnavailable
        case "E_TOPOLOGY_VERSION", "E_SUPERSEDED": .conflict
        default: .badRequest
        }
    }

    /// `application/problem+json` (RFC 9457) with our code.
    package static func response(_ error: FederationError) -> Response {
        let status = status(of: error.code)
        var problem: [String: Any] = [
            "type": "about:blank", "title": status.reasonPhrase, "status": status.code, "code": error.code,
            "detail": error.message,
        ]
        if let hint = error.hint { problem["hint"] = hint }
        let body = (try? JSONSerialization.data(withJSONObject: problem, options: [.sortedKeys])) ?? Data()
        return Response(
            status: status, headers: [.contentType: "application/problem+json"],
            body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }

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

    /// Reads a refusal, made fit to be shown.
    package static func refusal(in body: [UInt8]) throws -> Refusal {
        var refusal = try WireJSON.decode(Refusal.self, body)
        if !isCode(refusal.code) { refusal.code = "E_PEER_ANSWER" }
        refusal.message = presentable(refusal.message)
        refusal.hint = refusal.hint.map(presentable)
        return refusal
    }

    /// Whether a text has the shape of our codes, so that it may name a metric or a line of a log.
    static func isCode(_ text: String) -> Bool {
        text.hasPrefix("E_") && text.utf8.count <= 64
            && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// A peer's words as `status` may print them: a bounded length, and nothing that moves a terminal's cursor.
    private static func presentable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(500).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: Character("\u{FFFD}")
            default: Character(scalar)
            }
        }
        return String(shown)
    }
}
