import FederationModel
import Foundation
import LocalStore
import NodeDesk
import TestSupport

/// An invented export of another system that changes from day to day, with a mapping that makes five kinds of records of a row.
struct SourceFile {
    static let mapping = """
        source: crm
        key: number
        time_formats: ["yyyy-MM-dd HH:mm"]
        records:
          - resource: service_request
            fields:
              service_request_id: number
              requested_datetime: opened
              channel: {value: "01"}
              request_type: {value: "2"}
              title: title
              urgency: {value: normal}
              acceptance: {value: accepted}
          - resource: assignment
            when: unit
            fields: {occurred_at: opened, assignee_unit: unit, role: {value: main}, due_datetime: due}
          - resource: reply
            when: replied
            fields: {occurred_at: replied, reply_kind: {value: final}, reply_channel: {value: "01"}, content_public: answer}
          - resource: closure
            when: {column: status, in: [closed]}
            fields: {occurred_at: closed, closure_kind: {value: closed}}
          - resource: evaluation
            when: score
            fields:
              occurred_at: closed
              object: {value: handling}
              score5: score
              verdict_source: {value: self_service}
        """

    private static let columns = [
        "number", "opened", "title", "unit", "due", "replied", "answer", "status", "closed", "score",
    ]

    /// By number.
    private(set) var rows: [Int: [String: String]] = [:]

    var text: String {
        let lines = rows.keys.sorted().map { number in Self.columns.map { rows[number]?[$0] ?? "" } }
        return ([Self.columns] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    mutating func set(_ number: Int, _ values: [String: String] = [:]) {
        var row =
            rows[number] ?? ["number": "\(number)", "opened": "2025-09-01 09:00", "title": "路灯不亮", "status": "open"]
        row.merge(values) { $1 }
        rows[number] = row
    }

    mutating func remove(_ number: Int) { rows[number] = nil }

    /// A day's work: tickets come, are dispatched, answered, closed and judged, and any of that is taken back or corrected.
    mutating func edit(_ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let number = Int.random(in: 1...15, using: &random)
            func either(_ value: String) -> String { Bool.random(using: &random) ? value : "" }
            set(number)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: set(number, ["title": ["路灯不亮", "井盖缺失", "噪音"].randomElement(using: &random) ?? ""])
            case 1: set(number, ["unit": either("城管局"), "due": either("2025-09-20 18:00")])
            case 2: set(number, ["unit": either("住建局"), "due": "2025-09-25 18:00"])
            case 3:
                set(
                    number,
                    [
                        "replied": either("2025-09-05 10:00"),
                        "answer": ["已修复", "已解释"].randomElement(using: &random) ?? "",
                    ])
            case 4:
                let isClosed = Bool.random(using: &random)
                set(number, ["status": isClosed ? "closed" : "open", "closed": isClosed ? "2025-09-06 10:00" : ""])
                if !isClosed { set(number, ["score": ""]) }
            default:
                if rows[number]?["status"] == "closed" {
                    set(number, ["score": either(["1", "5"].randomElement(using: &random) ?? "")])
                }
            }
        }
    }
}

extension TestNode {
    /// Imports a file of `SourceFile`, by its mapping or by another.
    @discardableResult
    func `import`(
        _ file: SourceFile, mapping: String = SourceFile.mapping, isDryRun: Bool = false
    ) async throws -> ImportReport {
        try write(mapping, to: "crm.yaml")
        try write(file.text, to: "crm.csv")
        let request = ImportRequest(
            path: path("crm.csv"), mappingPath: path("crm.yaml"), resource: "service_request", isDryRun: isDryRun)
        let (report, failure) = try await desk.importFile(request)
        if let failure { throw failure }
        return report
    }

    /// What every live record says, without the versions under which it was written.
    func liveRecords() async throws -> [String] {
        var lines: [String] = []
        for resource in BuiltInResources.all where resource.isTicketRecord {
            let columns = resource.columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
            let rows = try await desk.local.store.rows(
                sql:
                    "SELECT origin, \"key\", \(columns) FROM main.\"\(resource.name)\" WHERE deleted = 0 ORDER BY 1, 2",
                arguments: [])
            lines += rows.map { "\(resource.name) \($0)" }
        }
        return lines
    }

    func count(_ sql: String) async throws -> Int64 {
        try await desk.local.store.rows(sql: "SELECT count(*) FROM main.\(sql)", arguments: [])[0][0].integer ?? -1
    }
}
