import Foundation
import Testing

extension `Real processes` {
    /// Ground rule 7 of the domain model, as a hotline meets it.
    @Suite struct `Reports` {
        @Test(.timeLimit(.minutes(15)))
        func `stay with the city that took them in when they accuse its province, also after a start anew`()
            async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for code in ["370000", "370100"] { try await federation.serve(code) }
            func add(_ title: String, type: String, against respondent: String) async throws -> String {
                let ticket = try await federation.succeed(
                    [
                        "ticket", "add", "--channel", "电话", "--type", type, "--title", title, "--field",
                        "respondent_name=\(respondent)", "--json",
                    ], at: "370100"
                ).json()
                return try #require(ticket["id"] as? String)
            }
            func titles() async throws -> String {
                try await federation.sql(
                    "SELECT group_concat(title) FROM (SELECT title FROM service_request WHERE deleted = 0 ORDER BY 1)",
                    at: "370000")
            }
            let report = try await add("A", type: "举报", against: "山东省")
            let complaint = try await add("B", type: "投诉", against: "山东省")
            _ = try await add("C", type: "举报", against: "某公司")
            try await federation.waitUntil("the others are at the province", seconds: 30) {
                try await titles() == "B,C"
            }

            // A protected reporter makes one of the complaint: the province lets go of what it had.
            try await federation.succeed(
                ["ticket", "event", complaint, "set-confidential", "--field", "target=reporter_protected"], at: "370100"
            )
            try await federation.waitUntil("the province has let go", seconds: 30) { try await titles() == "C" }
            for ticket in [report, complaint] {
                let offer = try await federation.run(["transfer", "offer", ticket, "--to", "370000"], at: "370100")
                #expect(offer.status == 1 && offer.errors.hasPrefix("E_REPORT_TO_ACCUSED"))
                #expect(try await federation.run(["ticket", "show", ticket], at: "370000").status == 1)
            }
            try await federation.stop("370100")
            try await federation.serve("370100")
            _ = try await add("D", type: "求助", against: "某公司")
            try await federation.waitUntil("the link is up again", seconds: 30) { try await titles() == "C,D" }
            #expect(try await federation.count("service_request", at: "370100") == 4)
        }
    }
}
