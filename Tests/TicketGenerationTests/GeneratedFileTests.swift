import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing
import TicketGeneration

struct GeneratedFileTests {
    private func bytes(_ format: GeneratedFile.Format, _ threads: [[IntakeRecord]]) -> [UInt8] {
        let file = GeneratedFile(format)
        var bytes = file.header
        for thread in threads { file.append(thread, to: &bytes) }
        return bytes
    }

    @Test func `a row of CSV imports as the records that stand now, equal and legal`() throws {
        let threads = Array(
            TicketGenerator(try recipe(mix: .b), from: monday, days: 60, tickets: 3_000))
        try withFile(bytes(.csv, threads)) { path in
            try expectRows(path, of: threads)
        }
    }

    private func expectRows(_ path: String, of threads: [[IntakeRecord]]) throws {
        let mapping = try Mapping.read(path: repositoryRoot.appending(path: "mappings/generated-tickets.yaml").path)
        let node = try #require(NodeID("370100"))
        let importer = try Importer(mapping: mapping, origin: node, path: path)
        var kinds: [ResourceName: Int] = [:]
        for thread in threads {
            let row = try #require(try importer.next())
            let imported = try row.result.get().records
            #expect(imported[0] == thread[0])
            for record in imported.dropFirst() {
                kinds[record.resource, default: 0] += 1
                #expect(thread.contains { $0.resource == record.resource && isEqual($0, record) })
            }
            let state = fold(imported)
            let whole = fold(thread)
            #expect(state.findings == [])
            #expect(state.unit == whole.unit)
            #expect(state.mergedInto == whole.mergedInto)
            #expect(state.calledBackAt == whole.calledBackAt || state.calledBackAt == nil)
        }
        #expect(try importer.next() == nil)
        let expected = BuiltInResources.ticketResources.map(\.name).filter {
            !["service_request", "return_request", "return_decision", "transfer", "attachment"].contains($0)
        }
        #expect(Set(kinds.keys) == Set(expected))
    }

    /// But for the round and the ordinal, which a row does not have.
    private func isEqual(_ generated: IntakeRecord, _ imported: IntakeRecord) -> Bool {
        var a = generated.fields
        var b = imported.fields
        for field in ["round", "target", "reason", "unit"]
        where generated.resource == "ticket_action" || field == "round" {
            a[field] = nil
            b[field] = nil
        }
        return a == b
    }

    @Test func `every line of JSON Lines is one record with its resource and key`() throws {
        let threads = Array(
            TicketGenerator(try recipe(calls: true, dirt: 0.5, partners: true), from: monday, days: 30, tickets: 500))
        let lines = String(decoding: bytes(.jsonl, threads), as: UTF8.self).split(separator: "\n")
        let records = Array(threads.joined())
        #expect(lines.count == records.count)
        for (line, record) in zip(lines, records) {
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(json["resource"] as? String == record.resource.text)
            #expect(json["key"] as? String == record.key)
            #expect(json.count == record.fields.count + 2)
            for (name, value) in record.fields {
                let type = BuiltInResources.named(record.resource)?.column(named: name)?.type
                switch (value, type) {
                case (.integer(let time), .timestamp):
                    #expect((json[name] as? String).flatMap(ShanghaiTime.parse) == time)
                case (.integer(let truth), .boolean): #expect(json[name] as? Bool == (truth == 1))
                case (.integer(let integer), _): #expect(json[name] as? Int == Int(integer))
                case (.text(let text), _): #expect(json[name] as? String == text)
                default: Issue.record("\(name)")
                }
            }
        }
    }
}
