import Foundation
import Testing

extension `Real processes` {
    /// Real records of three hotlines' worth of cities. Skipped where the data is not there.
    @Suite struct `Real records in four nodes` {
        private static let data =
            ProcessInfo.processInfo.environment["FEDERATION_DATA"].map { URL(filePath: $0) }
            ?? Federation.repository.deletingLastPathComponent().appending(path: "shared/data")

        private static var isThere: Bool {
            FileManager.default.fileExists(atPath: data.appending(path: "us311-boston").path)
        }

        @Test(.enabled(if: isThere, "there is no data at \(data.path)"), .timeLimit(.minutes(5)))
        func `give the province the accepted rows of each origin`() async throws {
            let cities = ["370100", "370200", "370900"]
            let nodes =
                [Federation.Node(code: "370000")]
                + (cities + ["370300"]).map { Federation.Node(code: $0, parent: "370000") }
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }

            // Boston's fields hold no line breaks, so a line is a row; it is dealt to three cities.
            let boston = try await gunzip("us311-boston/boston_2015_jan_aug.csv.gz").split(separator: "\n")
            var rowsOfFile = 0
            for (index, city) in cities.enumerated() {
                let rows = boston.dropFirst().enumerated().filter { $0.offset % 3 == index }.map(\.element)
                try federation.write(([boston[0]] + rows).joined(separator: "\n") + "\n", to: "\(city).csv")
                let report = try await imported("us311-boston", federation.path("\(city).csv"), federation, at: city)
                #expect(report["read"] as? Int == rows.count)
                // No row is refused: docs/importing.md says why the documented dirt of this file is all acceptable.
                #expect(report["rejected"] as? Int == 0)
                rowsOfFile += report["accepted"] as? Int ?? 0
            }
            #expect(rowsOfFile == 81_408)

            let appeals = [
                ("appeals_replies", 1_991, 0), ("appeals_votes", 3_004, 0), ("appeals_unlabelled", 1_982, 0),
                ("appeals_labelled_train", 1_038, 2_811),
            ]
            for (file, accepted, rejected) in appeals {
                let path = Self.data.appending(path: "cn-appeals-tipdm/\(file).csv.gz").path
                let report = try await imported("cn-appeals-tipdm", path, federation, at: "370300")
                let taken = (report["accepted"] as? Int ?? 0) + (report["unchanged"] as? Int ?? 0)
                #expect(taken == accepted, "\(file)")
                #expect(
                    report["rejected"] as? Int == rejected, "\(file): rows without an id, as the data's README says")
            }

            try await federation.waitUntilLevel("370000", seconds: 120)
            for city in cities + ["370300"] {
                let own = try await federation.count("service_request", at: city)
                #expect(try await federation.count("service_request", at: "370000", where: "origin = '\(city)'") == own)
                for resource in ["assignment", "reply", "closure"] {
                    let records = try await federation.count(resource, at: city)
                    #expect(try await federation.count(resource, at: "370000", where: "origin = '\(city)'") == records)
                }
            }
            #expect(try await federation.count("service_request", at: "370000", where: "origin <> '370300'") == 81_408)

            // The same file a second time changes nothing.
            let again = try await imported("us311-boston", federation.path("370100.csv"), federation, at: "370100")
            #expect(again["accepted"] as? Int == 0)
            #expect(again["unchanged"] as? Int == again["read"] as? Int)
        }

        private func imported(
            _ mapping: String, _ file: String, _ federation: Federation, at code: String
        ) async throws -> [String: Any] {
            let mappings = Federation.repository.appending(path: "mappings/\(mapping).yaml").path
            return try await federation.succeed(
                ["import", "--resource", "service_request", "--mapping", mappings, "--json", file], at: code
            ).json()
        }

        private func gunzip(_ name: String) async throws -> String {
            try await Federation.tool(["gzip", "-dc", Self.data.appending(path: name).path]).output
        }
    }
}
