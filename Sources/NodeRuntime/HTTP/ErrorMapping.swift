import FederationModel
import Foundation
import Hummingbird

/// Where error codes become HTTP statuses, and nowhere else.
package enum ErrorMapping {
    package static func status(of code: String) -> HTTPResponse.Status {
        switch code {
        case "E_NOT_A_NEIGHBOUR", "E_ANALYSIS_DENIED": .forbidden
        case "E_FRAME_TOO_LARGE", "E_BODY_TOO_LARGE": .contentTooLarge
        case "E_STORE_BUSY": .serviceUnavailable
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

    /// The error that a peer's answer carries.
    package static func error(in body: [UInt8], status: Int) -> FederationError {
        guard let problem = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let code = problem["code"] as? String, code.hasPrefix("E_"), code.utf8.count <= 64
        else {
            return FederationError("E_PEER_ANSWER", "a peer answered with HTTP status \(status)")
        }
        return FederationError(
            code, problem["detail"] as? String ?? "refused", hint: problem["hint"] as? String,
            isRetryable: status >= 429)
    }
}
