import FederationModel

/// Finds many words in a text in one pass (Aho and Corasick, 1975). A word counts nowhere that an exclusion covers it.
package struct WordScanner: Sendable {
    /// A word where it stands.
    package struct Hit: Hashable, Sendable {
        /// The index of its class.
        package let group: Int
        package let word: String
        /// Letters in front of it.
        package let start: Int
    }

    private struct State: Sendable {
        var next: [Unicode.Scalar: Int] = [:]
        var fallback = 0
        /// Indexes of the patterns that end here.
        var ends: [Int] = []
    }

    private struct Pattern: Sendable {
        let group: Int
        let word: String
        let length: Int
        let excludes: Bool
    }

    private var states = [State()]
    private var patterns: [Pattern] = []

    package init(_ classes: [WordClass]) {
        for (group, words) in classes.enumerated() {
            for word in words.words { add(word, group, excludes: false) }
            for word in words.exclusions { add(word, group, excludes: true) }
        }
        linkFallbacks()
    }

    /// The words of a text, by their place.
    package func hits(in text: String) -> [Hit] {
        var found: [(pattern: Pattern, start: Int)] = []
        var state = 0
        for (index, scalar) in ComparableText.scalars(of: text).enumerated() {
            state = step(state, scalar)
            for end in states[state].ends {
                found.append((patterns[end], index + 1 - patterns[end].length))
            }
        }
        let exclusions = found.filter(\.pattern.excludes)
        return found.filter { hit in
            !hit.pattern.excludes
                && !exclusions.contains {
                    $0.pattern.group == hit.pattern.group && $0.start <= hit.start
                        && $0.start + $0.pattern.length >= hit.start + hit.pattern.length
                }
        }.map { Hit(group: $0.pattern.group, word: $0.pattern.word, start: $0.start) }
            .sorted { ($0.start, $0.group, $0.word) < ($1.start, $1.group, $1.word) }
    }

    private mutating func add(_ word: String, _ group: Int, excludes: Bool) {
        let scalars = ComparableText.scalars(of: word)
        guard !scalars.isEmpty else { return }
        var state = 0
        for scalar in scalars {
            if let next = states[state].next[scalar] {
                state = next
            } else {
                states.append(State())
                states[state].next[scalar] = states.count - 1
                state = states.count - 1
            }
        }
        states[state].ends.append(patterns.count)
        patterns.append(Pattern(group: group, word: word, length: scalars.count, excludes: excludes))
    }

    /// By breadth, so that what a state falls back to is complete before it.
    private mutating func linkFallbacks() {
        var queue = Array(states[0].next.values)
        var position = 0
        while position < queue.count {
            let state = queue[position]
            position += 1
            for (scalar, next) in states[state].next {
                states[next].fallback = step(states[state].fallback, scalar)
                states[next].ends += states[states[next].fallback].ends
                queue.append(next)
            }
        }
    }

    private func step(_ from: Int, _ scalar: Unicode.Scalar) -> Int {
        var state = from
        while true {
            if let next = states[state].next[scalar] { return next }
            if state == 0 { return 0 }
            state = states[state].fallback
        }
    }
}
