/// A record of a case (``CaseResources``), as folds and audiences read it.
package struct CaseRecord: Sendable {
    package let resource: ResourceName
    package let origin: String
    package let key: String
    package let version: HybridTime
    private let values: [String: FieldValue]

    package init(
        _ resource: ResourceName, origin: String, key: String, version: HybridTime, values: [String: FieldValue]
    ) {
        self.resource = resource
        self.origin = origin
        self.key = key
        self.version = version
        self.values = values
    }

    package func text(_ column: String) -> String? { values[column]?.text }
    package func integer(_ column: String) -> Int64? { values[column]?.integer }

    package var at: UnixMilliseconds { integer("occurred_at") ?? version.milliseconds }

    /// The nodes that it names as concerned.
    package var nodes: Set<String> { Set((text("nodes") ?? "").split(separator: " ").map(String.init)) }

    /// The column that names the thread in the records of a kind.
    static func key(of kind: String) -> String { "\(kind)_id" }

    /// How the records of a resource are read: all its columns but those that hold much.
    static func form(_ resource: ResourceDefinition) -> ThreadForm<CaseRecord> {
        let columns = resource.columns.map(\.name).filter {
            !["evidence", "detail", "document", "changes"].contains($0)
        }
        return ThreadForm(resource.name, columns: columns) { origin, key, version, values in
            CaseRecord(
                resource.name, origin: origin, key: key, version: HybridTime(rawValue: version),
                values: Dictionary(zip(columns, values)) { first, _ in first })
        }
    }

    /// One order for all records, whatever way they came.
    static func isBefore(_ a: CaseRecord, _ b: CaseRecord) -> Bool {
        if a.at != b.at { return a.at < b.at }
        if a.version != b.version { return a.version < b.version }
        if !a.origin.isSame(as: b.origin) { return a.origin.precedes(b.origin) }
        return a.key.precedes(b.key)
    }
}

extension Sequence<CaseRecord> {
    func of(_ resource: ResourceDefinition) -> [CaseRecord] { filter { $0.resource == resource.name } }
}

extension CaseResources {
    /// Codes with a space between them, as `nodes` holds them.
    package static func list(_ nodes: some Sequence<NodeID>) -> String {
        nodes.sorted().map(\.code).joined(separator: " ")
    }
}
