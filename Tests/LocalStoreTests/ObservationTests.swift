import Detection
import FederationModel
import LocalStore
import TestSupport
import Testing

/// What rules see of tickets, and the alerts that are written by it.
@Suite struct `An observation` {
    private let place: TemporaryStore

    init() throws { place = try TemporaryStore(jinan, topology: qilu) }

    private func request(
        _ number: Int, category: String? = "03.03.01", region: String? = "370102", phone: String = "13900000001",
        title: String = "停水", at time: UnixMilliseconds = noon, _ other: [String: FieldValue] = [:]
    ) -> IntakeRecord {
        var record = ticket(number, title: title, at: time)
        record.fields["service_code"] = category.map { .text($0) }
        record.fields["region_code"] = region.map { .text($0) }
        record.fields["reporter_phone"] = .text(phone)
        record.fields["address_string"] = .text("解放路3号")
        record.fields.merge(other) { $1 }
        return record
    }

    private func store(_ records: IntakeRecord...) async throws {
        _ = try await place.store.intake(rows: records.map { [$0] }, isGuarded: false, now: noon)
        try await place.store.catchUpConsumers(now: noon)
    }

    private func count(_ region: String, _ category: String = "", at time: UnixMilliseconds = noon) async throws -> Int
    {
        let hour = time / 3_600_000
        return try await place.store.hourCounts([(CountSubject(region: region, category: category), [hour])])[0][hour]
    }

    @Test func `counts a ticket in its county, city and province, under all and under its first level`() async throws {
        try await store(request(1), request(2, category: nil), request(3, category: "05.01.01"))
        for region in ["370102", "370100", "370000"] {
            #expect(try await count(region) == 3)
            #expect(try await count(region, "03") == 1)
        }
        #expect(try await count("370200") == 0)
    }

    @Test func `follows a ticket that is corrected, and tells what it was`() async throws {
        try await store(request(1))
        let first = try await place.store.changedObservations(after: 0)
        #expect(first.tickets.map(\.id) == ["370100-1"])
        #expect(first.tickets.first?.text == "停水\n")
        try await store(request(1, category: "05.01.01", region: "370103"))
        let second = try await place.store.changedObservations(after: first.upto)
        #expect(second.tickets.map(\.region) == ["370103"])
        #expect(second.former.map(\.region) == ["370102"])
        #expect(try await count("370102") == 0)
        #expect(try await count("370103", "05") == 1)
        #expect(try await count("370100") == 1)
    }

    @Test func `stays as it is when something changes that no rule looks at`() async throws {
        try await store(request(1))
        let first = try await place.store.changedObservations(after: 0)
        try await store(request(1, ["seat_id": .text("2001")]))
        #expect(try await place.store.changedObservations(after: first.upto).tickets.isEmpty)
    }

    @Test func `is none of a report that accuses a node`() async throws {
        try await store(
            request(1, ["request_type": .text("4"), "respondent_name": .text("历下区")]),
            request(2, ["request_type": .text("4"), "respondent_name": .text("某公司")]))
        #expect(try await place.store.changedObservations(after: 0).tickets.map(\.id) == ["370100-2"])
    }

    @Test func `window goes on until nothing came for as long as its pause`() async throws {
        let hour: UnixMilliseconds = 3_600_000
        let times = [0, 50, 100, 150, 300].map { noon - 300 * hour + $0 * hour }
        for (number, time) in times.enumerated() { try await store(request(number, at: time)) }
        let place = PlaceKey.of(region: "370102", address: "解放路3号", latitude: 36.65)
        let window = ObservationWindow(
            .place(try #require(place)), from: times[3], to: times[3], pause: 72 * hour)
        let found = try await self.place.store.observations(in: [window])
        #expect(found.map { $0.map(\.at) } == [Array(times.prefix(4))])
    }

    @Test(arguments: 0..<4) func `counts what a reader would count, whatever happened to tickets`(_ seed: UInt64)
        async throws
    {
        var random = SplitMix64(seed: seed)
        let regions = ["370102", "370103", "370100", "37010200100"]
        for _ in 0..<60 {
            let number = Int.random(in: 0..<12, using: &random)
            try await store(
                request(
                    number, category: ["03.03.01", "05.01.01", nil].randomElement(using: &random) ?? nil,
                    region: regions.randomElement(using: &random), phone: "1390000000\(number % 3)",
                    at: noon + Int64.random(in: 0..<3, using: &random) * 3_600_000))
        }
        let all = try await place.store.observations(0..<noon * 2)
        #expect(all.count == Set(all.map(\.id)).count)
        for subject in Set(all.flatMap { CountSubject.all(of: $0) }) {
            for hour in 0..<Int64(3) {
                let time = noon + hour * 3_600_000
                let expected = all.count { $0.at == time && CountSubject.all(of: $0).contains(subject) }
                #expect(try await count(subject.region, subject.category, at: time) == expected)
            }
        }
    }

    // MARK: - Alerts

    private func found(_ key: String, subject: UInt64, tickets: Int64) -> Judgements.Found {
        Judgements.Found(
            IntakeRecord(
                resource: CaseResources.alert.name, key: key,
                fields: [
                    "alert_id": .text(key), "rule": .text("GROUP"), "rule_version": .integer(1),
                    "level": .text("yellow"), "kind": .text("concentrated"), "period": .text("2026-09-21"),
                    "decided_at": .integer(noon), "tickets": .integer(tickets), "persons": .integer(5),
                    "evidence": .text("{}"), "nodes": .text("370000 370100"),
                ]), rule: "GROUP", subject: subject, place: "370102", decidedAt: noon)
    }

    @Test func `that is judged twice raises one alert, and one that nobody finds any more is withdrawn`() async throws {
        var judgements = Judgements()
        judgements.found = [found("GROUP-1", subject: 7, tickets: 5), found("GROUP-2", subject: 8, tickets: 5)]
        let first = try await place.store.write(judgements, upto: nil, now: noon)
        #expect(first.raised == ["GROUP-1", "GROUP-2"])
        let second = try await place.store.write(judgements, upto: nil, now: noon + 1_000)
        #expect(second.raised.isEmpty)
        #expect(second.head == first.head, "nothing is sent again")

        var corrected = Judgements()
        corrected.judged = [.subject(7, noon - 1...noon + 1)]
        let third = try await place.store.write(corrected, upto: 3, now: noon + 2_000)
        #expect(third.withdrawn == ["GROUP-1"])
        #expect(try await place.store.detectionCursor() == 3)
        let thread = try await place.store.thread("GROUP-1", of: AlertKind())
        #expect(thread?.state.status == .withdrawn)
        #expect(try await place.store.thread("GROUP-2", of: AlertKind())?.state.status == .raised)

        let again = try await place.store.write(judgements, upto: nil, now: noon + 3_000)
        #expect(again.raised == ["GROUP-1"])
        #expect(try await place.store.thread("GROUP-1", of: AlertKind())?.state.status == .raised)
    }
}
