/// How many people live in a region (常住人口), by year: a part of the reference data, so it has their version.
package struct Population: Hashable, Sendable {
    /// One line of it.
    package struct Entry: Hashable, Sendable {
        package let region: String
        package let year: Int
        package let persons: Int64

        package init(region: String, year: Int, persons: Int64) {
            self.region = region
            self.year = year
            self.persons = persons
        }
    }

    private let byRegion: [String: [Entry]]

    /// - Parameter list: nil when nobody has given one.
    package init(_ list: CodeList?) {
        let entries = (list?.entries ?? []).compactMap { entry -> Entry? in
            let parts = entry.code.split(separator: ".")
            guard parts.count == 2, let year = Int(parts[1]), let persons = Int64(entry.title), persons > 0 else {
                return nil
            }
            return Entry(region: String(parts[0]), year: year, persons: persons)
        }
        byRegion = Dictionary(grouping: entries, by: \.region).mapValues { $0.sorted { $0.year < $1.year } }
    }

    /// Of that year, or of the last one before it that is known; nil when none is.
    package func persons(in region: String, year: Int) -> Int64? {
        byRegion[region]?.last { $0.year <= year }?.persons
    }

    /// As a code list, which every release carries: `370102.2024` with the number in the place of the name.
    package static func list(_ entries: [Entry]) -> CodeList {
        CodeList(
            name: ReferenceData.populationList, title: "常住人口",
            entries: entries.map { .init(code: "\($0.region).\($0.year)", title: "\($0.persons)") })
    }
}
