/// One thing that is wrong in a file that people write, with the line to change and what to write there.
package struct FileProblem: Error, Hashable, Sendable, Encodable, CustomStringConvertible {
    /// Stable; it names the kind of file, `E_TOPOLOGY_…`, and the README of its folder lists them all.
    package let code: String
    /// The file as the caller named it.
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// What is wrong.
    package let message: String
    /// What to do about it.
    package let hint: String

    package init(code: String, file: String, line: Int, message: String, hint: String) {
        self.code = code
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
    }

    /// The file is left out: whoever asks has named it.
    private enum CodingKeys: String, CodingKey {
        case code, line, message, hint
    }

    /// The form that editors and terminals turn into a link: `FILE:LINE: CODE: what is wrong; what to do`.
    package var description: String { "\(file):\(line): \(code): \(message); \(hint)" }
}

/// Everything that one run found wrong in a file, in the order of its lines; never empty.
package struct FileProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package let problems: [FileProblem]

    package init(problems: [FileProblem]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
