import ChangeSetFormat
import FederationModel
import GRDB
import Zstandard

import struct FederationModel.Cursor

/// What a new policy of a link will do to the receiver's rows of one resource.
package struct PolicyPlan: Hashable, Sendable {
    package let resource: ResourceName
    /// Rows that are granted now and were not.
    package var added: Int64 = 0
    /// Rows that were granted and are not any more.
    package var retracted: Int64 = 0
    /// Rows that stay and are stated again by the sweep.
    package var again: Int64 = 0
    /// What travels, estimated from a sample of the rows.
    package var bytes: Int64 = 0
}

extension NodeStore {
    private static let sampleRows = 1_000

    /// Compares what two policies of a link grant of the rows that are here now. Changes nothing that is sent to anybody.
    ///
    /// The link need not be one of this node: of others, it counts the copies that are here.
    ///
    /// - Parameters:
    ///   - old: nil when there is no such link yet.
    ///   - new: nil when there is none any more.
    package func plan(
        from old: LinkPolicy?, to new: LinkPolicy?, now: UnixMilliseconds, compressor: ZstandardCompressor
    ) async throws -> [PolicyPlan] {
        if let new, new.grant.tickets.isFolded {
            try await pool.write { [visibility] db in try visibility.keepFoldedColumns(db) }
        }
        let visibility = visibility
        var plans: [PolicyPlan] = []
        for table in tableOrder {
            let resource = table.definition.name
            let was = old.map { visibility.isGranted(resource, by: $0) } ?? "0"
            let willBe = new.map { visibility.isGranted(resource, by: $0) } ?? "0"
            let sql = """
                SELECT coalesce(sum(is_new AND NOT was), 0), coalesce(sum(was AND NOT is_new), 0), coalesce(sum(was AND is_new), 0)
                FROM (SELECT \(was) AS was, \(willBe) AS is_new FROM main.\(table.table) AS r
                      WHERE r.deleted = \(RowState.live.rawValue))
                """
            var plan = PolicyPlan(resource: resource)
            (plan.added, plan.retracted, plan.again) = try await pool.read { db in
                guard let row = try Row.fetchOne(db, sql: sql) else { return (0, 0, 0) }
                return (row[0], row[1], row[2])
            }
            if let new, plan.added + plan.again > 0 {
                plan.bytes = try await bytes(of: plan, policy: new, now: now, compressor: compressor)
            }
            if plan.added + plan.retracted + plan.again > 0 { plans.append(plan) }
        }
        return plans
    }

    /// The live rows of an origin that are here, of all resources.
    package func rows(of origin: NodeID) async throws -> Int64 {
        try await pool.read { [tableOrder] db in
            try tableOrder.reduce(0) { count, table in
                try count
                    + (Int64.fetchOne(
                        db,
                        sql: "SELECT count(*) FROM main.\(table.table) WHERE origin = ? AND deleted = ?",
                        arguments: [origin.code, RowState.live.rawValue]) ?? 0)
            }
        }
    }

    /// Makes one change-set as the sweep would and takes it for all the others.
    private func bytes(
        of plan: PolicyPlan, policy: LinkPolicy, now: UnixMilliseconds, compressor: ZstandardCompressor
    ) async throws -> Int64 {
        let start = Cursor(
            epoch: epoch, seq: try await head(), revision: policy.revision,
            sweep: .at(resource: plan.resource, after: nil))
        let rows = plan.added + plan.again
        let prepared = try await prepareChangeSet(
            from: start, policy: policy, rowsMax: min(Int(rows), Self.sampleRows), now: now, compressor: compressor)
        guard case .changeSet(let sample) = prepared, sample.header.rowCount > 0 else { return 0 }
        return Int64(sample.bytes.count) * rows / Int64(sample.header.rowCount)
    }
}
