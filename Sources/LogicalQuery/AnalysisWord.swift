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
        let nearest = nearestName(to: text, among: known).map { "did you mean \($0)? " } ?? ""
        return FederationError(
            code, "unknown \(kind)\(quotedName(text))", hint: "\(nearest)known: \(known.joined(separator: ", "))")
    }

    /// The name, if it looks like one. What was typed may be a value that slipped into the wrong place, and values do
    /// not belong in errors.
    private static func quotedName(_ text: String) -> String { isName(text) ? " \(text)" : "" }

    static func isName(_ text: String) -> Bool {
        text.utf8.count <= 40 && text.first?.isLetter == true
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_:-".unicodeScalars.contains($0))
            }
    }
}
