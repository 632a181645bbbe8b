/// One record of a ticket's thread, as the fold sees it.
///
/// A class, because the fold sorts and copies lists of them, and a copy of a value would count four references.
package final class TicketEvent: Sendable {
    private let form: Form
    private let values: [FieldValue]
    package let origin: String
    package let key: String
    package let version: Int64
    package let occurredAt: UnixMilliseconds

    /// What the events of a resource have in common. A list of values beside it, since a dictionary for each record would
    /// cost more than the fold.
    package final class Form: Sendable {
        package let resource: ResourceName
        package let columns: [TicketColumn]
        private let names: [String]
        /// Nil for a resource that the fold does not read.
        fileprivate let kind: Kind?
        fileprivate let rank: Int

        /// - Parameter columns: at least those that `TicketFold.columns` names for the resource.
        package init(_ resource: ResourceName, columns: [TicketColumn]) {
            self.resource = resource
            self.columns = columns
            names = columns.map(\.rawValue)
            kind = Kind(rawValue: resource.text)
            rank = kind.flatMap { Kind.allCases.firstIndex(of: $0) } ?? Kind.allCases.count
        }

        /// What an event is made of, in the order of the columns.
        package func values(of fields: [String: FieldValue]) -> [FieldValue] { names.map { fields[$0] ?? .null } }
    }

    /// - Parameter values: as many as the form has columns.
    package init(_ form: Form, origin: String, key: String, version: Int64, values: [FieldValue]) {
        self.form = form
        self.values = values
        self.origin = origin
        self.key = key
        self.version = version
        let time: TicketColumn = form.kind == .request ? .requestedDatetime : .occurredAt
        occurredAt = form.columns.firstIndex(of: time).flatMap { values[$0].integer } ?? 0
    }

    package convenience init(
        _ form: Form, origin: String, key: String, version: Int64, fields: [String: FieldValue]
    ) {
        self.init(form, origin: origin, key: key, version: version, values: form.values(of: fields))
    }

    package var resource: ResourceName { form.resource }
    package var columns: [TicketColumn] { form.columns }
    var kind: Kind? { form.kind }
    var rank: Int { form.rank }

    package func value(_ column: TicketColumn) -> FieldValue {
        form.columns.firstIndex(of: column).map { values[$0] } ?? .null
    }

    func text(_ column: TicketColumn) -> String? { value(column).text }
    func integer(_ column: TicketColumn) -> Int64? { value(column).integer }

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

        package static func == (a: ID, b: ID) -> Bool {
            a.key.isSame(as: b.key) && a.origin.isSame(as: b.origin) && a.resource == b.resource
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(resource)
            key.hashBytes(into: &hasher)
        }
    }

    package var id: ID { ID(resource: resource, origin: origin, key: key) }

    /// The resources of a thread, in the order in which a ticket goes through its stages: so records of one instant are taken.
    /// A fold looks at each record several times, and comparing their names would be most of it.
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
    }

    /// The place of a resource among those of one instant; the last for one that the fold does not read.
    package static func rank(of resource: ResourceName) -> Int { Form(resource, columns: []).rank }

    /// The order in which the fold takes the records of a thread: the request first, whatever its time.
    static func inOrder(_ events: [TicketEvent], of request: TicketEvent?) -> [TicketEvent] {
        let ordered = events.sorted(by: isBefore)
        guard let request, ordered.first !== request, let place = ordered.firstIndex(where: { $0 === request }) else {
            return ordered
        }
        return [request] + ordered[..<place] + ordered[(place + 1)...]
    }

    /// The order in which the fold takes records: by time, then by stage; the rest of a row's identity makes it total.
    static func isBefore(_ a: TicketEvent, _ b: TicketEvent) -> Bool {
        if a.occurredAt != b.occurredAt { return a.occurredAt < b.occurredAt }
        if a.rank != b.rank { return a.rank < b.rank }
        if a.version != b.version { return a.version < b.version }
        return RowKey(origin: a.origin, key: a.key) < RowKey(origin: b.origin, key: b.key)
    }
}
