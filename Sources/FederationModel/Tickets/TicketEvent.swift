/// One record of a ticket's thread, as the fold sees it.
package struct TicketEvent: Hashable, Sendable {
    package let resource: ResourceName
    /// Nil for a resource that the fold does not read.
    let kind: Kind?
    package let origin: String
    package let key: String
    package let version: Int64
    package let occurredAt: UnixMilliseconds
    /// The columns that `TicketFold.columns` names for the resource.
    package let fields: [String: FieldValue]

    package init(
        resource: ResourceName, origin: String, key: String, version: Int64, fields: [String: FieldValue]
    ) {
        self.resource = resource
        kind = Kind(rawValue: resource.text)
        self.origin = origin
        self.key = key
        self.version = version
        occurredAt = fields[TicketFold.timeColumn(of: resource)]?.integer ?? 0
        self.fields = fields
    }

    /// Names the record among those of its ticket.
    package struct ID: Hashable, Sendable {
        package let resource: ResourceName
        package let origin: String
        package let key: String

        package init(resource: ResourceName, origin: String, key: String) {
            self.resource = resource
            self.origin = origin
            self.key = key
        }
    }

    package var id: ID { ID(resource: resource, origin: origin, key: key) }

    func text(_ name: String) -> String? { fields[name]?.text }
    func integer(_ name: String) -> Int64? { fields[name]?.integer }

    /// The resources of a thread. A fold looks at each record several times, and comparing their names would be most of it.
    enum Kind: String, CaseIterable {
        case request = "service_request"
        case assignment
        case acknowledgement
        case returnRequest = "return_request"
        case returnDecision = "return_decision"
        case extensionRequest = "extension_request"
        case extensionDecision = "extension_decision"
        case handling
        case reply
        case supervision
        case closure
        case callback
        case evaluation
        case ticketAction = "ticket_action"
        case transfer

        /// Records of one instant are taken in the order in which a ticket goes through its stages.
        var rank: Int {
            switch self {
            case .request: 0
            case .assignment: 1
            case .acknowledgement: 2
            case .returnRequest: 3
            case .returnDecision: 4
            case .extensionRequest: 5
            case .extensionDecision: 6
            case .handling: 7
            case .reply: 8
            case .supervision: 9
            case .closure: 10
            case .callback: 11
            case .evaluation: 12
            case .ticketAction: 13
            case .transfer: 14
            }
        }
    }

    /// The order in which the fold takes records: by time, then by stage; the rest of a row's identity makes it total.
    static func isBefore(_ a: TicketEvent, _ b: TicketEvent) -> Bool {
        if a.occurredAt != b.occurredAt { return a.occurredAt < b.occurredAt }
        let (rankA, rankB) = (a.kind?.rank ?? .max, b.kind?.rank ?? .max)
        if rankA != rankB { return rankA < rankB }
        return (a.version, a.origin, a.key) < (b.version, b.origin, b.key)
    }
}
