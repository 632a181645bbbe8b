import FederationModel
import GRDB

/// What rows of this node changed when they were written.
struct RowChanges {
    /// For each row, in order; nil where all was as it says, and for one that was refused.
    let changes: [IntakeChange?]
    /// Records of which the rows said what was so already, that they are, or are no more; without those that no intake has written which
    /// can still be undone.
    let settled: [RecordDigest]

    /// Writes the rows that are not refused, resource by resource.
    ///
    /// - Parameter isTaken: whether a row is, by its place.
    init(
        writing checked: CheckedRows, isTaken: [Bool], tables: [ResourceName: ResourceTable], _ writer: FeedWriter
    ) throws {
        let rows = checked.rows
        let areAllTaken = isTaken.allSatisfy(\.self)
        var isChanged = Array(repeating: false, count: rows.count)
        var isNew = isChanged
        var same: [ResourceName: [String]] = [:]
        for group in checked.groups {
            let resource = group.table.definition.name
            var (records, places, areHeads) = (group.records, group.places, group.areHeads)
            if !areAllTaken {
                let taken = places.indices.filter { isTaken[places[$0]] }
                (records, places) = (taken.map { records[$0] }, taken.map { places[$0] })
                areHeads = taken.map { areHeads[$0] }
            }
            let stored = try writer.store(records, in: group.table, areDistinct: group.isDistinct)
            for (index, place) in places.enumerated() {
                if stored.changed[index] {
                    isChanged[place] = true
                } else {
                    same[resource, default: []].append(records[index].key)
                }
                if stored.new[index], areHeads[index] { isNew[place] = true }
            }
        }
        // What is new here has nothing to take back.
        var absent: [ResourceName: [String]] = [:]
        for (place, row) in rows.enumerated() where isTaken[place] && !row.absent.isEmpty && !isNew[place] {
            for record in row.absent { absent[record.resource, default: []].append(record.key) }
        }
        var withdrawn: [ResourceName: Set<ExactText>] = [:]
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
        changes = rows.enumerated().map { place, row in
            guard isTaken[place] else { return nil }
            if isNew[place] { return .new }
            if !withdrawn.isEmpty {
                let gone = row.absent.filter { withdrawn[$0.resource]?.contains(ExactText($0.key)) == true }
                if gone.contains(where: { $0.resource == BuiltInResources.closure.name }) { return .reopened }
                if !gone.isEmpty { return .withdrawn }
            }
            return isChanged[place] ? .changed : nil
        }
    }
}
