import ChangeSetFormat
import FederationModel
import GRDB
import GRDBSQLite
import Zstandard

import struct FederationModel.Cursor

/// A change-set ready to travel.
package struct OutgoingChangeSet: Sendable {
    package let header: ChangeSetHeader
    package let bytes: [UInt8]

    /// - Parameter header: its numbers of rows and bytes are filled in.
    init(_ header: ChangeSetHeader, blocks: [BlockWriter], compressor: ZstandardCompressor) throws {
        var header = header
        header.rowCount = blocks.reduce(0) { $0 + $1.rowCount }
        var payload = changeSetPayload(digest: 0, blocks: blocks)
        header.payloadBytes = payload.count
        // The digest covers the header, and the header names the payload's size: so it is put in last.
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        self.header = header
        bytes = header.encoded() + (try compressor.compress(payload))
    }
}

/// What the store has for a link.
package enum Preparation: Sendable {
    case changeSet(OutgoingChangeSet)
    /// Up to this head there is nothing for the receiver.
    case nothing(head: Seq)
    /// Tombstones behind the cursor were removed: only a sweep can tell the receiver what is gone (design rule 8).
    case pruned(head: Seq)
}

extension NodeStore {
    /// Changes that are not granted and that a link may pass over before it tells the receiver: its cursor would stand
    /// still otherwise, and each look at the feed would begin further back.
    private static let passedOverMax: Int64 = 1_000

    /// Fills the next change-set for a link: the tail behind the cursor and, while a sweep is on, the next bucket as a
    /// complete listing, both read in one transaction.
    ///
    /// - Parameters:
    ///   - rowsMax: most rows; fewer when the bytes run out first.
    ///   - evenIfEmpty: whether a change-set without rows is wanted too, because the receiver has no cursor yet.
    ///   - hasMark: whether the receiver keeps history marks.
    ///   - limit: the seq that it must not pass, because a receiver may stand there; nil for none.
    package func prepareChangeSet(
        from start: Cursor, policy: LinkPolicy, rowsMax: Int, evenIfEmpty: Bool = false, hasMark: Bool = false,
        upto limit: Seq? = nil, now: UnixMilliseconds, compressor: ZstandardCompressor
    ) async throws -> Preparation {
        let draft = try await pool.read { [visibility] db -> ChangeSetDraft? in
            if start.seq < (try NodeValue.integer(NodeValue.floor, db)) { return nil }
            let granted = try visibility.rows(grantedBy: policy, db)
            var draft = ChangeSetDraft(start: start, policy: policy, granted: granted, rowsLeft: rowsMax)
            try draft.readTail(db, upto: limit)
            try draft.readSweep(db)
            if hasMark { draft.mark = try HistoryMarks.mark(of: draft.end.seq, db) }
            return draft
        }
        guard let draft else { return .pruned(head: try await head()) }
        let isEmpty = draft.blocks.isEmpty && draft.end.sweep == start.sweep && draft.end.seq == draft.head
        if isEmpty && !evenIfEmpty && draft.head - start.seq < Self.passedOverMax { return .nothing(head: draft.head) }
        let header = ChangeSetHeader(
            sender: node, receiver: policy.receiver, start: start, end: draft.end, head: draft.head,
            schemaRevision: schemaRevision, rowCount: 0, payloadBytes: 0, createdAt: now,
            mark: draft.mark)
        return .changeSet(try OutgoingChangeSet(header, blocks: draft.blocks, compressor: compressor))
    }
}

/// A change-set while it is read from the store.
private struct ChangeSetDraft {
    let start: Cursor
    let policy: LinkPolicy
    let granted: [GrantedRows]
    let origins: String
    let nodesBehind: String
    var rowsLeft: Int
    var bytesLeft = SyncLimits.payloadBytesTarget
    var head: Seq = 0
    var end: Cursor
    var mark: HistoryMark?
    var blocks: [BlockWriter] = []

    init(start: Cursor, policy: LinkPolicy, granted: [GrantedRows], rowsLeft: Int) {
        self.start = start
        self.policy = policy
        self.granted = granted
        self.rowsLeft = rowsLeft
        origins = jsonArray(policy.origins)
        nodesBehind = jsonArray(policy.nodesBehind)
        end = start
    }

    var rowCount: Int { blocks.reduce(0) { $0 + $1.rowCount } }

    /// The upper bound first, from the indexes alone; then one range a table, which needs no sorting.
    mutating func readTail(_ db: Database, upto limit: Seq?) throws {
        head = try NodeValue.integer("seq", db)
        let limit = min(head, limit ?? head)
        var window = rowsLeft
        var after = start.seq
        while after < limit, !granted.isEmpty {
            let upto = min(limit, try upperBound(db, after: after, window: window))
            let (tail, isCut) = try read(after: after, upto: upto, db)
            // On a link that grants little, an empty change-set for each window would be most of the traffic.
            if tail.isEmpty && upto < limit {
                after = upto
                continue
            }
            let bytes = tail.reduce(0) { $0 + $1.byteCount }
            // Long texts: try again with a narrower window rather than send what the receiver would refuse.
            if window > 1, isCut || bytes > SyncLimits.payloadBytesTarget {
                window = max(1, window / 4)
                continue
            }
            blocks = tail
            bytesLeft -= bytes
            rowsLeft -= rowCount
            end.seq = upto
            return
        }
        end.seq = limit
    }

    private func upperBound(_ db: Database, after: Seq, window: Int) throws -> Seq {
        let feed = GrantedRows.feed(of: granted)
        let statement = try db.cachedStatement(
            sql: "SELECT count(*), max(seq) FROM (SELECT seq FROM (\(feed)) ORDER BY seq LIMIT :window)")
        guard let row = try Row.fetchOne(statement, arguments: ["after": after, "window": window]) else {
            return head
        }
        // A window that is not full ends at the head: the cursor passes what is not granted.
        let count: Int = row[0]
        return count < window ? head : row[1] ?? head
    }

    /// - Returns: the tail, and whether it is incomplete because its rows have too many columns.
    private func read(after: Seq, upto: Seq, _ db: Database) throws -> (tail: [BlockWriter], isCut: Bool) {
        var tail: [BlockWriter] = []
        var isCut = false
        for rows in granted {
            var block = rows.block(.tail)
            let statement = try db.cachedStatement(sql: rows.tail)
            statement.arguments = ["after": after, "upto": upto, "origins": origins, "behind": nodesBehind]
            if try block.fill(from: statement, bytesMax: .max, db) { isCut = true }
            if block.rowCount > 0 { tail.append(block) }
        }
        return (tail, isCut)
    }

    mutating func readSweep(_ db: Database) throws {
        while case .at(let resource, let after) = end.sweep, rowsLeft > 0, bytesLeft > 0 {
            // An order that is stated here must find its rows sent: those in the tail too.
            if resource == RemovalResources.order.name && end.seq < head { return }
            guard let rows = granted.first(where: { $0.resource.name == resource }) else {
                end.sweep = policy.sweepPosition(after: resource)
                continue
            }
            var block = rows.block(.sweep)
            let statement = try db.cachedStatement(sql: rows.bucket)
            statement.arguments = [
                "origin": after?.origin ?? "", "key": after?.key ?? "", "origins": origins, "behind": nodesBehind,
                "limit": rowsLeft,
            ]
            let isCut = try block.fill(from: statement, bytesMax: bytesLeft, db)
            let mayGoOn = isCut || block.rowCount == rowsLeft
            rowsLeft -= block.rowCount
            bytesLeft -= block.byteCount
            if isCut { bytesLeft = 0 }
            if mayGoOn, let last = block.lastKey {
                end.sweep = .at(resource: resource, after: last)
            } else {
                end.sweep = policy.sweepPosition(after: resource)
            }
            if block.rowCount > 0 { blocks.append(block) }
        }
    }
}

/// Nodes as SQL's `json_each` takes them.
func jsonArray(_ nodes: Set<NodeID>) -> String { jsonArray(nodes.map(\.code).sorted()) }

/// Texts as SQL's `json_each` takes them.
func jsonArray(_ texts: some Sequence<String>) -> String {
    var json = "["
    for text in texts {
        if json.utf8.count > 1 { json += "," }
        appendJSONString(text, to: &json)
    }
    return json + "]"
}

extension BlockWriter {
    /// Appends the rows of a SELECT whose columns are those of the block and then `carried`, until about `bytesMax` bytes
    /// are reached or the block is crowded.
    ///
    /// - Returns: whether it stopped there, so that the statement may have more rows.
    mutating func fill(from statement: Statement, bytesMax: Int, _ db: Database) throws -> Bool {
        let raw = statement.sqliteStatement
        defer { sqlite3_reset(raw) }
        var bytes = 0
        while bytes < bytesMax, !isCrowded {
            switch sqlite3_step(raw) {
            case SQLITE_ROW: bytes += try appendRow(raw, db)
            case SQLITE_DONE: return false
            case let code:
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "reading rows of \(resource)")
            }
        }
        return true
    }

    private static let notText: [UInt8] = [0xff]

    /// - Returns: about how many bytes the row takes.
    private mutating func appendRow(_ raw: OpaquePointer, _ db: Database) throws -> Int {
        let carriedBytes = Int(sqlite3_column_bytes(raw, Int32(columns.count)))
        var bytes = carriedBytes
        for index in columns.indices {
            let position = Int32(index)
            switch sqlite3_column_type(raw, position) {
            case SQLITE_TEXT:
                let text = UnsafeRawBufferPointer(
                    start: sqlite3_column_text(raw, position), count: Int(sqlite3_column_bytes(raw, position)))
                if bytes + text.count <= SyncLimits.rowBytesMax || index < EnvelopeColumn.all.count {
                    columns[index].append(text: text)
                    bytes += text.count + 1
                } else {
                    // No receiver takes a text that is none: it puts the row aside, and the link goes on.
                    Self.notText.withUnsafeBytes { columns[index].append(text: $0) }
                    bytes += Self.notText.count + 1
                }
            case SQLITE_INTEGER:
                columns[index].append(integer: sqlite3_column_int64(raw, position))
                bytes += 4
            case SQLITE_FLOAT:
                columns[index].append(real: sqlite3_column_double(raw, position))
                bytes += 8
            default:
                columns[index].appendNull()
            }
        }
        if carriedBytes <= SyncLimits.rowBytesMax, let carried = sqlite3_column_text(raw, Int32(columns.count)) {
            let json = String(cString: carried)
            let members = try db.cachedStatement(sql: "SELECT \"key\", atom FROM json_each(?)")
            for member in try Row.fetchAll(members, arguments: [json]) { carry(member[0], member.fieldValue(at: 1)) }
        }
        finishRow()
        return bytes
    }
}
