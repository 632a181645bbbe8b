/// The name among `names` that somebody who wrote `word` probably meant: the nearest by edit distance, letter case aside,
/// and near enough; nil when none is.
package func nearestName(to word: String, among names: [String]) -> String? {
    // A longer word is no misspelling, and distances cost the product of the lengths.
    guard word.utf8.count <= 64 else { return nil }
    let ranked = names.map { (name: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, word.count / 3) else {
        return nil
    }
    return best.name
}

/// "did you mean `X`?", or all the names that there are.
package func suggestion(for word: String, among names: [String]) -> String {
    nearestName(to: word, among: names).map { "did you mean `\($0)`?" }
        ?? "known: \(names.map { "`\($0)`" }.joined(separator: ", "))"
}

/// Levenshtein's distance: letters to insert, drop or replace.
private func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (letter == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
