import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// Every real file of the data folder, in the six nodes of `topology/examples/qilu.yaml`. Skipped where the data is not
    /// there.
    @Suite struct `Real records in six nodes` {
        private static let data =
            ProcessInfo.processInfo.environment["FEDERATION_DATA"].map { URL(filePath: $0) }
            ?? repositoryRoot.deletingLastPathComponent().appending(path: "shared/data")

        private static var isThere: Bool {
            FileManager.default.fileExists(atPath: data.appending(path: "us311-boston").path)
        }

        /// A file, where it is imported, and what `docs/importing.md` says becomes of its rows.
        private struct Source {
            let node: String
            let file: String
            let mapping: String
            let read: Int
            var rejected: [String: Int] = [:]
            /// Rows whose key an earlier row of the file has: the later one is the ticket, which counts as accepted once.
            var repeated = 0
        }

        private static let sources = [
            Source(
                node: "370900", file: "us311-boston/boston_2015_jan_aug.csv.gz", mapping: "us311-boston", read: 81_408),
            Source(node: "370100", file: "us311-nyc/nyc_2018-10-21.csv.gz", mapping: "us311-nyc", read: 6_765),
            Source(
                node: "370100", file: "cn-appeals-tipdm/appeals_unlabelled.csv.gz", mapping: "cn-appeals-tipdm",
                read: 1_982),
            Source(
                node: "370200", file: "us311-sf/sf_cases.csv.gz", mapping: "us311-sf", read: 6_964,
                rejected: ["E_TIME_ORDER": 85]),
            Source(
                node: "370200", file: "us311-kansascity/kc_potholes.csv.gz", mapping: "us311-kansascity", read: 3_002),
            Source(
                node: "370200", file: "cn-appeals-tipdm/appeals_labelled_train.csv.gz", mapping: "cn-appeals-tipdm",
                read: 3_849, rejected: ["E_FIELD_MISSING": 2_811], repeated: 4),
            Source(
                node: "370300", file: "cn-appeals-tipdm/appeals_replies.csv.gz", mapping: "cn-appeals-tipdm",
                read: 1_991),
            Source(
                node: "370300", file: "cn-appeals-tipdm/appeals_votes.csv.gz", mapping: "cn-appeals-tipdm", read: 3_004),
            Source(
                node: "370102", file: "cn-haikou-12345-fields/orders_fields.csv", mapping: "cn-haikou-12345-fields",
                read: 4_000),
            Source(
                node: "370000", file: "cn-dongguan-sunshine/posts.csv", mapping: "cn-dongguan-sunshine", read: 651),
        ]

        /// The dirt that is taken in, as the province sees it: `docs/importing.md` counts the same.
        private static let dirt: [(what: String, origin: String, sql: String, count: Int)] = [
            (
                "Boston closed before opened", "370900",
                """
                SELECT count(*) FROM closure AS c JOIN service_request AS r USING (global_id)
                WHERE c.origin = '370900' AND c.occurred_at = r.requested_datetime AND c.ext LIKE '%source_occurred_at%'
                """, 175
            ),
            ("Boston without TARGET_DT", "370900", missing("assignment", "due_datetime", "370900"), 19_533),
            (
                "Boston open", "370900",
                """
                SELECT count(*) FROM service_request AS r WHERE r.origin = '370900'
                AND NOT EXISTS (SELECT 1 FROM closure AS c WHERE c.global_id = r.global_id)
                """, 12_096
            ),
            ("Boston without a place", "370900", missing("service_request", "lat", "370900"), 11_899),
            (
                "Boston merged", "370900",
                "SELECT count(*) FROM closure WHERE origin = '370900' AND closure_kind = 'merged'", 2_239
            ),
            (
                "New York without coordinates", "370100",
                "SELECT count(*) FROM service_request WHERE origin = '370100' AND source_system = 'NYC 311' AND lat IS NULL",
                115
            ),
            (
                "Kansas City in New Mexico", "370200",
                """
                SELECT count(*) FROM service_request WHERE source_system = 'Kansas City 311' AND lat IS NULL
                """, 29
            ),
            (
                "Haikou without channel", "370102",
                "SELECT count(*) FROM service_request WHERE origin = '370102' AND channel = '19'", 562
            ),
            (
                "Haikou without kind", "370102",
                "SELECT count(*) FROM service_request WHERE origin = '370102' AND request_type = '9'", 618
            ),
            ("Dongguan without town", "370000", missing("service_request", "address_string", "370000"), 160),
        ]

        private static func missing(_ resource: String, _ column: String, _ origin: String) -> String {
            "SELECT count(*) FROM \(resource) WHERE origin = '\(origin)' AND \(column) IS NULL"
        }

        @Test(.enabled(if: isThere, "there is no data at \(data.path)"), .timeLimit(.minutes(15)))
        func `give the province the accepted rows of each origin`() async throws {
            let nodes =
                Federation.qilu.map { node in
                    var node = node
                    if node.code == "370100" {
                        node.extra = ["peers: [\"370900\"]", "shared-with-peers: [service_request]"]
                    }
                    return node
                } + [
                    Federation.Node(code: "370102", name: "历下区", parent: "370100"),
                    Federation.Node(code: "370900", name: "泰安市", parent: "370000"),
                ]
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }

            var tickets: [String: Int] = [:]
            for source in Self.sources {
                let report = try await imported(source, federation)
                let accepted = source.read - source.rejected.values.reduce(0, +) - source.repeated
                #expect(report["read"] as? Int == source.read, "\(source.file)")
                #expect(report["accepted"] as? Int == accepted, "\(source.file)")
                #expect(report["collapsed"] as? Int == source.repeated, "\(source.file)")
                #expect(report["unchanged"] as? Int == 0, "\(source.file)")
                #expect(report["rejectedByCode"] as? [String: Int] == source.rejected, "\(source.file)")
                tickets[source.node, default: 0] += accepted
            }
            for node in nodes {
                #expect(
                    try await federation.count("service_request", at: node.code, where: "origin = '\(node.code)'")
                        == tickets[node.code])
            }

            try await federation.waitUntilLevel("370100", seconds: 120)
            try await federation.waitUntilLevel("370000", seconds: 120)
            let answer = try await federation.tickets(["--by", "origin"], at: "370000")
            #expect(answer.result.status == 0)
            var counted: [String: Int] = [:]
            for row in answer.json["rows"] as? [[Any]] ?? [] {
                if let origin = row.first as? String { counted[origin] = row.last as? Int }
            }
            #expect(counted == tickets)
            for node in nodes where node.code != "370300" {
                for resource in ["service_request", "assignment", "reply", "closure"] {
                    let isOwn = "origin = '\(node.code)'"
                    let own = try await federation.count(resource, at: node.code, where: isOwn)
                    #expect(
                        try await federation.count(resource, at: "370000", where: isOwn) == own,
                        "\(resource) of \(node.code)")
                }
            }
            for dirt in Self.dirt {
                #expect(try await federation.sql(dirt.sql, at: "370000") == "\(dirt.count)", "\(dirt.what)")
            }

            // The same file a second time changes nothing.
            let again = try await imported(Self.sources[1], federation)
            #expect(again["accepted"] as? Int == 0)
            #expect(again["unchanged"] as? Int == again["read"] as? Int)
        }

        private func imported(_ source: Source, _ federation: Federation) async throws -> [String: Any] {
            let mapping = repositoryRoot.appending(path: "mappings/\(source.mapping).yaml").path
            return try await federation.succeed(
                [
                    "import", "--resource", "service_request", "--mapping", mapping, "--json", "--max-rejects", "80",
                    Self.data.appending(path: source.file).path,
                ], at: source.node
            ).json()
        }
    }
}
