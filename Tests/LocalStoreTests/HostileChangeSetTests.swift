import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// Change-sets that a neighbour should not send, against a store that holds some of its rows.
@Suite struct `A hostile change-set` {
    let city: TemporaryStore
    let above: TemporaryStore
    let link = policy(from: jinan, to: province)
    let good: OutgoingChangeSet

    init() async throws {
        city = try TemporaryStore(jinan)
        above = try TemporaryStore(province)
        try await _ = city.store.intake((1...20).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await _ = city.store.intake([ticket(3, title: "改"), ticket(21)], now: noon + 1)
        let start = try await startCursor(city.store, above.store, policy: link)
        good = try await changeSet(city.store, from: start, policy: link)
    }

    @Test func `leaves the store as it was wherever it is cut, and the good one goes in afterwards`() async throws {
        let before = try await above.store.dump()
        for length in 0..<good.bytes.count {
            let code = await refusal(of: Array(good.bytes.prefix(length)))
            // zstd can't tell a frame whose head is cut from another format.
            #expect(
                ["E_CHANGE_SET_TRUNCATED", "E_CHANGE_SET_CORRUPT"].contains(code), "cut at \(length): \(code ?? "")")
        }
        #expect(try await above.store.dump() == before)
        let report = try await apply(good.bytes)
        #expect(report.applied == 2)
    }

    @Test func `leaves the store as it was whatever byte of it is changed`() async throws {
        let before = try await above.store.dump()
        for index in good.bytes.indices {
            var broken = good.bytes
            broken[index] ^= 0x15
            #expect(await refusal(of: broken) != nil, "byte \(index)")
        }
        #expect(try await above.store.dump() == before)
    }

    @Test func `may have 16 MiB and not one byte more`() async throws {
        var limit = good.bytes
        limit += [UInt8](repeating: 0, count: SyncLimits.changeSetBytesMax - limit.count)
        #expect(await refusal(of: limit) == "E_CHANGE_SET_CORRUPT")
        #expect(await refusal(of: limit + [0]) == "E_CHANGE_SET_TOO_LARGE")
    }

    @Test func `is refused when it decompresses to another size than its header says`() async throws {
        let (header, payload) = try opened()
        var less = header
        less.payloadBytes -= 1
        #expect(await refusal(of: try sealed(less, payload)) == "E_CHANGE_SET_TOO_LARGE")
        var more = header
        more.payloadBytes += 1
        #expect(await refusal(of: try sealed(more, payload)) == "E_CHANGE_SET_COUNTS")
        // 1 MiB of zeros in a frame that does not say so, made by hand (RFC 8878, 3.1.1).
        let block: [UInt8] = [0x02, 0x00, 0x10, 0x00]
        let bomb: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38] + repeatElement(block, count: 8).joined() + [1, 0, 0]
        #expect(await refusal(of: header.encoded() + bomb) == "E_CHANGE_SET_TOO_LARGE")
    }

    @Test func `is refused when its payload was made for another header`() async throws {
        var (header, payload) = try opened()
        header.end.seq += 1
        header.head += 1
        let bytes = header.encoded() + (try ZstandardCompressor().compress(payload))
        #expect(await refusal(of: bytes) == "E_CHANGE_SET_CHECKSUM")
    }

    @Test func `is refused when it holds a resource that the link does not grant`() async throws {
        let call = IntakeRecord(
            resource: "call_record", key: "c1",
            fields: ["direction": .text("inbound"), "arrival": .integer(noon), "disposition": .text("connected")])
        let start = try await startCursor(city.store, above.store, policy: link)
        _ = try await city.store.intake([call], now: noon + 2)
        let bytes = try await changeSet(city.store, from: start, policy: link).bytes
        let narrow = policy(from: jinan, to: province, topology: logicalJinan)
        #expect(await refusal(of: bytes, policy: narrow) == "E_RESOURCE_NOT_GRANTED")
    }

    @Test func `is refused when it holds a resource of a later release`() async throws {
        let older = BuiltInResources.all.filter { $0.name != "service_request" }
        #expect(await refusal(of: good.bytes, resources: older) == "E_RESOURCE_UNKNOWN")
    }

    @Test func `is refused when it begins a sweep in an earlier epoch of its sender`() async throws {
        let (header, payload) = try opened()
        func begun(_ epoch: Epoch) throws -> [UInt8] {
            var header = header
            header.start.epoch = epoch
            header.start.sweep = link.sweepStart
            header.end.epoch = epoch
            return try sealed(header, payload)
        }
        let before = try await above.store.dump()
        let earlier = try begun(Epoch(counter: 0, nonce: 42))
        await #expect { try await apply(earlier) } throws: { ($0 as? FederationError)?.code == "E_EPOCH" }
        #expect(try await above.store.dump() == before)
        _ = try await apply(begun(Epoch(counter: 2, nonce: 42)))
        #expect(try await above.store.cursor(of: jinan)?.epoch.counter == 2)
    }

    @Test func `is refused when one row of many is of another origin`() async throws {
        for origin in ["370200", "370000", "", "370100 ", "山东"] {
            let code = await refusal(of: try made { rows in rows[1]["origin"] = .text(origin) })
            #expect(code == "E_ORIGIN_NOT_SUPPLIED", "\(origin)")
        }
        #expect(await refusal(of: try made { rows in rows[1]["origin"] = .null }) == "E_ORIGIN_NOT_SUPPLIED")
    }

    @Test(
        arguments: [
            ((noon + SyncLimits.clockSkewMax) << 16, 0), ((noon + SyncLimits.clockSkewMax + 1) << 16, 1), (.max, 1),
        ] as [(Int64, Int)])
    func `has its rows put aside that are further in the future than clocks may differ, and no other`(
        version: Int64, putAside: Int
    ) async throws {
        #expect(try await apply(made { $0[1]["version"] = .integer(version) }).quarantined == putAside)
    }

    @Test func `does not take the store's seqs out of step`() async throws {
        // Rows twice, rows that are put aside, tombstones of rows that are not there, retractions and rows of one key.
        let bytes = try made { rows in
            rows.append(rows[0])
            rows[1]["channel"] = .text("打电话")
            rows.append(["key": .text("370100-900"), "deleted": .integer(1)])
            rows.append(["key": .text("370100-901"), "deleted": .integer(2)])
            rows.append(["key": rows[0]["key"] ?? .null, "deleted": .integer(2)])
            rows.append(["key": .text("370100-902"), "deleted": .integer(7)])
            rows.append(["key": .null])
        }
        let report = try await apply(bytes)
        #expect(report.quarantined == 3)
        let head = try await above.store.head()
        #expect(try await above.store.count("service_request", where: "seq > \(head)") == 0)
        let distinct = try await above.store.rows(
            sql: "SELECT count(*) - count(DISTINCT seq) FROM service_request", arguments: [])
        #expect(distinct == [[.integer(0)]])
        // The store's own rows and the neighbour's next ones still find their place.
        try await _ = above.store.intake([ticket(1, origin: province)], now: noon)
        try await _ = city.store.intake([ticket(40)], now: noon + 9)
        #expect(try await above.store.count("service_request", where: "origin = '370000'") == 1)
    }

    @Test func `with numbers at the edge of what there is neither stops the store nor its consumers`() async throws {
        let times = ColumnRule.timestamps
        for (step, (edge, beyond)) in [(times.lowerBound, Int64.min), (times.upperBound, Int64.max)].enumerated() {
            let bytes = try made(step: Int64(step)) { rows in
                rows[0]["requested_datetime"] = .integer(edge)
                rows[0]["accepted_datetime"] = .integer(edge)
                rows[0]["lat"] = .real(step == 0 ? -0.0 : .greatestFiniteMagnitude)
                rows[1]["requested_datetime"] = .integer(beyond)
            }
            #expect(try await apply(bytes).quarantined == 1)
            try await above.store.catchUpConsumers(now: noon)
            #expect(try await above.store.count("service_request", where: "requested_datetime = \(edge)") == 1)
        }
    }

    // MARK: - Making them

    private var logicalJinan: Topology {
        let nodes = qilu.nodes.map {
            $0.id != jinan
                ? $0
                : TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    defaultMode: .logical)
        }
        return Topology(name: "", version: 1, nodes: nodes)
    }

    private func refusal(
        of bytes: [UInt8], policy: LinkPolicy? = nil, resources: [ResourceDefinition] = BuiltInResources.all
    ) async -> String? {
        do {
            _ = try IncomingChangeSet(bytes: bytes, policy: policy ?? link, resources: resources, now: noon)
            return nil
        } catch {
            return error.code
        }
    }

    private func apply(_ bytes: [UInt8]) async throws -> ApplyReport {
        let incoming = try IncomingChangeSet(bytes: bytes, policy: link, resources: BuiltInResources.all, now: noon)
        return try await above.store.apply(incoming, policy: link, now: noon)
    }

    private func opened() throws -> (ChangeSetHeader, [UInt8]) {
        try good.bytes.withUnsafeBytes { bytes in
            let (header, offset) = try ChangeSetHeader.decode(bytes)
            let frame = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            return (header, try zstandardDecompress(frame, limit: header.payloadBytes))
        }
    }

    private func sealed(_ header: ChangeSetHeader, _ payload: [UInt8]) throws -> [UInt8] {
        var payload = payload
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        return header.encoded() + (try ZstandardCompressor().compress(payload))
    }

    /// A change-set of three tickets at the receiver's cursor, changed by `edit` before it is written.
    ///
    /// - Parameter step: how many such change-sets have been applied before.
    private func made(step: Int64 = 0, _ edit: (inout [[String: FieldValue]]) -> Void) throws -> [UInt8] {
        var rows = (50...52).map { number in
            var row = ticket(number).fields
            row["key"] = .text("370100-\(number)")
            return row
        }
        edit(&rows)
        var block = BlockWriter(resource: BuiltInResources.serviceRequest, kind: .tail)
        for row in rows {
            for index in block.columns.indices {
                let name = block.columns[index].name
                block.columns[index].append(row[name] ?? envelope[name] ?? .null)
            }
            block.finishRow()
        }
        var header = good.header
        header.start.seq += step
        header.end.seq = header.start.seq + 1
        header.head = header.end.seq
        header.rowCount = rows.count
        let payload = changeSetPayload(digest: 0, blocks: [block])
        header.payloadBytes = payload.count
        return try sealed(header, payload)
    }

    private let envelope: [String: FieldValue] = [
        "origin": .text("370100"), "version": .integer(noon << 16), "deleted": .integer(0),
    ]
}
