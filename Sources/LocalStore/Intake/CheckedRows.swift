import FederationModel

/// Rows on their way in, with what can be told of each without the database: done before the writer's turn, of an import while the
/// batch before is stored.
package struct CheckedRows: Sendable {
    package let rows: [SourceRow]
    /// Why a row must not be stored, by its place.
    let violations: [RowRejection?]
    /// The records of all rows, by resource.
    let groups: [Group]
    /// Nil for the history of another system, which is stored as it is.
    let guarded: GuardedRows?

    struct Group: Sendable {
        let table: ResourceTable
        fileprivate(set) var records: [IntakeRecord] = []
        /// The row of each record.
        fileprivate(set) var places: [Int] = []
        /// Whether each stands for its whole row: the request, where there is one, else the first.
        fileprivate(set) var areHeads: [Bool] = []
        /// Whether no two of them have the same key.
        fileprivate(set) var isDistinct = true
    }

    init(
        _ rows: [SourceRow], violations: [RowRejection?], isGuarded: Bool, tables: [ResourceName: ResourceTable]
    ) {
        self.rows = rows
        guarded = isGuarded ? GuardedRows(rows) : nil
        self.violations = violations
        var groups: [Group] = []
        for (place, row) in rows.enumerated() {
            let head = row.records.firstIndex { $0.resource == BuiltInResources.serviceRequest.name } ?? 0
            for (position, record) in row.records.enumerated() {
                var index = groups.firstIndex { $0.table.definition.name == record.resource }
                if index == nil, let table = tables[record.resource] {
                    groups.append(Group(table: table))
                    index = groups.endIndex - 1
                }
                guard let index else { continue }
                groups[index].records.append(record)
                groups[index].places.append(place)
                groups[index].areHeads.append(position == head)
            }
        }
        for index in groups.indices {
            let records = groups[index].records
            groups[index].isDistinct = Set(records.lazy.map { ExactText($0.key) }).count == records.count
        }
        self.groups = groups
    }
}
