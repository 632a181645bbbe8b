import FederationModel

/// The name of a column as words, and how near it is to a word of the catalog.
struct ColumnName {
    /// Lower case, one blank between words; Chinese without blanks.
    let text: String
    let isChinese: Bool

    init(_ name: String) {
        var words = ""
        var previous: Character = " "
        let letters = Array(name)
        var depth = 0
        for (index, letter) in letters.enumerated() {
            if letter == "(" || letter == "（" { depth += 1 }
            defer {
                if letter == ")" || letter == "）" { depth = max(0, depth - 1) }
                previous = letter
            }
            // What stands in parentheses explains: 诉求时间(来电时间), X Coordinate (State Plane).
            guard depth == 0, letter != ")", letter != "）" else { continue }
            guard letter.isLetter || letter.isNumber else {
                words += " "
                continue
            }
            let next = index + 1 < letters.count ? letters[index + 1] : " "
            let beginsWord =
                letter.isUppercase && (previous.isLowercase || previous.isUppercase && next.isLowercase)
            words += (beginsWord ? " " : "") + letter.lowercased()
        }
        let parts = words.split(separator: " ")
        isChinese = words.unicodeScalars.contains { $0.properties.isIdeographic }
        text = parts.joined(separator: isChinese ? "" : " ")
    }

    /// How well `word` names this column: 100 for the same, 60 to 75 for its end, nil for neither.
    func score(_ word: String) -> Double? {
        if text == word { return 100 }
        guard text.hasSuffix(word) else { return nil }
        let before = text.dropLast(word.count)
        if isChinese { return word.count > 1 ? max(60, 75 - Double(before.count)) : nil }
        // One word at the end says too little when it is as general as "id" or "no".
        guard before.hasSuffix(" "), word.count > 3 else { return nil }
        return max(60, 75 - 4 * Double(before.split(separator: " ").count))
    }

    /// The first word, or two Chinese characters: columns that belong together mostly share it.
    var stem: Substring { isChinese ? text.prefix(2) : text.prefix { $0 != " " } }
}
