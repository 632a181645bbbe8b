import ChangeSetFormat
import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import SyncProtocol
import Testing
import Zstandard

extension `Real processes` {
    /// What a city with a good certificate may try. Each is refused with its code and counted, nothing is stored, and the
    /// province goes on serving.
    @Suite struct `Garbage at the border` {
        /// A city for each case, so that none suffers from the pause that another has earned.
        private static let cities = (1...15).map { "37\(String(format: "%02d", $0))00" }

        @Test(.timeLimit(.minutes(3)))
        func `is refused with its code, is counted, and leaves nothing behind`() async throws {
            let federation = try await Federation(
                [Federation.Node(code: "370000")] + Self.cities.map { Federation.Node(code: $0, parent: "370000") })
            try await federation.serve("370000")

            var expected: [(code: String, city: String)] = []
            for (index, attack) in attacks.enumerated() {
                let city = try HostileCity(Self.cities[index], federation)
                try await city.connect()
                let answer = try await city.send(attack.frame(city))
                #expect(answer?.kind == .refusal, "\(attack.name)")
                let refusal = try JSONDecoder().decode(Refusal.self, from: Data(answer?.body ?? []))
                #expect(refusal.code == attack.code, "\(attack.name): \(refusal.message)")
                expected.append((refusal.code, city.code))
                await city.close()
            }
            // A length that nothing is reserved for.
            let city15 = try HostileCity(Self.cities[14], federation)
            try await city15.connect()
            let refused = try await city15.send(bytes: [FrameKind.changeSet.rawValue, 0xff, 0xff, 0xff, 0xff])
            #expect(try JSONDecoder().decode(Refusal.self, from: Data(refused?.body ?? [])).code == "E_FRAME_TOO_LARGE")
            expected.append(("E_FRAME_TOO_LARGE", city15.code))
            await city15.close()

            let metrics = try await federation.get("/metrics", from: "370000")
            for (code, city) in expected {
                #expect(
                    metrics.contains(
                        "federation_refusals_total{code=\"\(code)\",peer=\"\(city)\",direction=\"receiving\"} 1"),
                    "\(code)")
            }
            for table in ["service_request", "quarantine", "link_cursor"] {
                #expect(try await federation.sql("SELECT count(*) FROM \(table)", at: "370000") == "0", "\(table)")
            }

            // And the same city with something good.
            let city = try HostileCity(Self.cities[0], federation)
            try await city.connect()
            let answer = try await city.send(Frame(.changeSet, try city.changeSet()))
            #expect(answer?.kind == .acknowledgement)
            #expect(try await federation.sql("SELECT count(*) FROM service_request", at: "370000") == "1")
            await city.close()
        }

        @Test(.timeLimit(.minutes(2)))
        func `does not get past the handshake or the topology`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            let now = UnixMilliseconds(Date().timeIntervalSince1970 * 1_000)
            let authority = try CertificateAuthority.load(from: federation.path("ca"))
            let city = try #require(NodeID("370100"))

            let stranger = try CertificateAuthority(name: "another authority", validityDays: 1, now: now)
            var foreign = try stranger.makeCredentials(for: city, validityDays: 1, now: now)
            foreign = try NodeCredentials(
                certificateChainPEM: foreign.certificateChainPEM, privateKeyPEM: foreign.privateKeyPEM,
                trustRootsPEM: foreign.trustRootsPEM + authority.certificatePEM)
            await #expect(throws: FederationError.self) { try await hello(foreign, federation) }

            let expired = try authority.makeCredentials(for: city, validityDays: 1, now: now - 3 * 86_400_000)
            await #expect(throws: FederationError.self) { try await hello(expired, federation) }

            let outsider = try authority.makeCredentials(for: try #require(NodeID("371000")), validityDays: 1, now: now)
            let answer = try await hello(outsider, federation)
            #expect(answer.status == 403)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("E_NOT_A_NEIGHBOUR"))

            // No certificate at all, by another TLS client.
            let port = try HostileCity("370100", federation).port
            _ = try await Federation.tool([
                "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-ign_eof",
            ])

            let metrics = try await federation.get("/metrics", from: "370000")
            for outcome in ["expired", "foreignAuthority", "noCertificate"] {
                #expect(metrics.contains("federation_handshakes_total{outcome=\"\(outcome)\"} 1\n"), "\(outcome)")
            }
            #expect(try await federation.sql("SELECT count(*) FROM link_cursor", at: "370000") == "0")
            #expect(try await federation.get("/healthz", from: "370000").hasPrefix("HTTP/1.1 200"))
        }

        private func hello(_ credentials: NodeCredentials, _ federation: Federation) async throws -> PeerResponse {
            let client = try HostileCity("370100", federation).client(credentials)
            do {
                let response = try await client.request(
                    "POST", "/v1/link/hello", body: Array("{}".utf8), deadlineMS: 5_000)
                await client.shutdown()
                return response
            } catch {
                await client.shutdown()
                throw error
            }
        }

        // MARK: - Attacks

        private struct Attack {
            let name: String
            let code: String
            let frame: (HostileCity) throws -> Frame
        }

        private var attacks: [Attack] {
            func changed(
                _ name: String, _ code: String, _ make: @escaping (HostileCity) throws -> [UInt8]
            ) -> Attack {
                Attack(name: name, code: code) { Frame(.changeSet, try make($0)) }
            }
            let title = ColumnDefinition("title", "标题", level: .personal)
            return [
                changed("truncated", "E_CHANGE_SET_TRUNCATED") { Array(try $0.changeSet().dropLast(2)) },
                changed("cut in its header", "E_CHANGE_SET_TRUNCATED") { Array(try $0.changeSet().prefix(12)) },
                changed("wrong magic", "E_CHANGE_SET_MAGIC") { Array("PK34".utf8) + (try $0.changeSet().dropFirst(4)) },
                changed("a bomb", "E_CHANGE_SET_TOO_LARGE") { city in
                    try city.changeSet(payload: [UInt8](repeating: 0, count: 200 << 20), payloadBytes: 1_000)
                },
                changed("more than may be decompressed", "E_CHANGE_SET_TOO_LARGE") { city in
                    try city.changeSet(payload: [0], payloadBytes: SyncLimits.payloadBytesMax + 1)
                },
                changed("an unknown resource", "E_RESOURCE_UNKNOWN") { city in
                    try city.changeSet(resource: ResourceDefinition("no_such_resource", "", columns: [title]))
                },
                changed("an unknown column", "E_COLUMN_UNKNOWN") { city in
                    let column = ColumnDefinition("no_such_column", "", level: .open)
                    return try city.changeSet(
                        resource: ResourceDefinition("service_request", "", columns: [column]), values: ["x"])
                },
                changed("wrong types", "E_COLUMN_TYPE") { city in
                    let column = ColumnDefinition("title", "", .integer, level: .open)
                    return try city.changeSet(
                        resource: ResourceDefinition("service_request", "", columns: [column]), integers: [7])
                },
                changed("invalid UTF-8", "E_TEXT_ENCODING") { try $0.changeSet(bytes: [0xe4, 0xb8]) },
                changed("a NUL", "E_TEXT_NUL") { try $0.changeSet(bytes: [0x61, 0, 0x62]) },
                changed("a row count that lies", "E_CHANGE_SET_COUNTS") { try $0.changeSet(rowCount: 3) },
                changed("rows of another origin", "E_ORIGIN_NOT_SUPPLIED") { try $0.changeSet(origin: "370000") },
                changed("a payload of another header", "E_CHANGE_SET_CHECKSUM") { city in
                    try city.changeSet(digest: 42)
                },
                changed("a version out of the future", "E_CLOCK_SKEW") { city in
                    try city.changeSet(version: HybridTime(milliseconds: 4_000_000_000_000, counter: 0).rawValue)
                },
            ]
        }
    }
}

/// A city that speaks the protocol by hand.
private final class HostileCity {
    let code: String
    let node: NodeID
    let port: Int
    private let credentials: NodeCredentials
    private let clients: (NodeCredentials) -> PeerClient
    private lazy var peer = clients(credentials)
    private var stream: PeerStream?
    private var reader = FrameReader(writtenBy: .receiver)

    init(_ code: String, _ federation: Federation) throws {
        self.code = code
        node = try #require(NodeID(code))
        credentials = try NodeCredentials.load(from: federation.path("\(code)/credentials"))
        let listening = try String(contentsOfFile: federation.path("370000/serve.out"), encoding: .utf8)
        let port = try #require(listening.firstMatch(of: /https:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) })
        let province = try #require(NodeID("370000"))
        self.port = port
        clients = { credentials in
            PeerClient(
                endpoint: PeerEndpoint(
                    node: province, tlsName: CertificateNames.dnsName(of: province), host: "127.0.0.1", port: port),
                credentials: PeerCredentials(
                    certificateChainPEM: credentials.certificateChainPEM, privateKeyPEM: credentials.privateKeyPEM,
                    trustRootsPEM: credentials.trustRootsPEM))
        }
    }

    func client(_ credentials: NodeCredentials) -> PeerClient { clients(credentials) }

    private var now: UnixMilliseconds { UnixMilliseconds(Date().timeIntervalSince1970 * 1_000) }
    private let epoch = Epoch(counter: 1, nonce: 99)
    private let revision = LinkRevision(topology: 1, policy: 0)

    /// Hello and stream, as a good city does it.
    func connect() async throws {
        let province = try #require(NodeID("370000"))
        let hello = Hello(
            node: node, receiver: province, capabilities: [], schemaRevision: 1, revision: revision, epoch: epoch,
            head: 0,
            clock: now)
        let response = try await peer.request(
            "POST", "/v1/link/hello", body: Array(try JSONEncoder().encode(hello)), deadlineMS: 5_000)
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
        let number = try #require(response.head.headers["link-connection"])
        let stream = try await peer.openStream(
            "/v1/link/stream", headers: ["Link-Connection": number], deadlineMS: 5_000)
        try #require(stream.status == 200)
        self.stream = stream
        let echo = try await send(Frame(.probe))
        try #require(echo?.kind == .echo)
    }

    /// Sends a frame and waits for the one that answers it; nil when the stream ends.
    func send(_ frame: Frame) async throws -> Frame? { try await send(bytes: frame.encoded) }

    func send(bytes: [UInt8]) async throws -> Frame? {
        let stream = try #require(stream)
        try await stream.write(bytes)
        while true {
            if let answer = try reader.next() { return answer }
            guard let chunk = try await stream.next() else { return nil }
            reader.append(chunk)
        }
    }

    func close() async {
        stream?.cancel()
        await peer.shutdown()
    }

    /// One ticket as a change-set, with something wrong with it where a caller says so.
    func changeSet(
        resource: ResourceDefinition = BuiltInResources.serviceRequest, values: [String]? = nil, integers: [Int64] = [],
        bytes: [UInt8]? = nil, origin: String? = nil, version: Int64? = nil, rowCount: Int = 1, digest: UInt64? = nil,
        payload forged: [UInt8]? = nil, payloadBytes: Int? = nil
    ) throws -> [UInt8] {
        var block = BlockWriter(resource: resource, kind: .sweep)
        func append(_ text: [UInt8], to column: Int) {
            text.withUnsafeBytes { block.columns[column].append(text: $0) }
        }
        append(Array((origin ?? code).utf8), to: 0)
        append(Array("\(code)-1".utf8), to: 1)
        block.columns[2].append(integer: version ?? HybridTime(milliseconds: now, counter: 0).rawValue)
        block.columns[3].append(integer: RowState.live.rawValue)
        let good: [String: FieldValue] = [
            "global_id": .text("\(code)-1"), "service_request_id": .text("1"), "requested_datetime": .integer(now),
            "channel": .text("01"), "request_type": .text("2"), "urgency": .text("normal"),
            "acceptance": .text("accepted"),
        ]
        for (index, column) in resource.columns.enumerated() {
            let position = index + EnvelopeColumn.all.count
            if column.name == "title", let bytes {
                append(bytes, to: position)
            } else if index < integers.count {
                block.columns[position].append(integer: integers[index])
            } else if let values, index < values.count {
                append(Array(values[index].utf8), to: position)
            } else {
                switch good[column.name] {
                case .text(let text): append(Array(text.utf8), to: position)
                case .integer(let integer): block.columns[position].append(integer: integer)
                default: block.columns[position].appendNull()
                }
            }
        }
        block.finishRow()
        let province = try #require(NodeID("370000"))
        let start = SweepPosition.at(resource: "service_request", after: nil)
        func cursor(_ sweep: SweepPosition) -> Cursor {
            Cursor(epoch: epoch, seq: 0, revision: revision, sweep: sweep)
        }
        var header = ChangeSetHeader(
            sender: node, receiver: province, start: cursor(start),
            end: cursor(.at(resource: "service_request", after: RowKey(origin: code, key: "\(code)-1"))), head: 0,
            schemaRevision: 1, rowCount: rowCount, payloadBytes: 0, createdAt: now)
        var payload = changeSetPayload(digest: 0, blocks: [block])
        header.payloadBytes = payloadBytes ?? payload.count
        withUnsafeBytes(of: (digest ?? header.digest).littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        return header.encoded() + (try ZstandardCompressor().compress(forged ?? payload))
    }
}
