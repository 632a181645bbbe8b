import ChangeSetFormat
import FederationModel
import Foundation
import GRDB

import struct FederationModel.Cursor

/// What one change-set did.
package struct ApplyReport: Hashable, Sendable {
    /// The receiver's cursor, on disk together with the rows.
    package var cursor: Cursor
    package var applied: Int
    /// Rows that were here already in the same image.
    package var skipped: Int
    package var quarantined: Int
    /// Rows that a sweep's listing no longer named.
    package var retracted: Int
    /// Rows of the sender that are here and that it no longer has, those of earlier change-sets included.
    package var lost = 0
    /// Rows of the sender that are put aside here, those of earlier change-sets included.
    package var quarantinedTotal = 0
    /// Resources of which rows were passed over, because the sender's own catalog does not grant them.
    package var refused: [ResourceName: CatalogRefusal] = [:]
    /// This node's head after the commit; its own links are woken with it.
    package var head: Seq
}

extension NodeStore {
    /// Applies a change-set: rows, quarantine and cursor in one transaction. Rows that the database refuses are put aside with those that
    /// break a rule, whatever the reason: one of them must not hold back what is behind it.
    ///
    /// - Throws: `E_QUARANTINE_FULL` when there would be more rows of the sender put aside than `SyncLimits.quarantineRowsMax`;
    ///   `E_CURSOR_MOVED` when the durable cursor is not where the change-set starts, `E_EPOCH` when it is of an
    ///   earlier epoch than the cursor, `E_NOT_A_NEIGHBOUR` when the topology that was adopted has no link between the two; nothing is
    ///   stored then. `E_CURSOR_MOVED` also when a topology was adopted by which less may come over the link, and `E_BUSY` as long as it
    ///   is being taken up.
    package func apply(
        _ changeSet: IncomingChangeSet, policy: LinkPolicy, now: UnixMilliseconds
    ) async throws -> ApplyReport {
        do {
            return try await apply(changeSet, policy: policy, isTrial: false, now: now)
        } catch let error as FederationError where error.code == FederationError.statementRefusedCode {
            let refused = try await refusedRows(of: changeSet, among: changeSet.sound[...], policy: policy, now: now)
            guard !refused.isEmpty else { throw error }
            let violation = RowRejection(code: error.code, reason: "the database refuses the row")
            return try await apply(
                changeSet.puttingAside(refused, because: violation), policy: policy, isTrial: false, now: now)
        }
    }

    /// Halves the rows until those are found that the database refuses by themselves.
    private func refusedRows(
        of changeSet: IncomingChangeSet, among places: ArraySlice<IncomingChangeSet.Place>, policy: LinkPolicy,
        now: UnixMilliseconds
    ) async throws -> [IncomingChangeSet.Place] {
        do {
            _ = try await apply(changeSet.only(places), policy: policy, isTrial: true, now: now)
        } catch is TrialPassed {
            return []
        } catch let error as FederationError where error.code == FederationError.statementRefusedCode {
            guard places.count > 1 else { return Array(places) }
            let middle = places.startIndex + places.count / 2
            return try await refusedRows(of: changeSet, among: places[..<middle], policy: policy, now: now)
                + refusedRows(of: changeSet, among: places[middle...], policy: policy, now: now)
        }
        return []
    }

    /// Ends the transaction of a trial, so that nothing of it stays.
    private struct TrialPassed: Error {}

    private func apply(
        _ changeSet: IncomingChangeSet, policy: LinkPolicy, isTrial: Bool, now: UnixMilliseconds
    ) async throws -> ApplyReport {
        var (report, head) = try await writeFeed(now: now) { [self] writer in
            let db = writer.db
            let header = changeSet.header
            // It was on its way when a topology was adopted: what that does not let in any more nobody would take back.
            guard try Self.hasLink(from: header.sender, db) else {
                throw FederationError(
                    "E_NOT_A_NEIGHBOUR", "\(header.sender) is no neighbour of \(policy.receiver) any more",
                    hint: "`topology diff` says in which version the link ended")
            }
            guard policy.isInForce(under: writer.standing) else {
                throw FederationError(
                    "E_CURSOR_MOVED",
                    "a change-set of \(header.sender) came in before \(policy.receiver) adopted a topology by which less may come over "
                        + "this link", isRetryable: true)
            }
            guard adopting.map({ policy.isInForce(under: $0) }) ?? true else {
                throw FederationError(
                    "E_BUSY",
                    "\(policy.receiver) is taking up a topology by which less may come over the link from \(header.sender)",
                    isRetryable: true)
            }
            let durable = try LinkCursorTable.cursor(of: header.sender, db)
            if let durable, header.start.epoch.counter < durable.epoch.counter {
                throw FederationError(
                    "E_EPOCH",
                    "a change-set of \(header.sender) is of epoch \(header.start.epoch), but \(policy.receiver) has "
                        + "rows of its epoch \(durable.epoch) already",
                    hint: "an older database of \(header.sender) runs; docs/operating.md says how to give it an epoch "
                        + "above \(durable.epoch.counter)")
            }
            guard durable == header.start || header.startsAfresh(from: durable, policy: policy) else {
                throw FederationError(
                    "E_CURSOR_MOVED", "a change-set of \(header.sender) does not start at the cursor of its link",
                    isRetryable: true)
            }
            // Of another life of its database the sender may know less than it once sent; its silence deletes nothing.
            let isNewEpoch =
                try durable.map {
                    try $0.epoch != header.start.epoch || LinkCursorTable.isNewEpoch(of: header.sender, db)
                }
                ?? false
            if durable != header.start { try UnlistedRows.restart(under: policy, tables: tableOrder, db) }
            var applier = ChangeSetApplier(
                policy: policy, isNewEpoch: isNewEpoch, limit: retractionLimit, catalogs: catalogs, writer: writer,
                report: ApplyReport(
                    cursor: header.end, applied: 0, skipped: 0, quarantined: 0, retracted: 0, head: 0))
            try changeSet.payload.withUnsafeBytes { try applier.apply(changeSet, payload: $0, tables: tables) }
            try LinkCursorTable.save(
                header.end, mark: header.mark, madeAt: header.createdAt, of: header.sender,
                isNewEpoch: isNewEpoch && header.end.sweep != .complete, db)
            applier.report.lost = try LostRows.count(of: header.sender, db)
            // An answer that begins now says so already.
            if applier.report.lost > 0 { try Self.doubt(policy.origins, db) }
            applier.report.quarantinedTotal = try Quarantine.count(of: header.sender, db)
            if applier.report.quarantined > 0, applier.report.quarantinedTotal > SyncLimits.quarantineRowsMax {
                throw FederationError.quarantineFull(of: header.sender, at: policy.receiver)
            }
            if isTrial { throw TrialPassed() }
            return applier.report
        }
        report.head = head
        return report
    }
}

extension LinkPolicy {
    /// Whether all that it lets in may still come over the link: no origin, and no resource, that has another way now or none. Which of
    /// their rows do, a sweep settles.
    func isInForce(under standing: Standing) -> Bool {
        guard let present = standing.incoming[sender] else { return true }
        return origins.isSubset(of: present.origins) && wholeResources.isSubset(of: present.wholeResources)
            && Set(resources).isSubset(of: present.resources)
    }
}

extension ChangeSetHeader {
    /// Whether it may set a cursor that is not there yet, or of another epoch or revision: then a sweep begins with it.
    fileprivate func startsAfresh(from durable: Cursor?, policy: LinkPolicy) -> Bool {
        guard start.sweep == policy.sweepStart else { return false }
        guard let durable, durable.epoch == start.epoch else { return true }
        return durable.seq <= start.seq && durable.revision <= start.revision
            && (durable.seq, durable.revision) != (start.seq, start.revision)
    }
}

/// Brings the blocks of one change-set into the tables, inside the caller's transaction.
private struct ChangeSetApplier {
    let policy: LinkPolicy
    /// Whether what is here came from another epoch than the change-set, as far as the sweep has not come by.
    let isNewEpoch: Bool
    let limit: RetractionLimit
    let catalogs: CatalogCache
    let writer: FeedWriter
    var report: ApplyReport

    private var db: Database { writer.db }

    mutating func apply(
        _ changeSet: IncomingChangeSet, payload: UnsafeRawBufferPointer, tables: [ResourceName: ResourceTable]
    ) throws {
        let tail = changeSet.parts.filter { $0.block.kind == .tail }
        // The catalog first: what else is in the change-set is held against it.
        let (catalog, others) = (
            tail.filter { CatalogResources.names.contains($0.block.resource.name) },
            tail.filter { !CatalogResources.names.contains($0.block.resource.name) }
        )
        for part in catalog { try apply(part, payload: payload, tables: tables) }
        try refuse(blocks: changeSet.blocks)
        for part in others
        where report.refused[part.block.resource.name] == nil
            && part.block.resource.name != RemovalResources.order.name
        {
            try apply(part, payload: payload, tables: tables)
        }
        // An order comes after the rows that it is about. As long as a sweep has not been through all of them some may
        // still be here, so the order is left to the sweep, which lists it behind them.
        if !isBeforeOrders(changeSet.header.start.sweep) {
            for part in others where part.block.resource.name == RemovalResources.order.name {
                try apply(part, payload: payload, tables: tables)
            }
        }
        try applySweep(changeSet, payload: payload, tables: tables)
    }

    private func isBeforeOrders(_ position: SweepPosition) -> Bool {
        guard case .at(let resource, _) = position, let place = policy.resources.firstIndex(of: resource),
            let orders = policy.resources.firstIndex(of: RemovalResources.order.name)
        else { return false }
        return place < orders
    }

    private mutating func apply(
        _ part: IncomingChangeSet.Part, payload: UnsafeRawBufferPointer, tables: [ResourceName: ResourceTable]
    ) throws {
        guard let table = tables[part.block.resource.name] else { return }
        try store(try stage(part, payload: payload, table: table), table: table)
    }

    /// Finds the resources that the sender's own catalog, as far as it is here, does not grant (5.3-2). Their rows are
    /// passed over and not kept anywhere; the others go on, and so does the cursor.
    private mutating func refuse(blocks: [DecodedBlock]) throws {
        for block in blocks where block.rowCount > 0 {
            guard let refusal = try refusal(of: block.resource.name) else { continue }
            report.refused[block.resource.name] = refusal
            try RefusedResources.note(
                block.resource.name, refusal, rows: block.rowCount, sender: policy.sender, now: writer.now, db)
        }
    }

    private func refusal(of resource: ResourceName) throws -> CatalogRefusal? {
        if Catalog.exempt.contains(resource) { return nil }
        return try catalogs.newest(of: policy.sender, db)?.refusal(of: resource, to: policy.receiver)
    }

    private mutating func stage(
        _ part: IncomingChangeSet.Part, payload: UnsafeRawBufferPointer, table: ResourceTable
    ) throws -> RowStager.Staged {
        for fault in part.faults {
            try Quarantine.put(fault, of: part.block, payload: payload, sender: policy.sender, now: writer.now, db)
        }
        report.quarantined += part.faults.count
        return try RowStager(table: table, db: db).stage(part.block, payload: payload, skipping: part.passedOver)
    }

    /// Staged rows into the table; the staging table is empty afterwards.
    private mutating func store(_ staged: RowStager.Staged, table: ResourceTable) throws {
        if staged.rows > 0, try isNewEpoch || LostRows.holdsAny(db) {
            try LostRows.withhold(olderIn: table, sender: policy.sender, all: isNewEpoch, db)
            try LostRows.release(stagedIn: table, db)
        }
        let changed = try writer.apply(staged, to: table, supplier: policy.sender)
        report.applied += changed
        report.skipped += staged.rows - changed
    }

    /// Applies the listing of a sweep and retracts what it does not name, resource by resource from where the change-set
    /// starts to where it ends.
    private mutating func applySweep(
        _ changeSet: IncomingChangeSet, payload: UnsafeRawBufferPointer, tables: [ResourceName: ResourceTable]
    ) throws {
        var position = changeSet.header.start.sweep
        let end = changeSet.header.end.sweep
        while position != end, case .at(let resource, let after) = position {
            guard let table = tables[resource] else { return }
            var last: RowKey?
            if case .at(resource, let key) = end { last = key }
            try forgetQuarantined(table, after: after, last: last)
            var staged = RowStager.Staged()
            for part in changeSet.parts
            where part.block.kind == .sweep && part.block.resource.name == resource && report.refused[resource] == nil {
                staged = try stage(part, payload: payload, table: table)
            }
            // Before the rows go in: into an empty range, which an initial load meets, this finds nothing at once.
            let unlisted = try UnlistedRows(
                of: table, isRefused: refusal(of: resource) != nil, isNewEpoch: isNewEpoch, policy: policy,
                limit: limit,
                writer)
            for (isBounded, arguments) in parts(after: after, last: last) {
                report.retracted += try unlisted.pass(isBounded: isBounded, arguments)
            }
            try store(staged, table: table)
            if last == nil { report.retracted += try unlisted.decide() }
            position = last == nil ? policy.sweepPosition(after: resource) : end
        }
    }

    /// What a bucket covers of each origin: behind `after`, up to and including `last`.
    private func parts(after: RowKey?, last: RowKey?) -> [(isBounded: Bool, arguments: StatementArguments)] {
        policy.origins.map(\.code).sorted().compactMap { origin in
            if let after, origin < after.origin { return nil }
            if let last, origin > last.origin { return nil }
            var arguments: StatementArguments = [origin, origin == after?.origin ? after?.key ?? "" : ""]
            if origin == last?.origin { arguments += [last?.key] }
            return (origin == last?.origin, arguments)
        }
    }

    /// Row images that were put aside earlier: the listing states the row anew, or it is gone.
    private func forgetQuarantined(_ table: ResourceTable, after: RowKey?, last: RowKey?) throws {
        let resource = table.definition.name
        guard try Quarantine.holds(resource, db) else { return }
        for (isBounded, arguments) in parts(after: after, last: last) {
            try db.cachedStatement(
                sql: """
                    DELETE FROM main.quarantine WHERE resource = '\(resource)' AND origin = ?1 AND "key" > ?2
                      \(isBounded ? "AND \"key\" <= ?3" : "")
                    """
            ).execute(arguments: arguments)
        }
    }
}
