import FederationModel

/// How texts of one topic are read for joint governance (7.2.3): the standard's own example asks of illegal parking which roads,
/// which areas, which effects and which causes.
package struct TopicPack: Hashable, Sendable {
    package let name: String
    /// Beginnings of categories.
    package let categories: [String]
    /// What people say, by what it means: 占用消防通道 → 堵消防通道, 挡住消防车.
    package let effects: [String: [String]]
    package let causes: [String: [String]]
    /// The unit that leads the joint task, and those that join.
    package let mainUnit: String
    package let jointUnits: [String]

    package init(
        _ name: String, categories: [String], effects: [String: [String]], causes: [String: [String]],
        mainUnit: String, jointUnits: [String]
    ) {
        self.name = name
        self.categories = categories
        self.effects = effects
        self.causes = causes
        self.mainUnit = mainUnit
        self.jointUnits = jointUnits
    }

    package static let all = [parking]

    package static let parking = TopicPack(
        "违法停车", categories: ["05.02"],
        effects: [
            "占用消防通道": ["消防通道", "消防车"], "影响通行": ["影响通行", "无法通行", "堵塞", "拥堵", "出行不便"],
            "占用盲道": ["盲道"], "占用人行道": ["人行道", "行人"],
        ],
        causes: [
            "停车位不足": ["车位不足", "没有停车位", "车位少", "停车难"], "管理缺失": ["没人管", "无人管理", "管理不到位"],
            "标志标线不清": ["没有标线", "标线不清", "标志不清", "没有禁停"],
        ],
        mainUnit: "交警", jointUnits: ["城管", "街道"])
}

/// How often each value of each column occurs in the tickets of a topic, the most frequent first.
package struct TopicTable: Hashable, Sendable {
    package struct Count: Hashable, Sendable {
        package let value: String
        package let tickets: Int
    }

    package let roads: [Count]
    package let regions: [Count]
    package let effects: [Count]
    package let causes: [Count]

    /// - Parameter roads: names of roads, the geographical dictionary.
    package init(_ tickets: [ObservedTicket], pack: TopicPack, roads: [String]) {
        self.roads = Self.count(tickets, Dictionary(uniqueKeysWithValues: Set(roads).map { ($0, [$0]) }))
        effects = Self.count(tickets, pack.effects)
        causes = Self.count(tickets, pack.causes)
        regions = Self.sorted(
            tickets.reduce(into: [:]) { counts, ticket in
                if let county = ticket.county { counts[county, default: 0] += 1 }
            })
    }

    private static func count(_ tickets: [ObservedTicket], _ words: [String: [String]]) -> [Count] {
        let names = words.keys.sorted()
        let scanner = WordScanner(names.map { WordClass($0, .blue, words: words[$0] ?? []) })
        var counts: [String: Int] = [:]
        for ticket in tickets {
            for group in Set(scanner.hits(in: "\(ticket.text)\n\(ticket.place ?? "")").map(\.group)) {
                counts[names[group], default: 0] += 1
            }
        }
        return sorted(counts)
    }

    private static func sorted(_ counts: [String: Int]) -> [Count] {
        counts.map { Count(value: $0.key, tickets: $0.value) }
            .sorted { $0.tickets == $1.tickets ? $0.value.precedes($1.value) : $0.tickets > $1.tickets }
    }
}
