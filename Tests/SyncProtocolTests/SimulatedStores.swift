import ChangeSetFormat
import FederationModel
import SyncProtocol

struct SimulatedRow: Equatable {
    let resource: ResourceName
    let key: RowKey
    var version: Int64
    var isDeleted: Bool
}

/// A change-set as the simulation moves it: the real header and the rows in plain sight.
struct SimulatedChangeSet {
    var header: ChangeSetHeader
    var tail: [SimulatedRow]
    /// The complete listing from the header's start to its end position.
    var listing: [SimulatedRow]
}

struct RowID: Hashable, Comparable {
    let resource: ResourceName
    let key: RowKey

    static func < (a: RowID, b: RowID) -> Bool { (a.resource, a.key) < (b.resource, b.key) }
}

/// The sender's database: rows in their latest version with the seq of their latest change.
struct SimulatedSource {
    var epoch: Epoch
    var seq: Seq = 0
    private(set) var rows: [RowID: (row: SimulatedRow, seq: Seq)] = [:]
    /// Of all rows, in the order of a sweep once `isSorted`.
    private var order: [RowID] = []
    private var isSorted = true

    init(epoch: Epoch) { self.epoch = epoch }

    mutating func write(_ row: SimulatedRow) {
        seq += 1
        let id = RowID(resource: row.resource, key: row.key)
        if rows.updateValue((row, seq), forKey: id) == nil {
            order.append(id)
            isSorted = false
        }
    }

    /// Loses rows, as an older copy has.
    mutating func forget(_ ids: Set<RowID>) {
        for id in ids { rows[id] = nil }
        order.removeAll { ids.contains($0) }
    }

    /// The tail first, so that live changes never wait behind a sweep; then what fits of the sweep.
    /// - Returns: nil when nothing that is granted lies behind the cursor.
    mutating func prepare(
        _ request: PrepareRequest, policy: LinkPolicy, now: UnixMilliseconds
    ) -> SimulatedChangeSet? {
        if !isSorted {
            order.sort()
            isSorted = true
        }
        let (resources, origins) = (Set(policy.wholeResources), Set(policy.origins.map(\.code)))
        func isGranted(_ row: SimulatedRow) -> Bool {
            resources.contains(row.resource) && origins.contains(row.key.origin)
        }
        let changed = rows.values.filter { $0.seq > request.from.seq && isGranted($0.row) }.sorted { $0.seq < $1.seq }
        let tail = changed.prefix(request.rowsMax)
        var end = request.from
        end.seq = tail.count == request.rowsMax ? tail.last?.seq ?? seq : seq
        var listing: [SimulatedRow] = []
        while case .at(let resource, let after) = end.sweep,
            tail.count + listing.count < max(request.rowsMax, tail.count + 1)
        {
            let room = max(request.rowsMax - tail.count - listing.count, 1)
            var index = order.endIndex
            if let after {
                index = firstIndex(behind: RowID(resource: resource, key: after))
            } else {
                index = order.firstIndex { $0.resource == resource } ?? index
            }
            var rest: [SimulatedRow] = []
            while index < order.endIndex, order[index].resource == resource, rest.count <= room {
                if let row = rows[order[index]]?.row, !row.isDeleted, isGranted(row) { rest.append(row) }
                index += 1
            }
            listing += rest.prefix(room)
            if rest.count > room {
                end.sweep = .at(resource: resource, after: rest[room - 1].key)
            } else {
                end.sweep = policy.sweepPosition(after: resource)
            }
        }
        if tail.isEmpty && end.sweep == request.from.sweep { return nil }
        return SimulatedChangeSet(
            header: ChangeSetHeader(
                sender: policy.sender, receiver: policy.receiver, start: request.from, end: end, head: seq,
                schemaRevision: 1, rowCount: tail.count + listing.count, payloadBytes: 100, createdAt: now),
            tail: tail.map(\.row), listing: listing)
    }

    /// By halving: `order` is sorted.
    private func firstIndex(behind id: RowID) -> Int {
        var (low, high) = (order.startIndex, order.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if id < order[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// What the receiver has to hold in the end.
    func granted(by policy: LinkPolicy) -> [RowID: SimulatedRow] {
        rows.filter { id, value in
            !value.row.isDeleted && policy.wholeResources.contains(id.resource)
                && policy.origins.contains { $0.code == id.key.origin }
        }.mapValues(\.row)
    }
}

/// The receiver's database: rows and cursor, changed together.
struct SimulatedTarget {
    var cursor: Cursor?
    var rows: [RowID: SimulatedRow] = [:]

    mutating func apply(_ changeSet: SimulatedChangeSet, policy: LinkPolicy, keepsRows: Bool = true) {
        let header = changeSet.header
        if keepsRows {
            for row in changeSet.tail { put(row) }
            sweep(changeSet, policy: policy)
        }
        cursor = header.end
    }

    /// A new policy takes away at once what it does not grant any more; its sweep speaks of the rest.
    mutating func withdraw(under policy: LinkPolicy) {
        rows = rows.filter { policy.resources.contains($0.key.resource) }
    }

    private mutating func put(_ row: SimulatedRow) {
        rows[RowID(resource: row.resource, key: row.key)] = row.isDeleted ? nil : row
    }

    /// What the listing does not name, between the two positions, is gone.
    private mutating func sweep(_ changeSet: SimulatedChangeSet, policy: LinkPolicy) {
        var position = changeSet.header.start.sweep
        let end = changeSet.header.end.sweep
        while position != end, case .at(let resource, let after) = position {
            var last: RowKey?
            if case .at(resource, let key) = end { last = key }
            let gone = rows.keys.filter { id in
                id.resource == resource && after.map { $0 < id.key } ?? true && last.map { id.key <= $0 } ?? true
            }
            for id in gone { rows[id] = nil }
            position = last == nil ? policy.sweepPosition(after: resource) : end
        }
        for row in changeSet.listing { put(row) }
    }
}
