/// An error for the person who must act: what happened, to which node, resource or row, and what to do.
///
/// `code` is stable (`E_…`): scripts, metrics and peers rely on it. Neither the message nor the hint ever holds a field's
/// value, because values are personal data.
package struct FederationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: String
    package let message: String
    /// What to do about it; nil when the message says it already.
    package let hint: String?
    /// Whether the same call may succeed later without anybody's help.
    package let isRetryable: Bool

    package init(_ code: String, _ message: String, hint: String? = nil, isRetryable: Bool = false) {
        self.code = code
        self.message = message
        self.hint = hint
        self.isRetryable = isRetryable
    }

    package var description: String {
        hint.map { "\(code): \(message) (\($0))" } ?? "\(code): \(message)"
    }
}
