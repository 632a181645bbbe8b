import Crypto
import Detection
import FederationModel
import Foundation
import GRDB
import LogicalQuery

/// Keeps `observation`: of each ticket here what rules look at (persons and places as keys), and how many there were in each hour. So a
/// rule reads the tickets that a change concerns, and never all of them.
///
/// A report that accuses a node is not observed: an alert that rests on it could reach that node.
struct ObservationConsumer: TransactionalConsumer {
    static let title = "observation"

    let name = title
    /// A ticket's category may be corrected in its thread, and its protection raised.
    var isBehind: String? { TicketStateConsumer.title }

    /// Digests by one key say nothing of those by another.
    func basis(of store: NodeStore, under standing: Standing) -> String {
        "persons by \((try? store.tokens?("")) == nil ? "own" : "common") key"
    }

    func clear(_ writer: FeedWriter) throws {
        try writer.db.execute(
            sql: "DELETE FROM observation; DELETE FROM observation_former; DELETE FROM observation_hour")
    }

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let observer = try Observer(writer, seq: upto)
        defer { observer.reset() }
        for ticket in try ThreadReader(TicketKind()).changed(after: after, upto: upto, writer.db) {
            try observer.look(at: ticket.text)
        }
        try observer.noteArrivals(after: after)
    }
}

private struct Observer {
    private let db: Database
    private let seq: Seq
    private let now: UnixMilliseconds
    private let persons: PersonKeys
    /// Where nodes are.
    private let regions: [String: String]
    /// What a report may call a node that it accuses.
    private let names: Set<String>
    private let request: RawStatement
    private let observed: RawStatement
    private let observe: RawStatement
    private let counting: RawStatement

    init(_ writer: FeedWriter, seq: Seq) throws {
        db = writer.db
        self.seq = seq
        now = writer.now
        let nodes = writer.standing.topology.nodes
        regions = Dictionary(nodes.map { ($0.id.code, $0.region) }) { first, _ in first }
        names = nodes.reduce(into: []) { $0.formUnion($1.respondentNames) }
        persons = try PersonKeys(writer)
        request = try RawStatement(
            """
            SELECT r.id, r.origin, r.requested_datetime, r.region_code, coalesce(s.category, r.service_code),
              r.reporter_id_number, r.reporter_phone, r.address_string, r.lat, r.long, r.title, r.description,
              r.request_type, r.respondent_name, coalesce(s.confidential, r.confidential)
            FROM main.service_request AS r LEFT JOIN main.ticket_state AS s ON s.global_id = r.global_id
            WHERE r.global_id = ?1 AND r.deleted = 0
            ORDER BY substr(?1, 1, length(r.origin) + 1) <> r.origin || '-', r.version LIMIT 1
            """, db)
        observed = try RawStatement(
            "SELECT \"row\", at, region, category, person, place, text FROM main.observation WHERE ticket = ?", db)
        observe = try RawStatement("INSERT OR REPLACE INTO main.observation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", db)
        counting = try RawStatement(
            """
            INSERT INTO main.observation_hour VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET tickets = tickets + excluded.tickets
            """, db)
    }

    /// To be called at the end.
    func reset() { for statement in [request, observed, observe, counting] { statement.reset() } }

    /// A ticket as `observation` has it.
    private struct Sight: Hashable {
        var row: Int64
        var at: UnixMilliseconds
        var region: String?
        var category: String?
        var person: Int64?
        var place: String?
        var text: Int64

        var county: String? { region.map { String($0.prefix(6)) } }
    }

    func look(at ticket: String) throws {
        let (sight, known) = (try sight(of: ticket), try known(ticket))
        guard sight != known else { return }
        if let known {
            try count(known, by: -1)
            try db.cachedStatement(sql: "INSERT INTO main.observation_former VALUES (?, ?, ?, ?, ?, ?, ?)").execute(
                arguments: [seq, ticket, known.at, known.region, known.category, known.person, known.place])
        }
        guard let sight else {
            return try db.cachedStatement(sql: "DELETE FROM main.observation WHERE ticket = ?").execute(
                arguments: [ticket])
        }
        try count(sight, by: 1)
        observe.bind(ticket, at: 1)
        observe.bind(sight.row, at: 2)
        observe.bind(sight.at, at: 3)
        observe.bind(sight.region, at: 4)
        observe.bind(sight.county, at: 5)
        observe.bind(sight.category, at: 6)
        observe.bind(sight.person, at: 7)
        observe.bind(sight.place, at: 8)
        observe.bind(sight.text, at: 9)
        observe.bind(seq, at: 10)
        try observe.run()
    }

    private func count(_ sight: Sight, by change: Int64) throws {
        counting.bind(sight.at.flooredQuotient(by: 3_600_000), at: 3)
        counting.bind(change, at: 4)
        for subject in CountSubject.all(sight.region, sight.category) {
            counting.bind(subject.region, at: 1)
            counting.bind(subject.category, at: 2)
            try counting.run()
        }
    }

    private func known(_ ticket: String) throws -> Sight? {
        defer { observed.restart() }
        observed.bind(ticket, at: 1)
        guard try observed.step() else { return nil }
        return Sight(
            row: observed.integer(at: 0) ?? 0, at: observed.integer(at: 1) ?? 0, region: observed.text(at: 2),
            category: observed.text(at: 3), person: observed.integer(at: 4), place: observed.text(at: 5),
            text: observed.integer(at: 6) ?? 0)
    }

    /// Nil for a ticket that is not here, or must not be observed. Of several rows with one id it is that of the node that the id names.
    private func sight(of ticket: String) throws -> Sight? {
        defer { request.restart() }
        request.bind(ticket, at: 1)
        guard try request.step(), let row = request.integer(at: 0), let at = request.integer(at: 2) else { return nil }
        let confidentiality = request.text(at: 14).flatMap { Confidentiality(rawValue: $0) } ?? .none
        if let respondent = request.text(at: 13), names.contains(respondent),
            Accusation.isReport(requestType: request.text(at: 12), confidentiality)
        {
            return nil
        }
        let region = request.text(at: 3) ?? request.text(at: 1).flatMap { regions[$0] }
        return Sight(
            row: row, at: at, region: region, category: request.text(at: 4),
            person: persons.key(of: [request.text(at: 5), request.text(at: 6)]),
            place: PlaceKey.of(
                region: region, address: request.text(at: 7), latitude: request.real(at: 8),
                longitude: request.real(at: 9)),
            text: Int64(bitPattern: fnv1a64("\(request.text(at: 10) ?? "")\n\(request.text(at: 11) ?? "")".utf8)))
    }

    /// By this, silence is told from calm; what is older than the days that silence is judged by goes.
    func noteArrivals(after: Seq) throws {
        let minute = now / 60_000
        for table in BuiltInResources.ticketResources {
            try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO main.observation_minute
                    SELECT DISTINCT origin, ?3 FROM main.\(quoted(table.name.text)) WHERE seq > ?1 AND seq <= ?2
                    """
            ).execute(arguments: [after, seq, minute])
        }
        if minute % 60 == 0 {
            try db.cachedStatement(sql: "DELETE FROM main.observation_minute WHERE minute < ?").execute(
                arguments: [minute - ObservationLimits.arrivalMinutes])
        }
    }
}

/// Keyed digests of persons: by the province's key, so that nodes find the same, else by a key of this database alone.
private struct PersonKeys {
    private let tokens: (@Sendable (String) throws -> String)?
    private let own: SymmetricKey

    init(_ writer: FeedWriter) throws {
        tokens = writer.tokens
        let key = try Data.fetchOne(
            writer.db.cachedStatement(sql: "SELECT value FROM main.node WHERE name = 'person_key'"))
        own = SymmetricKey(data: key ?? Data())
    }

    func key(of columns: [String?]) -> Int64? {
        guard let identity = PersonDigest.identity(among: columns) else { return nil }
        // One that comes from a node below is a token already.
        let token = FieldTreatment.isToken(identity) ? identity : try? tokens?(identity)
        if let hash = token.flatMap({ PersonDigest.hash(ofToken: $0) }) { return Int64(bitPattern: hash) }
        let code = HMAC<SHA256>.authenticationCode(for: Data(identity.utf8), using: own)
        return code.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
    }
}

enum ObservationLimits {
    /// How far back silence looks.
    static let arrivalMinutes: Int64 = 14 * 1_440
}
