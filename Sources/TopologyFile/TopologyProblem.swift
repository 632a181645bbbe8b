/// One thing that is wrong in a topology file, with the line to change and what to write there.
package struct TopologyProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Stable, `E_TOPOLOGY_…`; `topology/README.md` lists them all.
    package let code: String
    /// The file as the caller named it.
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// What is wrong.
    package let message: String
    /// What to do about it.
    package let hint: String

    /// The form that editors and terminals turn into a link: `FILE:LINE: CODE: what is wrong; what to do`.
    package var description: String { "\(file):\(line): \(code): \(message); \(hint)" }
}

/// Everything that one run found wrong in a topology file, in the order of its lines; never empty.
package struct TopologyProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package let problems: [TopologyProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
