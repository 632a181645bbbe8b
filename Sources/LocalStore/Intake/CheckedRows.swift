import FederationModel

/// Rows on their way in, with what can be told of each without the database: done before the writer's turn, of an import while the
/// batch before is stored.
package struct CheckedRows: Sendable {
    package let rows: [SourceRow]
    /// Why a row must not be stored, by its place.
    let violations: [RowRejection?]
    /// The records of all rows, by resource.
    let groups: [Group]

    struct Group: Sendable {
        let table: ResourceTable
        fileprivate(set) var records: [IntakeRecord] = []
        /// The row of each record.
        fileprivate(set) var places: [Int] = []
        /// Whether no two of them have the same key.
        fileprivate(set) var isDistinct = true
    }

    init(_ rows: [SourceRow], violations: [RowRejection?], tables: [ResourceName: ResourceTable]) {
        self.rows = rows
        self.violations = violations
        var groups: [Group] = []
        for (place, row) in rows.enumerated() {
            for record in row.records {
                var index = groups.firstIndex { $0.table.definition.name == record.resource }
                if index == nil, let table = tables[record.resource] {
                    groups.append(Group(table: table))
                    index = groups.endIndex - 1
                }
                guard let index else { continue }
                groups[index].records.append(record)
                groups[index].places.append(place)
            }
        }
        for index in groups.indices {
            let records = groups[index].records
            groups[index].isDistinct = Set(records.lazy.map { ExactText($0.key) }).count == records.count
        }
        self.groups = groups
    }
}
