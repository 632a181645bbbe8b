import FederationModel

/// What a row is to the reference: its fields by name, nothing of how the store keeps it.
package typealias Fields = [String: FieldValue]

/// A row with its resource, origin, key and version.
package struct Look: Hashable, Sendable {
    package let resource: ResourceName
    package let origin: NodeID
    package let key: String
    package let version: Int64
    package let fields: Fields

    package init(resource: ResourceName, origin: NodeID, key: String, version: Int64, fields: Fields) {
        self.resource = resource
        self.origin = origin
        self.key = key
        self.version = version
        self.fields = fields
    }

    package var id: String { "\(resource) \(origin) \(key)" }
    var isCall: Bool { resource == "call_record" }
}
