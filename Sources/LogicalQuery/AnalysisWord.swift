import FederationModel

/// A word of the analysis vocabulary: a measure or a dimension, known by one stable name.
///
/// The name is what people type, what a result column is called and what travels between nodes. A name that this node
/// does not know, from a person or from a newer peer, is `E_ANALYSIS_UNKNOWN`, never guessed and never left out: an
/// answer without it would be an answer to another question.
package protocol AnalysisWord: Hashable, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// What the word is, for errors: "measure".
    static var kind: String { get }
    var name: String { get }
}

extension AnalysisWord {
    /// Reads a name as people type it; dashes stand for underscores (`on-time-rate`).
    ///
    /// - Throws: `E_ANALYSIS_UNKNOWN` with the nearest name and all known ones.
    package init(_ text: String) throws(FederationError) {
        let name = String(text.map { $0 == "-" ? "_" : $0 })
        guard let word = Self.allCases.first(where: { $0.name == name }) else {
            throw .unknownWord(text, kind: Self.kind, known: Self.allCases.map(\.name), code: "E_ANALYSIS_UNKNOWN")
        }
        self = word
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    package var description: String { name }
}

extension FederationError {
    /// An error for a name that is not one of `known`, with the nearest one.
    static func unknownWord(_ text: String, kind: String, known: [String], code: String) -> FederationError {
        let nearest = nearestWord(to: text, in: known).map { "did you mean \($0)? " } ?? ""
        return FederationError(
            code, "unknown \(kind)\(quotedName(text))", hint: "\(nearest)known: \(known.joined(separator: ", "))")
    }

    /// The name, if it looks like one. What was typed may be a value that slipped into the wrong place, and values do
    /// not belong in errors.
    private static func quotedName(_ text: String) -> String {
        let isName =
            text.utf8.count <= 40 && text.first?.isLetter == true
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_:-".unicodeScalars.contains($0))
            }
        return isName ? " \(text)" : ""
    }
}

/// The word that `text` is most likely a slip of: at most a third of its letters apart; nil when none is that near.
private func nearestWord(to text: String, in words: [String]) -> String? {
    guard text.utf8.count <= 40 else { return nil }
    let ranked = words.map { (word: $0, distance: editDistance(text, $0)) }.min { $0.distance < $1.distance }
    return ranked.flatMap { $0.distance * 3 <= max(text.count, 3) ? $0.word : nil }
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
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
