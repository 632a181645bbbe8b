import ArgumentParser
import FederationModel
import LogicalQuery

/// In which language people read an answer. Chinese comes first; names that have no English stay Chinese: of nodes, units and regions.
enum Language: String, CaseIterable, ExpressibleByArgument {
    case zh, en

    /// One wording in both.
    func callAsFunction(_ chinese: String, _ english: String) -> String { self == .zh ? chinese : english }

    /// Between the parts of a list.
    var comma: String { self("、", ", ") }
}

extension CodeList {
    /// What people call a code; nil for one that is not in the list.
    func title(of code: String, in language: Language) -> String? {
        entry(code).map { language($0.title, $0.english.isEmpty ? $0.title : $0.english) }
    }
}

extension Analysis.Dimension {
    /// Its heading. Names are English words.
    func title(in language: Language) -> String { language(title, name.replacing("_", with: " ")) }
}

extension Indicator {
    func title(in language: Language) -> String { language(title, english) }

    /// With the unit, where it is not a count.
    func heading(in language: Language) -> String {
        let unit =
            switch measure.unit {
            case .count, .perTenThousand: ""
            case .percent: ", %"
            case .hours, .minutes, .seconds: ", \(measure.unit.rawValue)"
            }
        return language(heading, english + unit)
    }
}
