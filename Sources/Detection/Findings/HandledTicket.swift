import FederationModel

/// What happened to a ticket, as far as supervision of quality looks at it (7.1.1 b).
package struct HandledTicket: Hashable, Sendable {
    package struct Dispatch: Hashable, Sendable {
        package var unit: String
        package var at: UnixMilliseconds
        package var isMain: Bool
        /// From 1; a rework (重办) begins the next.
        package var round: Int

        package init(_ unit: String, at: UnixMilliseconds, isMain: Bool = true, round: Int = 1) {
            self.unit = unit
            self.at = at
            self.isMain = isMain
            self.round = round
        }
    }

    package struct Return: Hashable, Sendable {
        package enum Decision: String, Sendable {
            case approved
            case rejected
            case designated
        }

        package var unit: String
        package var at: UnixMilliseconds
        /// nil while nobody has decided.
        package var decision: Decision?

        package init(_ unit: String, at: UnixMilliseconds, _ decision: Decision? = nil) {
            self.unit = unit
            self.at = at
            self.decision = decision
        }
    }

    package var id: String
    package var requestType: String
    package var urgency: String
    package var category: String?
    package var acceptedAt: UnixMilliseconds
    package var dispatches: [Dispatch] = []
    package var returns: [Return] = []
    /// When a unit first spoke with the reporter.
    package var contactedAt: UnixMilliseconds?
    package var isAnonymous = false
    package var dueAt: UnixMilliseconds?
    package var closedAt: UnixMilliseconds?
    package var isCallbackRequired = true
    package var callbackAt: UnixMilliseconds?
    /// 好差评, 5 is best; nil when the handling was not evaluated.
    package var score: Int?
    /// Codes of an evaluation's reasons.
    package var reasons: [String] = []
    /// What the reporter said at the callback or in the evaluation.
    package var comment = ""
    /// Whether it counts for assessment.
    package var isCounted = true

    package init(
        id: String, requestType: String = "2", urgency: String = "normal", category: String? = nil,
        acceptedAt: UnixMilliseconds
    ) {
        self.id = id
        self.requestType = requestType
        self.urgency = urgency
        self.category = category
        self.acceptedAt = acceptedAt
    }

    /// The unit that answers for it last.
    package var unit: String? { dispatches.filter(\.isMain).max { $0.at < $1.at }?.unit }
}
