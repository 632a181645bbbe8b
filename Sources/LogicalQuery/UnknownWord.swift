import FederationModel

extension String {
    /// A word as people type it; dashes stand for underscores (`on-time-rate`).
    var withUnderscores: String { String(map { $0 == "-" ? "_" : $0 }) }
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
