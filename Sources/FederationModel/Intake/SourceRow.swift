/// What one row of a source says: the records that it is, and those that it is no longer.
package struct SourceRow: Hashable, Sendable {
    /// A record by its name.
    package struct RecordName: Hashable, Sendable {
        package let resource: ResourceName
        package let key: String

        package init(resource: ResourceName, key: String) {
            self.resource = resource
            self.key = key
        }
    }

    package var records: [IntakeRecord]
    /// Records that an earlier row of this source with the same key may have been and this one is not. Those that are here
    /// are withdrawn.
    package var absent: [RecordName]

    package init(_ records: [IntakeRecord], absent: [RecordName] = []) {
        self.records = records
        self.absent = absent
    }
}

/// What a row that was taken changed.
package enum IntakeChange: String, CaseIterable, Sendable {
    /// Its ticket, or the record that it is, was not here.
    case new
    case changed
    /// It had a closure and has none any more.
    case reopened
    /// It had another record that it has no more.
    case withdrawn
}
