/// One record of a ticket's thread, as the fold sees it.
package struct TicketEvent: Hashable, Sendable {
    package let resource: ResourceName
    package let origin: String
    package let key: String
    package let version: Int64
    /// The columns that `TicketFold.columns` names for the resource.
    package let fields: [String: FieldValue]

    package init(
        resource: ResourceName, origin: String, key: String, version: Int64, fields: [String: FieldValue]
    ) {
        self.resource = resource
        self.origin = origin
        self.key = key
        self.version = version
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

    package var occurredAt: UnixMilliseconds { integer(TicketFold.timeColumn(of: resource)) ?? 0 }
}
