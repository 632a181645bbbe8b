import FederationModel

/// The first bytes of a change-set: who sends it, from where to where it takes the receiver's cursor, and what to expect.
///
/// Layout (docs/wire-format.md): the magic `FCS1`, the header's length as a varint, the header, then one zstd frame with
/// the payload.
package struct ChangeSetHeader: Hashable, Sendable {
    package static let magic: [UInt8] = Array("FCS1".utf8)
    /// Version 2 has the history mark at its end, for receivers that know it.
    package static let formatVersions: ClosedRange<UInt64> = 1...2

    package var sender: NodeID
    package var receiver: NodeID
    /// The cursor that the receiver must stand on.
    package var start: Cursor
    /// Where the receiver's cursor stands after it: the same epoch and revision.
    package var end: Cursor
    /// The sender's own seq when this was read; `end.seq` below it means that more is waiting.
    package var head: Seq
    package var schemaRevision: Int
    package var rowCount: Int
    /// Bytes after decompression.
    package var payloadBytes: Int
    /// The sender's clock when it was made.
    package var createdAt: UnixMilliseconds
    /// By which commit `end.seq` was given out; nil when that is not known, or the receiver does not ask for it.
    package var mark: HistoryMark?

    package init(
        sender: NodeID, receiver: NodeID, start: Cursor, end: Cursor, head: Seq, schemaRevision: Int, rowCount: Int,
        payloadBytes: Int, createdAt: UnixMilliseconds, mark: HistoryMark? = nil
    ) {
        self.sender = sender
        self.receiver = receiver
        self.start = start
        self.end = end
        self.head = head
        self.schemaRevision = schemaRevision
        self.rowCount = rowCount
        self.payloadBytes = payloadBytes
        self.createdAt = createdAt
        self.mark = mark
    }

    /// Magic, length and header; the compressed payload follows.
    package func encoded() -> [UInt8] {
        let body = body()
        var writer = ByteWriter()
        writer.append(contentsOf: Self.magic)
        writer.appendVarint(UInt64(body.count))
        writer.append(contentsOf: body)
        return writer.bytes
    }

    /// Ties the payload, which begins with it, to this header.
    package var digest: UInt64 { fnv1a64(body()) }

    private func body() -> [UInt8] {
        var writer = ByteWriter()
        writer.appendVarint(mark == nil ? 1 : 2)
        writer.append(text: sender.code)
        writer.append(text: receiver.code)
        writer.appendVarint(UInt64(start.epoch.counter))
        writer.append(fixed: start.epoch.nonce)
        writer.appendSigned(start.seq)
        writer.appendSigned(end.seq - start.seq)
        writer.appendSigned(head - end.seq)
        writer.appendSigned(start.revision.topology)
        writer.appendSigned(start.revision.policy)
        writer.append(position: start.sweep)
        writer.append(position: end.sweep)
        writer.appendVarint(UInt64(schemaRevision))
        writer.appendVarint(UInt64(rowCount))
        writer.appendVarint(UInt64(payloadBytes))
        writer.appendSigned(createdAt)
        if let mark { writer.append(fixed: mark.value) }
        return writer.bytes
    }

    /// Reads the header of `bytes`, which may be the whole change-set or its beginning.
    ///
    /// - Returns: the header and the offset of the compressed payload.
    /// - Throws: `E_CHANGE_SET_MAGIC`, `E_CHANGE_SET_VERSION`, `E_CHANGE_SET_TRUNCATED`, `E_CHANGE_SET_TOO_LARGE`,
    ///   `E_CHANGE_SET_MALFORMED`.
    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(FederationError) -> (ChangeSetHeader, Int) {
        var reader = ByteReader(bytes)
        for expected in magic {
            guard try reader.byte() == expected else {
                throw FederationError("E_CHANGE_SET_MAGIC", "these bytes are not a change-set (no FCS1 at the start)")
            }
        }
        let length = try reader.count(
            max: SyncLimits.headerBytesMax, code: "E_CHANGE_SET_TOO_LARGE", what: "header bytes")
        var body = try reader.slice(length)
        let header = try decodeBody(&body)
        guard body.remaining == 0 else { throw .malformedChangeSet("its header is longer than its fields") }
        return (header, reader.offset)
    }

    private static func decodeBody(_ body: inout ByteReader) throws(FederationError) -> ChangeSetHeader {
        let version = try body.varint()
        guard formatVersions.contains(version) else {
            throw FederationError(
                "E_CHANGE_SET_VERSION",
                "the change-set has format \(version), this node reads formats "
                    + "\(formatVersions.lowerBound) to \(formatVersions.upperBound)",
                hint: "run the same release on both nodes")
        }
        let sender = try node(&body)
        let receiver = try node(&body)
        guard let counter = UInt32(exactly: try body.varint()) else {
            throw .malformedChangeSet("the epoch's counter is too large")
        }
        let epoch = Epoch(counter: counter, nonce: try body.fixed())
        let seq = try body.signed()
        let upto = seq.addingReportingOverflow(try body.signed())
        let head = upto.partialValue.addingReportingOverflow(try body.signed())
        guard !upto.overflow, !head.overflow, seq >= 0, seq <= upto.partialValue, upto.partialValue <= head.partialValue
        else {
            throw .malformedChangeSet("its seqs run backwards")
        }
        let revision = LinkRevision(topology: try body.signed(), policy: try body.signed())
        let sweepStart = try body.position()
        let sweepEnd = try body.position()
        let schema = try body.count(max: Int(Int32.max), code: FederationError.malformed, what: "schema revisions")
        let rows = try body.count(max: SyncLimits.rowsMax, code: "E_CHANGE_SET_TOO_LARGE", what: "rows")
        let payload = try body.count(
            max: SyncLimits.payloadBytesMax, code: "E_CHANGE_SET_TOO_LARGE", what: "bytes after decompression")
        return ChangeSetHeader(
            sender: sender, receiver: receiver,
            start: Cursor(epoch: epoch, seq: seq, revision: revision, sweep: sweepStart),
            end: Cursor(epoch: epoch, seq: upto.partialValue, revision: revision, sweep: sweepEnd),
            head: head.partialValue, schemaRevision: schema, rowCount: rows, payloadBytes: payload,
            createdAt: try body.signed(), mark: version == 2 ? HistoryMark(try body.fixed()) : nil)
    }

    private static func node(_ body: inout ByteReader) throws(FederationError) -> NodeID {
        guard let node = NodeID(try body.text(max: 12)) else { throw .malformedChangeSet("a node's code is not one") }
        return node
    }
}

extension ByteWriter {
    fileprivate mutating func append(position: SweepPosition) {
        switch position {
        case .complete:
            append(0)
        case .at(let resource, nil):
            append(1)
            append(text: resource.text)
        case .at(let resource, let after?):
            append(2)
            append(text: resource.text)
            append(text: after.origin)
            append(text: after.key)
        }
    }
}

extension ByteReader {
    fileprivate mutating func position() throws(FederationError) -> SweepPosition {
        switch try byte() {
        case 0: return .complete
        case 1: return .at(resource: ResourceName(try text(max: SyncLimits.nameBytesMax)), after: nil)
        case 2:
            let resource = ResourceName(try text(max: SyncLimits.nameBytesMax))
            let origin = try text(max: 12)
            return .at(resource: resource, after: RowKey(origin: origin, key: try text(max: RowKey.bytesMax)))
        default: throw .malformedChangeSet("a sweep position has an unknown kind")
        }
    }
}
