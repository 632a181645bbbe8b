import ChangeSetFormat
import FederationModel
import SyncProtocol
import Zstandard

/// Change-sets that are well made and say what their sender has no right to say.
enum Forgery {
    /// The key of every forged row, which nobody ever wrote.
    static let number = 999

    /// A ticket that `origin` never took in, in the place of what a real change-set says.
    static func changeSet(
        in header: ChangeSetHeader, of origin: NodeID, compressor: ZstandardCompressor
    ) throws -> [UInt8] {
        let record = RandomRecords.ticket(number, origin: origin)
        var row = record.fields
        row["key"] = .text(record.key)
        row["origin"] = .text(origin.code)
        row["version"] = .integer(header.createdAt << 16)
        row["deleted"] = .integer(0)
        var block = BlockWriter(resource: BuiltInResources.serviceRequest, kind: .tail)
        for index in block.columns.indices {
            block.columns[index].append(row[block.columns[index].name] ?? .null)
        }
        block.finishRow()
        var header = header
        header.rowCount = 1
        var payload = changeSetPayload(digest: 0, blocks: [block])
        header.payloadBytes = payload.count
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        return header.encoded() + (try compressor.compress(payload))
    }
}

extension Federation {
    /// What a sender says that is no supplier of an origin; nil when there is no such origin.
    func forged(_ header: ChangeSetHeader, _ end: SendingEnd) throws -> [UInt8]? {
        let others = order.filter { !end.policy.origins.contains($0) }
        guard kind.hasForgers, roll(network.trouble), let origin = others.randomElement(using: &random) else {
            return nil
        }
        note("\(end.edge) forges a ticket of \(origin)")
        return try Forgery.changeSet(in: header, of: origin, compressor: end.compressor)
    }

    /// What a receiver gives back that it never got, to a sender that has lost nothing.
    func forgeReturn(_ end: ReceivingEnd, _ connection: Connection) throws {
        guard kind.hasForgers, roll(network.trouble), let cursor = end.receiver.summary(now: now).cursor,
            !ledger.restored.contains(end.sender), !kind.hasPowerLosses
        else { return }
        note("\(end.edge) gives back a forged ticket")
        let header = ChangeSetHeader(
            sender: end.node.id, receiver: end.sender, start: cursor, end: cursor, head: cursor.seq,
            schemaRevision: BuiltInResources.schemaRevision, rowCount: 0, payloadBytes: 0, createdAt: now)
        let bytes = try Forgery.changeSet(in: header, of: end.sender, compressor: end.compressor)
        down(connection) { $0.returned(bytes, connection, $1) }
    }
}
