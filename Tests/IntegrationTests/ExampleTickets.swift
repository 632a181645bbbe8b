import FederationModel
import Foundation
import TestSupport
import Testing

/// The rows of a file of tickets that have no persons and no place in common.
struct TicketRows {
    private let prefix: String
    private var lines: [String] = []

    /// - Parameter prefix: of the keys.
    init(_ prefix: String) { self.prefix = prefix }

    var count: Int { lines.count }

    mutating func add(
        _ count: Int = 1, at time: String, region: String = "", category: String = "", title: String = "诉求"
    ) {
        for _ in 0..<count {
            lines.append("\(prefix)\(lines.count),\(time),\(region),\(category),\(title),\(prefix)路\(lines.count)号")
        }
    }

    func importAll(into federation: Federation, at code: String) async throws {
        try federation.write("id,at,region,category,title,address\n\(lines.joined(separator: "\n"))\n", to: "rows.csv")
        try federation.write(
            """
            key: id
            zone: Asia/Shanghai
            time_formats: ["yyyy-MM-dd HH:mm"]
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: at
                  region_code: region
                  service_code: category
                  title: title
                  address_string: address
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}

            """, to: "rows.yaml")
        let report = try await federation.succeed(
            [
                "import", "--resource", "service_request", "--mapping", federation.path("rows.yaml"),
                federation.path("rows.csv"), "--json",
            ], at: code
        ).json()
        try #require(report["accepted"] as? Int == lines.count, "\(report)")
    }
}

/// The counties of a city, each with a series of its own.
struct ExampleCity {
    let code: String

    private func county(_ number: Int) -> String { "\(code.prefix(4))0\(number)" }

    var even: String { county(2) }
    var wild: String { county(3) }
    var festive: String { county(4) }
    var weekly: String { county(5) }
}

/// When tickets of the examples came in, seen from today.
struct ExampleDays {
    /// Days since 1970.
    let today: Int64

    /// A day like others, of which the last eight weeks are known, and a special one, of which three years are known too.
    private var ordinaryDay: Int64 { today - 2 }
    private var eves: [Int64] { (0...3).map { today - 3 - 366 * $0 } }

    var ordinary: String { CivilDate.text(dayNumber: ordinaryDay) }
    /// The first day of 1970 was a Thursday.
    var nextMonday: Int64 { today + (11 - today % 7) % 7 }

    static let mondays = [11, 7, 10, 8, 9, 9, 8, 10]

    /// Reference data with no special dates but the eves: whatever the calendar says of the weeks before today.
    func writeReference(to federation: Federation, of nodes: [String]) throws {
        let years = eves.map { CivilDate.text(dayNumber: $0) }.map {
            """
              - {year: \($0.prefix(4)), holidays: [], working: [], special: [{title: 除夕, from: "\($0)", to: "\($0)"}]}

            """
        }
        for node in nodes {
            let shipped = try String(contentsOfFile: federation.path("\(node)/reference.yaml"), encoding: .utf8)
            let own = shipped.replacing(
                /calendar:\n(?s:.*?)\n\n/, with: "calendar:\n\(years.joined())\n", maxReplacements: 1)
            try #require(own != shipped)
            try federation.write(own, to: "\(node)/reference.yaml")
        }
    }

    func history(of city: ExampleCity) -> TicketRows {
        var rows = TicketRows("h")
        func add(_ count: Int, on day: Int64, _ county: String) {
            rows.add(count, at: "\(CivilDate.text(dayNumber: day)) 10:00", region: county, category: "03.05.01")
        }
        for (week, (even, wild)) in zip([12, 10, 14, 11, 13, 12, 9, 11], [12, 4, 25, 9, 18, 7, 15, 2]).enumerated() {
            let before = Int64(week + 1) * 7
            add(even, on: ordinaryDay - before, city.even)
            add(wild, on: ordinaryDay - before, city.wild)
            for day in [ordinaryDay, eves[0]] { add(12, on: day - before, city.festive) }
        }
        for (eve, count) in zip(eves.dropFirst(), [29, 31, 30]) { add(count, on: eve, city.festive) }
        // What a series begins with is not whole, so it begins before the eight weeks.
        add(1, on: today - 60, city.weekly)
        for day in today - 56..<today {
            let weekday = Int((day + 3) % 7)
            let monday = Self.mondays[Int(day - (today - 56)) / 7]
            add(weekday == 0 ? monday : [5, 4, 5, 6, 2, 1][weekday - 1], on: day, city.weekly)
        }
        return rows
    }

    func surges(of city: ExampleCity) -> TicketRows {
        var rows = TicketRows("s")
        let eve = CivilDate.text(dayNumber: eves[0])
        for (day, county, count) in [
            (ordinary, city.even, 27), (ordinary, city.wild, 27), (ordinary, city.festive, 30), (eve, city.festive, 30),
        ] {
            rows.add(count, at: "\(day) 10:00", region: county, category: "03.05.01")
        }
        return rows
    }
}

/// Ten tickets G1 to G10 that a unit handled.
enum HandledTickets {
    static func importAll(for unit: String, into federation: Federation, at code: String) async throws {
        var csv = "id,at,contact,called,resolved,score\n"
        let outcomes = ["5", "5", "4", "4", "4", "3", "2", "1", "", ""]
        for (index, score) in outcomes.enumerated() {
            let resolved = score.isEmpty ? "" : index < 6 ? "resolved" : "unresolved"
            let contact = index < 9 ? "2025-10-14 08:00" : ""
            csv += "G\(index + 1),2025-10-13 09:0\(index),\(contact),2025-10-15 10:00,\(resolved),\(score)\n"
        }
        try federation.write(csv, to: "handled.csv")
        try federation.write(
            """
            key: id
            zone: Asia/Shanghai
            time_formats: ["yyyy-MM-dd HH:mm"]
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: at
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
              - resource: assignment
                fields: {occurred_at: at, assignee_unit: {value: \(unit)}, role: {value: main}}
              - resource: handling
                when: contact
                fields: {occurred_at: contact, unit: {value: \(unit)}, contacted: {value: "1"}, contact_datetime: contact}
              - resource: callback
                when: score
                fields: {occurred_at: called, method: {value: telephone}, reached: {value: answered}, resolved: resolved}
              - resource: evaluation
                when: score
                fields: {occurred_at: called, object: {value: handling}, score5: score}

            """, to: "handled.yaml")
        try await federation.succeed(
            [
                "import", "--resource", "service_request", "--mapping", federation.path("handled.yaml"),
                federation.path("handled.csv"),
            ], at: code)
    }
}
