import ChangeSetFormat
import FederationModel
import Zstandard

/// A change-set of a neighbour, decompressed, decoded and checked, ready to be applied. Making one touches no database.
package struct IncomingChangeSet: Sendable {
    package let header: ChangeSetHeader
    let payload: [UInt8]
    let blocks: [DecodedBlock]
    /// Rows to put aside, for each block.
    private(set) var faults: [[RowFault]]
    /// Rows to pass over, for each block: a trial leaves them out.
    private var leftOut: [Set<Int>]

    /// The latest version of a node's rows in it that will not be put aside; 0 when there are none.
    func latestVersion(of origin: NodeID) -> Int64 {
        payload.withUnsafeBytes { payload in
            zip(blocks, faults).reduce(0) { latest, part in
                let (block, faults) = part
                guard let origins = block.column(EnvelopeColumn.origin),
                    let versions = block.column(EnvelopeColumn.version)
                else { return latest }
                let faulty = Set(faults.map(\.row))
                return (0..<block.rowCount).reduce(latest) { latest, row in
                    guard !faulty.contains(row), origins.value(row, payload: payload).text == origin.code else {
                        return latest
                    }
                    return max(latest, versions.integer(row) ?? 0)
                }
            }
        }
    }

    /// Reads untrusted bytes, all of them, before anything is stored.
    ///
    /// - Parameters:
    ///   - bytes: the whole change-set.
    ///   - policy: what this neighbour may send to this node.
    /// - Throws: the codes of `ChangeSetHeader.decode` and `PayloadReader.blocks`, `E_CHANGE_SET_TOO_LARGE` (a bomb),
    ///   `E_CHANGE_SET_CORRUPT`, `E_RESOURCE_NOT_GRANTED`, `E_ORIGIN_NOT_SUPPLIED`.
    package init(
        bytes: [UInt8], policy: LinkPolicy, resources: [ResourceDefinition], now: UnixMilliseconds
    ) throws(FederationError) {
        let (header, payload, blocks) = try readChangeSet(bytes, resources: resources) {
            (block: DecodedBlock, payload: UnsafeRawBufferPointer) throws(FederationError) in
            try check(block, payload: payload, policy: policy)
        }
        self.header = header
        self.payload = payload
        self.blocks = blocks
        faults = payload.withUnsafeBytes { payload in
            blocks.map { $0.faults(payload: payload, now: now) }
        }
        leftOut = blocks.map { _ in [] }
    }

    /// One of its blocks.
    struct Part {
        let block: DecodedBlock
        /// Rows to put aside.
        let faults: [RowFault]
        /// Rows that are not stored: those, and what a trial leaves out.
        let passedOver: Set<Int>
    }

    var parts: [Part] {
        blocks.indices.map { index in
            Part(
                block: blocks[index], faults: faults[index], passedOver: leftOut[index].union(faults[index].map(\.row)))
        }
    }

    /// A row's place.
    struct Place: Hashable, Sendable {
        let block: Int
        let row: Int
    }

    /// The rows that are not put aside.
    var sound: [Place] {
        blocks.indices.flatMap { block in
            let faulty = Set(faults[block].map(\.row))
            return (0..<blocks[block].rowCount).filter { !faulty.contains($0) }.map { Place(block: block, row: $0) }
        }
    }

    /// The same with no other rows than these.
    func only(_ places: some Collection<Place>) -> IncomingChangeSet {
        var changeSet = self
        changeSet.leftOut = blocks.map { Set(0..<$0.rowCount) }
        for place in places { changeSet.leftOut[place.block].remove(place.row) }
        return changeSet
    }

    /// The same with these rows to be put aside.
    func puttingAside(_ places: [Place], because violation: RowRejection) -> IncomingChangeSet {
        var changeSet = self
        for place in places { changeSet.faults[place.block].append(RowFault(row: place.row, violation: violation)) }
        return changeSet
    }
}

/// Decompresses and decodes a change-set.
///
/// - Parameter check: what else each block must keep to.
func readChangeSet(
    _ bytes: [UInt8], resources: [ResourceDefinition],
    check: (DecodedBlock, UnsafeRawBufferPointer) throws(FederationError) -> Void
) throws(FederationError) -> (ChangeSetHeader, [UInt8], [DecodedBlock]) {
    guard bytes.count <= SyncLimits.changeSetBytesMax else {
        throw FederationError(
            "E_CHANGE_SET_TOO_LARGE",
            "a change-set has \(bytes.count) bytes, at most \(SyncLimits.changeSetBytesMax) are accepted")
    }
    let read = bytes.withUnsafeBytes { bytes -> Result<(ChangeSetHeader, [UInt8]), FederationError> in
        do throws(FederationError) {
            let (header, offset) = try ChangeSetHeader.decode(bytes)
            return .success((header, try decompress(UnsafeRawBufferPointer(rebasing: bytes[offset...]), header)))
        } catch {
            return .failure(error)
        }
    }
    let (header, payload) = try read.get()
    let decoded = payload.withUnsafeBytes { payload -> Result<[DecodedBlock], FederationError> in
        do throws(FederationError) {
            let reader = PayloadReader { name in resources.first { $0.name == name } }
            let blocks = try reader.blocks(of: payload, header: header)
            for block in blocks { try check(block, payload) }
            return .success(blocks)
        } catch {
            return .failure(error)
        }
    }
    return (header, payload, try decoded.get())
}

private func decompress(
    _ bytes: UnsafeRawBufferPointer, _ header: ChangeSetHeader
) throws(FederationError) -> [UInt8] {
    let payload: [UInt8]
    do throws(ZstandardError) {
        payload = try zstandardDecompress(bytes, limit: header.payloadBytes)
    } catch {
        switch error {
        case .tooLarge(let limit):
            throw FederationError(
                "E_CHANGE_SET_TOO_LARGE", "a change-set decompresses to more than the \(limit) bytes it announces")
        case .truncated:
            throw FederationError("E_CHANGE_SET_TRUNCATED", "the compressed part of a change-set ends early")
        case .corrupt(let reason):
            throw FederationError("E_CHANGE_SET_CORRUPT", "a change-set does not decompress: \(reason)")
        }
    }
    guard payload.count == header.payloadBytes else {
        throw FederationError(
            "E_CHANGE_SET_COUNTS",
            "a change-set announces \(header.payloadBytes) bytes after decompression and has \(payload.count)")
    }
    return payload
}

/// Design rule 1 and rule 7, at the receiver: only resources that the link grants, only origins that this neighbour
/// supplies.
private func check(
    _ block: DecodedBlock, payload: UnsafeRawBufferPointer, policy: LinkPolicy
) throws(FederationError) {
    guard policy.resources.contains(block.resource.name) else {
        throw FederationError(
            "E_RESOURCE_NOT_GRANTED",
            "\(policy.sender) sends rows of \(block.resource.name), which the link does not grant",
            hint: "set its mode to physical in the topology, on both nodes")
    }
    guard block.rowCount > 0, let origin = block.column(EnvelopeColumn.origin) else { return }
    var accepted: Range<Int>?
    for row in 0..<block.rowCount {
        guard let range = origin.textRange(row) else {
            throw FederationError(
                "E_ORIGIN_NOT_SUPPLIED", "\(policy.sender) sends a row of \(block.resource.name) without an origin")
        }
        if let accepted, accepted == range || payload[accepted].elementsEqual(payload[range]) { continue }
        let code = String(decoding: payload[range], as: UTF8.self)
        guard let node = NodeID(code), policy.origins.contains(node) else {
            throw FederationError(
                "E_ORIGIN_NOT_SUPPLIED",
                "\(policy.sender) sends rows of \(block.resource.name) whose origin it does not supply to \(policy.receiver)",
                hint: "compare the topology of both nodes")
        }
        accepted = range
    }
}

extension DecodedBlock {
    /// The rows to put aside: those that break a rule of the catalog, and those from the future. At most one fault a row.
    func faults(payload: UnsafeRawBufferPointer, now: UnixMilliseconds) -> [RowFault] {
        let early = rowsFromTheFuture(now: now)
        guard !early.isEmpty else { return faults(payload: payload) }
        let rows = Set(early.map(\.row))
        return faults(payload: payload).filter { !rows.contains($0.row) } + early
    }

    /// Rows that were written at a time which no clock shows yet. Their origin's clock was wrong then, and may be right by now: what is
    /// judged is the clock, at hello. They are put aside, and nothing waits for them; the origin issues them anew.
    private func rowsFromTheFuture(now: UnixMilliseconds) -> [RowFault] {
        guard rowCount > 0, let version = column(EnvelopeColumn.version) else { return [] }
        return (0..<rowCount).compactMap { row in
            guard let raw = version.integer(row), HybridTime(rawValue: raw).milliseconds > now + SyncLimits.clockSkewMax
            else { return nil }
            let violation = RowRejection(
                field: EnvelopeColumn.version, rule: .badTime, reason: "was written at a time that no clock shows yet")
            return RowFault(row: row, violation: violation)
        }
    }
}
