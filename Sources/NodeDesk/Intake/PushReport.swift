import FederationModel

/// What became of one pushed record.
package enum PushOutcome: Hashable, Sendable {
    /// Stored: new, or other than before.
    case accepted(IntakeChange)
    /// Here already, field by field.
    case unchanged
    case rejected(RowRejection)

    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .unchanged: "unchanged"
        case .rejected: "rejected"
        }
    }
}

/// The answer to a push: the counts that `import` gives, and one result a record in the order of the body.
package struct PushReport: Sendable {
    package struct Result: Sendable {
        /// As it was stored; as it was sent for a record that was not.
        package var key: String?
        package var outcome: PushOutcome
        /// Whether a later record of the same request has the same key, so that this one is nowhere any more.
        package var isCollapsed = false
    }

    package let resource: ResourceName
    package var results: [Result]
    package var milliseconds = 0
}
