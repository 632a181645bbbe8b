import FederationModel

extension Mapping {
    /// A file with the columns `word` and `code`; it is read by whoever reads the source's files.
    package struct CodeTable: Hashable, Sendable {
        package let path: String
        /// The line of the mapping that names it.
        package let line: Int
    }

    /// From the source's words to codes.
    package struct Translation: Sendable {
        private var exact: [ExactText: String] = [:]
        /// Words with wildcards, tried in order after `exact`.
        private var patterns: [(pattern: WordPattern, code: String)] = []
        /// Names of codes, without what separates their levels.
        private var titles: [ExactText: String] = [:]
        /// For words that are in none; nil rejects the row.
        var otherwise: String?
        /// More words.
        package internal(set) var table: CodeTable?

        package func code(for text: String) -> String? {
            let word = ExactText(text)
            if let code = exact[word] ?? titles[word] { return code }
            if let code = patterns.first(where: { $0.pattern.matches(text) })?.code { return code }
            if !titles.isEmpty, let code = titles[ExactText(CodeList.joinedLevels(text))] { return code }
            return otherwise
        }

        /// - Returns: false for a word that is nothing but wildcards.
        package mutating func take(word: String, code: String) -> Bool {
            if let pattern = WordPattern(word) {
                patterns.append((pattern, code))
            } else if word.utf8.contains(UInt8(ascii: "*")) {
                return false
            } else {
                exact[ExactText(word)] = code
            }
            return true
        }

        mutating func takeTitles(of list: CodeList, within prefix: String?) {
            titles = list.codesByName(within: prefix)
        }
    }

    /// The words of a condition; each `*` in one stands for any text.
    package struct WordSet: Sendable {
        private var exact: Set<ExactText> = []
        private var patterns: [WordPattern] = []

        package func contains(_ text: String) -> Bool {
            exact.contains(ExactText(text)) || patterns.contains { $0.matches(text) }
        }

        /// - Returns: false for a word that is nothing but wildcards.
        mutating func take(_ word: String) -> Bool {
            if let pattern = WordPattern(word) {
                patterns.append(pattern)
            } else if word.utf8.contains(UInt8(ascii: "*")) {
                return false
            } else {
                exact.insert(ExactText(word))
            }
            return true
        }
    }

    /// A word in which each `*` stands for any text, also none.
    struct WordPattern: Sendable {
        /// What stands between the wildcards; the first begins the word and the last ends it.
        private let parts: [[UInt8]]

        /// - Returns: nil for a word without a wildcard, or with nothing else.
        init?(_ text: String) {
            guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(where: { $0 != UInt8(ascii: "*") }) else {
                return nil
            }
            parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
        }

        func matches(_ text: String) -> Bool {
            var rest = Array(text.utf8)[...]
            guard let first = parts.first, let last = parts.last, rest.count >= first.count + last.count,
                rest.starts(with: first), rest.reversed().starts(with: last.reversed())
            else { return false }
            rest = rest.dropFirst(first.count).dropLast(last.count)
            for part in parts.dropFirst().dropLast() where !part.isEmpty {
                guard let found = rest.firstRange(of: part) else { return false }
                rest = rest[found.upperBound...]
            }
            return true
        }
    }
}
