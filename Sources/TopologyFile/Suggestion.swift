/// The name among `names` that somebody who wrote `word` probably meant: the nearest by edit distance, and near enough.
func nearest(to word: String, among names: [String]) -> String? {
    // A longer word is no misspelling, and distances cost the product of the lengths.
    guard word.count <= 40 else { return nil }
    let distances = names.map { (name: $0, distance: editDistance(word, $0)) }
    guard let best = distances.min(by: { $0.distance < $1.distance }), best.distance <= max(2, word.count / 3) else {
        return nil
    }
    return best.name
}

/// "did you mean …?", or all the names there are.
func suggestion(for word: String, among names: [String]) -> String {
    nearest(to: word, among: names).map { "did you mean `\($0)`?" }
        ?? "use one of \(names.map { "`\($0)`" }.joined(separator: ", "))"
}

private func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, character) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let substituted = diagonal + (character == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
