import FederationModel
import LocalStore

/// What a node's database holds, read past everything that the node itself would ask.
extension SimulatedNode {
    /// The live rows.
    func looks() async throws -> [Look] {
        var looks: [Look] = []
        for resource in RandomTopology.resources {
            let columns = resource.columns.map(\.name)
            let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let rows = try await store.rows(
                sql: "SELECT origin, \"key\", version, \(list) FROM \(resource.name) WHERE deleted = 0", arguments: [])
            for row in rows {
                guard let origin = NodeID(row[0].text ?? "") else { continue }
                let fields = zip(columns, row.dropFirst(3)).filter { !$0.1.isNull }
                looks.append(
                    Look(
                        resource: resource.name, origin: origin, key: row[1].text ?? "", version: row[2].integer ?? 0,
                        fields: Dictionary(uniqueKeysWithValues: fields.map { ($0.0, $0.1) })))
            }
        }
        return looks
    }

    /// By id, the version of each row, or what else stands in a column, whatever has become of it.
    func versions(isLive: Bool = false) async throws -> [String: Int64] {
        let parts = RandomTopology.resources.map {
            "SELECT '\($0.name) ' || origin || ' ' || \"key\", version FROM \($0.name)\(isLive ? " WHERE deleted = 0" : "")"
        }
        let rows = try await store.rows(sql: parts.joined(separator: " UNION ALL "), arguments: [])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", $0[1].integer ?? 0) })
    }
}
