import ChangeSetFormat
import FederationModel
import GRDB
import Zstandard

import struct FederationModel.Cursor

/// Where the giving back of rows has come to.
package struct LostPosition: Hashable, Sendable {
    fileprivate let resource: ResourceName
    fileprivate let row: Int64
}

extension NodeStore {
    /// The next of the rows that a sender has lost, as a change-set on its way back to it (design rule 6).
    ///
    /// - Parameters:
    ///   - policy: what `sender` may send here; it is what it may get back.
    ///   - position: behind which they lie; nil at the beginning.
    /// - Returns: nil when there are no more.
    package func lostChangeSet(
        of sender: NodeID, policy: LinkPolicy, after position: LostPosition?, now: UnixMilliseconds,
        compressor: ZstandardCompressor
    ) async throws -> (changeSet: OutgoingChangeSet, end: LostPosition)? {
        let read = try await pool.read { [tables] db -> (cursor: Cursor, blocks: [BlockWriter], end: LostPosition)? in
            guard let cursor = try LinkCursorTable.cursor(of: sender, db) else { return nil }
            var blocks: [BlockWriter] = []
            var end = position
            var (rowsLeft, bytesLeft) = (SyncLimits.returnedRowsMax, SyncLimits.payloadBytesTarget)
            let first = position.flatMap { policy.resources.firstIndex(of: $0.resource) } ?? 0
            for name in policy.resources[first...] {
                guard rowsLeft > 0, bytesLeft > 0, let table = tables[name] else { break }
                let after = position?.resource == name ? position?.row : nil
                let ids = try LostRows.ids(of: table, sender: sender, after: after ?? 0, limit: rowsLeft, db)
                guard !ids.isEmpty else { continue }
                var block = BlockWriter(resource: table.definition, kind: .tail)
                let statement = try db.cachedStatement(sql: table.whole)
                statement.arguments = ["[\(ids.map(String.init).joined(separator: ","))]"]
                let isCut = try block.fill(from: statement, bytesMax: bytesLeft, db)
                guard block.rowCount > 0 else { continue }
                rowsLeft -= block.rowCount
                bytesLeft = isCut ? 0 : bytesLeft - block.byteCount
                end = LostPosition(resource: name, row: ids[block.rowCount - 1])
                blocks.append(block)
            }
            return blocks.isEmpty ? nil : end.map { (cursor, blocks, $0) }
        }
        guard let read else { return nil }
        let header = ChangeSetHeader(
            sender: node, receiver: sender, start: read.cursor, end: read.cursor, head: read.cursor.seq,
            schemaRevision: schemaRevision, rowCount: 0, payloadBytes: 0, createdAt: now)
        return (try OutgoingChangeSet(header, blocks: read.blocks, compressor: compressor), read.end)
    }

    /// Lets go of rows that their sender knows after all and does not grant, or has deleted.
    ///
    /// - Returns: how many it has lost still, and the head of the feed.
    package func settle(
        _ rows: [(resource: ResourceName, key: RowKey)], of sender: NodeID, now: UnixMilliseconds
    ) async throws -> (lost: Int, head: Seq) {
        let (lost, head) = try await writeFeed(now: now) { [tables] writer in
            for (resource, group) in Dictionary(grouping: rows, by: \.resource) {
                guard let table = tables[resource] else { continue }
                let ids = try group.compactMap { try LostRows.id($0.key, of: table, sender: sender, writer.db) }
                try writer.retract(ids, of: table)
            }
            return try LostRows.count(of: sender, writer.db)
        }
        return (lost, head)
    }
}
