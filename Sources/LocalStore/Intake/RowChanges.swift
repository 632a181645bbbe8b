import FederationModel
import GRDB

/// What rows of this node changed when they were written.
struct RowChanges {
    /// For each row, in order; nil where all was as it says.
    let changes: [IntakeChange?]
    /// Records of which the rows said what was so already, that they are, or are no more; without those that no intake has written which
    /// can still be undone.
    let settled: [RecordDigest]

    /// Writes the rows, resource by resource.
    init(writing rows: [SourceRow], tables: [ResourceName: ResourceTable], _ writer: FeedWriter) throws {
        var records: [IntakeRecord] = []
        for row in rows { records += row.records }
        var stored: [ResourceName: FeedWriter.Stored] = [:]
        for (resource, group) in Dictionary(grouping: records, by: \.resource) {
            guard let table = tables[resource] else { continue }
            stored[resource] = try writer.store(group, in: table)
        }
        func isNew(_ row: SourceRow) -> Bool {
            guard let head = row.head else { return false }
            return stored[head.resource]?.new.contains(ExactText(head.key)) == true
        }
        // What is new here has nothing to take back.
        var absent: [ResourceName: [String]] = [:]
        for row in rows where !row.absent.isEmpty && !isNew(row) {
            for record in row.absent { absent[record.resource, default: []].append(record.key) }
        }
        var withdrawn: [ResourceName: Set<ExactText>] = [:]
        var same: [ResourceName: [String]] = [:]
        for record in records where stored[record.resource]?.changed.contains(ExactText(record.key)) != true {
            same[record.resource, default: []].append(record.key)
        }
        // The request last: as long as it is there its image is logged for the records of its thread.
        let request = BuiltInResources.serviceRequest.name
        for (resource, keys) in absent.sorted(by: { $0.key != request && $1.key == request }) {
            guard let table = tables[resource] else { continue }
            let (gone, before) = try writer.withdraw(keys, of: table)
            withdrawn[resource] = gone
            same[resource, default: []] += before
        }
        var settled: [RecordDigest] = []
        if let oldest = try Intakes.oldestVersion(writer.db) {
            for (resource, keys) in same {
                guard let table = tables[resource] else { continue }
                settled += try writer.own(keys, since: oldest, of: table).map { RecordDigest(resource, $0) }
            }
        }
        self.settled = settled
        changes = rows.map { row in
            if isNew(row) { return .new }
            if !withdrawn.isEmpty {
                let gone = row.absent.filter { withdrawn[$0.resource]?.contains(ExactText($0.key)) == true }
                if gone.contains(where: { $0.resource == BuiltInResources.closure.name }) { return .reopened }
                if !gone.isEmpty { return .withdrawn }
            }
            let isChanged = row.records.contains { stored[$0.resource]?.changed.contains(ExactText($0.key)) == true }
            return isChanged ? .changed : nil
        }
    }
}
