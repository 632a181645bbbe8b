import FederationModel

/// What looks like a value and stands for none.
extension MappingSuggester {
    /// A coordinate, without zero and without places that many rows have: they are the middle of a town, or an office.
    func coordinate(_ field: ColumnDefinition, _ column: ColumnProfile) -> SuggestedMapping.Field {
        let repeated = column.repeated.filter { !column.zeros.contains($0.value) }
        var made = SuggestedMapping.Field(name: field.name, source: .column(column.name))
        let none = column.zeros.sorted() + repeated.map(\.value)
        if !none.isEmpty { made.extras = [("when", "{column: \(yamlScalar(column.name)), not_in: \(yamlList(none))}")] }
        if !repeated.isEmpty {
            made.decide =
                "\(repeated.reduce(0) { $0 + $1.count }) rows have a place that many others have too; they count as having none"
        }
        return made
    }

    /// Asks about a text that many rows have.
    func repetition(in column: ColumnProfile, of field: ColumnDefinition) -> String? {
        guard field.level >= .personal, field.type == .text, field.bytesMax >= 2_000, column.filled >= 20,
            let most = column.repeated.first, most.count * 5 >= column.filled
        else { return nil }
        return
            "\(most.count) rows have the same text in \(column.name); if it stands for nothing, add it to empty_words"
    }

    /// Words that stand where a time should and are none, such as 未办结 or 9999-12-31.
    func wordsInPlaceOfTimes(_ column: ColumnProfile) -> [String] {
        let formats = (times[column.position]?.formats ?? []).compactMap { TimePattern($0) }
        return column.frequentWords.filter { word in !formats.contains { $0.readsEvent(word) } }.sorted()
    }

    func code(for word: String, in listName: String) -> String? {
        guard let entries = CodeList.named(listName)?.entries, !word.hasSuffix("*") else { return nil }
        let small = word.lowercased()
        if let entry = entries.first(where: { [$0.code, $0.title, $0.english.lowercased()].contains(small) }) {
            return entry.code
        }
        let known = SuggestWords.codes[listName] ?? []
        guard SuggestWords.verdicts.contains(listName) else { return known.first { small.contains($0.word) }?.code }
        // 是 and 否 are parts of many words that mean neither.
        if let exact = known.first(where: { $0.word == small }) { return exact.code }
        // Of words that lie in each other the longest counts; two verdicts in one value are none.
        var rest = small
        var codes: Set<String> = []
        for (word, code) in known.sorted(by: { $0.word.count > $1.word.count }) where !["是", "否"].contains(word) {
            while let place = rest.firstRange(of: word) {
                if SuggestWords.isAffirmed(place.lowerBound, in: rest) { codes.insert(code) }
                rest.replaceSubrange(place, with: "|")
            }
        }
        return codes.count == 1 ? codes.first : nil
    }
}
