import FederationModel
import Foundation
import Hummingbird
import NodeDesk
import SyncProtocol

/// Where error codes become HTTP statuses, and nowhere else.
package enum ErrorMapping {
    /// RFC 4918, section 11.5.
    private static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")

    package static func status(of code: String) -> HTTPResponse.Status {
        switch code {
        case "E_NOT_A_NEIGHBOUR", "E_ANALYSIS_DENIED", "E_ANALYSIS_NOT_GRANTED", "E_ROWS_NOT_GRANTED",
            "E_TOKEN_RESOURCE",
            "E_TLS_REQUIRED", "E_RELAY_DENIED":
            .forbidden
        case "E_TOKEN_MISSING", "E_TOKEN_INVALID", "E_TOKEN_EXPIRED": .unauthorized
        case "E_RESOURCE_UNKNOWN", "E_NO_ROUTE": .notFound
        case "E_BODY_SLOW": .requestTimeout
        case "E_FRAME_TOO_LARGE", "E_BODY_TOO_LARGE", "E_BATCH_TOO_LARGE": .contentTooLarge
        case "E_CONTENT_TYPE": .unsupportedMediaType
        case "E_INTAKE_BUSY", "E_QUEUE_FULL": .tooManyRequests
        case "E_DISK_FLOOR": insufficientStorage
        case "E_STORE_BUSY", "E_STORE_FULL", "E_STORE_READONLY", "E_STORE_DAMAGED", "E_STORE_IO",
            "E_STORE_REFUSED", "E_QUERY_DEADLINE", "E_PEER_BUSY", "E_BUSY", "E_QUARANTINE_FULL", "E_CLOCK_IMPLAUSIBLE":
            .serviceUnavailable
        case "E_TOPOLOGY_VERSION", "E_SUPERSEDED": .conflict
        default: .badRequest
        }
    }

    /// `application/problem+json` (RFC 9457) with our code.
    package static func response(_ error: FederationError) -> Response {
        Response(
            status: status(of: error.code), headers: [.contentType: "application/problem+json"],
            body: .init(byteBuffer: ByteBuffer(bytes: answer(error).body)))
    }

    /// The same where it is no response of its own.
    static func answer(_ error: FederationError) -> PeerAnswer {
        let status = status(of: error.code)
        var problem: [String: Any] = [
            "type": "about:blank", "title": status.reasonPhrase, "status": status.code, "code": error.code,
            "detail": error.message,
        ]
        if let hint = error.hint { problem["hint"] = hint }
        let body = (try? JSONSerialization.data(withJSONObject: problem, options: [.sortedKeys])) ?? Data()
        return PeerAnswer(status: status.code, body: Array(body))
    }

    /// Reads a refusal, made fit to be shown.
    package static func refusal(in body: [UInt8]) throws -> Refusal {
        var refusal = try WireJSON.decode(Refusal.self, body)
        if !PeerProblem.isCode(refusal.code) { refusal.code = "E_PEER_ANSWER" }
        refusal.message = PeerProblem.presentable(refusal.message)
        refusal.hint = refusal.hint.map(PeerProblem.presentable)
        return refusal
    }
}
