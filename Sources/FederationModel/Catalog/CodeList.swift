/// A code list (代码表): codes with their Chinese and English names. Owned by the top node, versioned.
///
/// Codes are never taken away: one that is no longer given out has a last day, and a successor that its history rolls up
/// to. A code that changes its meaning has one entry for each, one after the other. Regions (GB/T 2260) and service codes
/// are code lists with parents.
package struct CodeList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let code: String
        package let title: String
        /// Empty when nobody has given one.
        package let english: String
        /// The code of the level above.
        package let parent: String?
        /// First and last day (days since 1970-01-01) on which it is given out; nil has no end.
        package let validFrom: Int64?
        package let validTo: Int64?
        /// The code that takes its place after the last day: the crosswalk to today's version of the list.
        package let successor: String?
        /// Of a unit, the code of the node that it belongs to.
        package let node: String?

        package init(
            code: String, title: String, english: String = "", parent: String? = nil, validFrom: Int64? = nil,
            validTo: Int64? = nil, successor: String? = nil, node: String? = nil
        ) {
            self.code = code
            self.title = title
            self.english = english
            self.parent = parent
            self.validFrom = validFrom
            self.validTo = validTo
            self.successor = successor
            self.node = node
        }

        /// - Parameter day: days since 1970-01-01.
        package func isValid(on day: Int64) -> Bool { (validFrom ?? .min) <= day && day <= (validTo ?? .max) }
    }

    package let name: String
    package let title: String
    package let entries: [Entry]
    /// Where the entries of a code stand, the earlier validity first.
    private let positions: [String: [Int]]

    package init(name: String, title: String, entries: [Entry]) {
        self.name = name
        self.title = title
        self.entries = entries
        positions = Dictionary(grouping: entries.indices, by: { entries[$0].code }).mapValues { positions in
            positions.sorted { (entries[$0].validFrom ?? .min, $0) < (entries[$1].validFrom ?? .min, $1) }
        }
    }

    /// Whether the list has, or ever had, the code: history is imported with the codes of its time.
    package func contains(_ code: String) -> Bool { positions[code] != nil }

    /// The meaning of a code: on a day (days since 1970-01-01), else its latest. A code that was not given out on that day
    /// is explained by its latest meaning all the same.
    package func entry(_ code: String, on day: Int64? = nil) -> Entry? {
        guard let positions = positions[code], let last = positions.last else { return nil }
        if let day, let valid = positions.first(where: { entries[$0].isValid(on: day) }) { return entries[valid] }
        return entries[last]
    }

    package func title(of code: String, on day: Int64? = nil) -> String? { entry(code, on: day)?.title }

    /// The code with its parents, from the top down. Empty for an unknown code.
    package func path(to code: String, on day: Int64? = nil) -> [Entry] {
        var path: [Entry] = []
        var next: String? = code
        while let code = next, let entry = entry(code, on: day), path.count < Self.stepsMax {
            path.insert(entry, at: 0)
            next = entry.parent
        }
        return path
    }

    /// What a code of the past is counted under in the list as it stood on `day`: its successors are followed as far as
    /// they had come by then. An unknown code stands for itself.
    package func rolledUp(_ code: String, on day: Int64) -> String {
        var code = code
        for _ in 0..<Self.stepsMax {
            guard let positions = positions[code], !positions.contains(where: { entries[$0].isValid(on: day) }),
                let ended = positions.last(where: { (entries[$0].validTo ?? .max) < day }),
                let successor = entries[ended].successor
            else { return code }
            code = successor
        }
        return code
    }

    /// The codes that roll up to another one by `day`, with that one, in the order of codes.
    package func successions(on day: Int64) -> [(code: String, successor: String)] {
        positions.keys.sorted().compactMap { code in
            let successor = rolledUp(code, on: day)
            return successor == code ? nil : (code, successor)
        }
    }

    /// Levels of parents, or successors in a row, that are followed. Data from another node may go round in a circle.
    package static let stepsMax = 16

    /// A list of the floor by its name; see ``CodeLists``.
    package static func named(_ name: String) -> CodeList? { CodeLists.builtIn.named(name) }
}

/// Code lists by name.
package struct CodeLists: Hashable, Sendable {
    package let all: [CodeList]
    private let byName: [String: CodeList]

    private init(_ lists: [CodeList]) {
        all = lists
        byName = Dictionary(lists.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The codes that the schema and the life of a ticket need. They are in the program, not in a file, because the program
    /// acts on them; reference data can add to them and name them anew, but not take one away.
    package static let builtIn = CodeLists(CodeList.all)

    package func named(_ name: String) -> CodeList? { byName[name] }

    /// With the entries of `lists` added. An entry takes the place of the one that has its code and its first day.
    package func adding(_ lists: [CodeList]) -> CodeLists {
        var merged = all
        for list in lists {
            guard let index = merged.firstIndex(where: { $0.name == list.name }) else {
                merged.append(list)
                continue
            }
            var entries = merged[index].entries
            for entry in list.entries {
                if let known = entries.firstIndex(where: { $0.code == entry.code && $0.validFrom == entry.validFrom }) {
                    entries[known] = entry
                } else {
                    entries.append(entry)
                }
            }
            merged[index] = CodeList(name: list.name, title: list.title, entries: entries)
        }
        return CodeLists(merged)
    }
}
