import ChangeSetFormat
import FederationModel
import LocalStore
import Testing

/// The catalog of a later release: service requests have more columns.
private func later(_ columns: ColumnDefinition...) -> [ResourceDefinition] { later(columns) }

private func later(_ columns: [ColumnDefinition]) -> [ResourceDefinition] {
    BuiltInResources.all.map { resource in
        guard resource.name == "service_request" else { return resource }
        return ResourceDefinition(
            resource.name, resource.title, stage: resource.stage, columns: resource.columns + columns,
            indexes: resource.indexes)
    }
}

private let noise = ColumnDefinition("noise", "噪声", level: .open)
private let decibel = ColumnDefinition("decibel", "分贝", .real, level: .open)
private let meter = ColumnDefinition("meter", "读数", .integer, level: .open)

private func noisy(_ number: Int, _ fields: [String: FieldValue]) -> IntakeRecord {
    var record = ticket(number, origin: lixia)
    record.fields.merge(fields) { $1 }
    return record
}

extension NodeStore {
    fileprivate func read(_ columns: String) async throws -> [[FieldValue]] {
        try await rows(sql: "SELECT \(columns) FROM service_request ORDER BY \"key\"", arguments: [])
    }
}

/// Clause 4.3 and 5.3-3: a node that does not know a column yet hands it on unchanged.
@Suite struct `Columns of a later release` {
    private let up = policy(from: lixia, to: jinan)
    private let further = policy(from: jinan, to: province)

    @Test func `reach a province that knows them through a city that does not`() async throws {
        let resources = later(noise, decibel, meter)
        let county = try TemporaryStore(lixia, resources: resources)
        let city = try TemporaryStore(jinan)
        let above = try TemporaryStore(province, resources: resources)
        let values: [[FieldValue]] = [
            [.text("夜间 \"施工\"\\ \n\t\u{1}🚧"), .real(0.1 + 0.2), .integer(.min)],
            [.text(""), .real(-0.0), .integer(.max)],
            [.null, .real(1e300), .null], [.null, .null, .null], [.text("{}"), .real(36.650001), .integer(0)],
        ]
        let records = values.enumerated().map { number, row in
            noisy(number, ["noise": row[0], "decibel": row[1], "meter": row[2]])
        }
        _ = try await county.store.intake(records, now: noon)
        func carryAll() async throws -> [Int] {
            let first = try await carry(county.store, city.store, policy: up)
            let second = try await carry(city.store, above.store, policy: further)
            return [first, second].map { $0.reduce(0) { $0 + $1.applied } }
        }
        #expect(try await carryAll() == [5, 5])
        #expect(try await above.store.read("noise, decibel, meter") == values)
        #expect(try await city.store.count("service_request", where: "carried IS NOT NULL") == 4)
        #expect(try await above.store.count("service_request", where: "carried IS NOT NULL") == 0)

        // A change of nothing else is a change; what goes away goes away everywhere.
        _ = try await county.store.intake(
            [noisy(0, ["noise": .text("安静"), "meter": .integer(1)]), noisy(1, [:])], now: noon + 1)
        #expect(try await carryAll() == [2, 2])
        let changed = [[.text("安静"), .null, .integer(1)], [.null, .null, .null]] + values[2...]
        #expect(try await above.store.read("noise, decibel, meter") == changed)
        #expect(try await city.store.count("service_request", where: "carried IS NOT NULL") == 3)
        #expect(try await carryAll() == [0, 0])
    }

    @Test func `move into their place when the node's own release knows them, if they keep its rules`() async throws {
        let county = try TemporaryStore(lixia, resources: later(noise, decibel, meter))
        let city = try TemporaryStore(jinan)
        _ = try await county.store.intake(
            [
                noisy(1, ["noise": .text("吵"), "decibel": .real(61.5), "meter": .integer(2)]),
                noisy(2, ["noise": .text("太吵了"), "meter": .integer(1)]),
            ], now: noon)
        try await carry(county.store, city.store, policy: up)
        let newer = later(
            ColumnDefinition("noise", "噪声", level: .open, bytesMax: 6), decibel,
            ColumnDefinition("meter", "读数", .boolean, level: .open))
        let upgraded = try NodeStore(at: city.path, resources: newer)
        defer { try? upgraded.close() }
        #expect(
            try await upgraded.read("noise, decibel, meter, carried") == [
                [.text("吵"), .real(61.5), .null, .text(#"{"meter":2}"#)],
                [.null, .null, .integer(1), .text(#"{"noise":"太吵了"}"#)],
            ])
    }

    @Test func `beyond what a row may have put the row aside, and the link goes on`() async throws {
        let columns = (0...SyncLimits.carriedValuesMax).map {
            ColumnDefinition("extra_\($0)", "", .integer, level: .open)
        }
        let county = try TemporaryStore(lixia, resources: later(columns))
        let city = try TemporaryStore(jinan)
        let full = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, FieldValue.integer(1)) })
        _ = try await county.store.intake([noisy(1, full), noisy(2, ["extra_7": .integer(7)])], now: noon)
        try await carry(county.store, city.store, policy: up)
        #expect(try await city.store.read("carried") == [[.text(#"{"extra_7":7}"#)]])
        #expect(try await city.store.quarantinedRows(limit: 9).map(\.rule) == ["E_FIELD_TOO_LONG"])
    }

    /// What many counties of many releases sent must not add up to what the province refuses.
    @Test(arguments: [true, false])
    func `of many rows are sent on in as many change-sets as their number needs`(inSweep: Bool) async throws {
        let width = SyncLimits.carriedValuesMax
        let columns = (0..<4 * width).map { ColumnDefinition("extra_\($0)", "", .integer, level: .open) }
        let county = try TemporaryStore(lixia, resources: later(columns))
        let (city, above) = (try TemporaryStore(jinan), try TemporaryStore(province))
        if !inSweep { try await carry(city.store, above.store, policy: further) }
        let records = (0..<4).map { part in
            let names = columns[part * width..<(part + 1) * width].map(\.name)
            return noisy(part, Dictionary(uniqueKeysWithValues: names.map { ($0, .integer(Int64(part))) }))
        }
        _ = try await county.store.intake(records, now: noon)
        try await carry(county.store, city.store, policy: up, rowsMax: 1)
        try await carry(city.store, above.store, policy: further)
        #expect(try await above.store.read("carried") == city.store.read("carried"))
        #expect(try await above.store.count("service_request", where: "carried IS NOT NULL") == 4)
    }
}
