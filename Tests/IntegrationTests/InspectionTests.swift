import Foundation
import Testing

extension `Real processes` {
    /// 5.2-4 of the domain model, as a person sees it who wants to know what leaves.
    @Suite struct `An inspected change-set` {
        @Test(.timeLimit(.minutes(15)))
        func `has no row and no column that the policy does not grant, in its report and as a database`() async throws {
            let policy = [
                "policy:", "  service_request:", "    filter: { request-type: [\"2\", \"3\"] }",
                "    fields: { reporter_phone: mask, reporter_name: drop }",
            ]
            let federation = try await Federation([
                Federation.Node(code: "370000", name: "山东省"),
                Federation.Node(code: "370100", name: "济南市", parent: "370000", extra: policy),
            ])
            try await federation.succeed(["generate", "--tickets", "300"], at: "370100")
            let (file, database) = (federation.path("first.fcs"), federation.path("first.db"))
            try await federation.succeed(["change-set", "export", "--peer", "370000", "--out", file], at: "370100")
            let report = try await federation.succeed(
                ["change-set", "inspect", file, "--sqlite", database, "--json"])
            #expect(report.output.contains("reporter_phone") && !report.output.contains("reporter_name"))
            func sql(_ statement: String) async throws -> String {
                let result = try await Federation.tool(["sqlite3", database, statement])
                return result.output.trimmingCharacters(in: .newlines)
            }
            let columns = try await sql("SELECT group_concat(name) FROM pragma_table_info('service_request')")
            #expect(columns.hasPrefix("movement,origin,key,") && columns.contains("reporter_phone"))
            #expect(!columns.contains("reporter_name"))
            #expect(try await sql("SELECT DISTINCT request_type FROM service_request ORDER BY 1") == "2\n3")
            let sent = try await sql("SELECT count(*) FROM service_request")
            let granted = try await federation.count(
                "service_request", at: "370100", where: "deleted = 0 AND request_type IN ('2', '3')")
            #expect(sent == "\(granted)" && granted > 0)
            #expect(try await sql("SELECT count(*) FROM service_request WHERE reporter_phone NOT LIKE '%****%'") == "0")
        }
    }
}
