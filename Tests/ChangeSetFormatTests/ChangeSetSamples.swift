import ChangeSetFormat
import FederationModel
import Foundation
import TestSupport

/// A resource with a column of each storage and each rule.
let sample = ResourceDefinition(
    "sample", "样本",
    columns: [
        ColumnDefinition("name", "名称", level: .open, required: true, bytesMax: 60),
        ColumnDefinition("note", "备注", level: .inner, bytesMax: 100_000),
        ColumnDefinition("code", "代码", level: .open, codeList: "channel", bytesMax: 32),
        ColumnDefinition("amount", "数量", .integer, level: .open),
        ColumnDefinition("at", "时间", .timestamp, level: .open),
        ColumnDefinition("flag", "标记", .boolean, level: .open),
        ColumnDefinition("ratio", "比率", .real, level: .open),
        ColumnDefinition("ext", "扩展", .json, level: .open),
    ])

/// The values of one row: envelope first, then the columns of the resource.
typealias SampleRow = [FieldValue]

func row(_ key: String, _ fields: [FieldValue] = []) -> SampleRow {
    let given = fields.isEmpty ? [.text("名")] : fields
    return [.text("370100"), .text(key), .integer(1_790_000_000_000 << 16), .integer(0)] + given
        + [FieldValue](repeating: .null, count: sample.columns.count - given.count)
}

func block(_ rows: [SampleRow], of resource: ResourceDefinition = sample, kind: BlockKind = .tail) -> BlockWriter {
    var block = BlockWriter(resource: resource, kind: kind)
    for row in rows {
        for (index, value) in row.enumerated() { block.columns[index].append(value) }
        block.finishRow()
    }
    return block
}

/// Header and payload of one change-set, before compression.
struct PlainChangeSet {
    var header: ChangeSetHeader
    var payload: [UInt8]

    init(_ blocks: [BlockWriter], rowCount: Int? = nil) {
        var header = ChangeSetHeader(
            sender: node("370100"), receiver: node("370000"), start: cursor(0), end: cursor(9), head: 9,
            schemaRevision: 1, rowCount: rowCount ?? blocks.reduce(0) { $0 + $1.rowCount }, payloadBytes: 0,
            createdAt: 1_790_000_000_000)
        payload = changeSetPayload(digest: 0, blocks: blocks)
        header.payloadBytes = payload.count
        self.header = header
        seal()
    }

    /// A payload whose blocks are written byte by byte.
    init(raw blocks: [[UInt8]], count: Int? = nil, rowCount: Int) {
        self.init([], rowCount: rowCount)
        var writer = ByteWriter()
        writer.append(fixed: 0)
        writer.appendVarint(UInt64(count ?? blocks.count))
        for block in blocks { writer.append(contentsOf: block) }
        payload = writer.bytes
        seal()
    }

    /// Puts the header's digest before the blocks.
    mutating func seal() {
        withUnsafeBytes(of: header.digest.littleEndian) {
            payload.replaceSubrange(0..<min(8, payload.count), with: $0.prefix(payload.count))
        }
    }

    func decoded(resources: [ResourceDefinition] = [sample]) throws -> [DecodedBlock] {
        try payload.withUnsafeBytes { payload in
            try PayloadReader { name in resources.first { $0.name == name } }.blocks(of: payload, header: header)
        }
    }

    /// The rows of each block, as a reader sees them.
    func rows() throws -> [[SampleRow]] {
        let blocks = try decoded()
        return payload.withUnsafeBytes { payload in
            blocks.map { block in
                let names = EnvelopeColumn.all.map(\.name) + block.resource.columns.map(\.name)
                return (0..<block.rowCount).map { row in
                    names.map { block.column($0)?.value(row, payload: payload) ?? .null }
                }
            }
        }
    }

    func faults() throws -> [RowFault] {
        let blocks = try decoded()
        return payload.withUnsafeBytes { payload in blocks.flatMap { $0.faults(payload: payload) } }
    }
}

func cursor(_ seq: Seq, sweep: SweepPosition = .complete) -> Cursor {
    Cursor(
        epoch: Epoch(counter: 1, nonce: 42), seq: seq, revision: LinkRevision(topology: 1, policy: 0), sweep: sweep)
}

/// A column, written byte by byte.
func rawColumn(_ name: String, _ storage: UInt8, _ body: [UInt8], length: UInt64? = nil) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(text: name)
    writer.append(storage)
    writer.appendVarint(length ?? UInt64(body.count))
    writer.append(contentsOf: body)
    return writer.bytes
}

/// A block, written byte by byte: `columns` after the four of the envelope.
func rawBlock(
    _ resource: String = "sample", kind: UInt8 = 1, rows: Int, columnCount: UInt64? = nil, envelope: Bool = true,
    _ columns: [[UInt8]]
) -> [UInt8] {
    let all = (envelope ? rawEnvelope(rows: rows) : []) + columns
    var writer = ByteWriter()
    writer.append(text: resource)
    writer.append(kind)
    writer.appendVarint(UInt64(rows))
    writer.appendVarint(columnCount ?? UInt64(all.count))
    for column in all { writer.append(contentsOf: column) }
    return writer.bytes
}

private func rawEnvelope(rows: Int) -> [[UInt8]] {
    let constant: UInt8 = 2
    return [
        rawColumn("origin", 1, [constant, 6] + Array("370100".utf8)),
        rawColumn("key", 1, [0] + [UInt8](repeating: 1, count: rows) + [UInt8](repeating: 0x6b, count: rows)),
        rawColumn("version", 2, [constant, 2]),
        rawColumn("deleted", 2, [constant, 0]),
    ]
}

func headerCode(_ bytes: [UInt8]) -> String? {
    errorCode { _ = try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0) } }
}

func payloadCode(_ changeSet: PlainChangeSet, resources: [ResourceDefinition] = [sample]) -> String? {
    errorCode { _ = try changeSet.decoded(resources: resources) }
}
