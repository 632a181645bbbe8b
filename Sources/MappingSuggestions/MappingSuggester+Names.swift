import ConfigurationFiles
import FederationModel

/// Fields whose words become codes: of the catalog's lists, or of the reference data, where regions and categories have their names.
extension MappingSuggester {
    /// What the lists of the reference data call their codes, by list.
    static func names(in lists: CodeLists, region: String?) -> [String: [ExactText: String]] {
        let known = [ReferenceData.regionList, ReferenceData.serviceList].compactMap { name in
            lists.named(name).map { (name, $0.codesByName(within: region.map { RegionRange($0).prefix })) }
        }
        return Dictionary(uniqueKeysWithValues: known)
    }

    /// The list of a field whose words are held against reference data; nil for all others.
    static func openList(of field: ColumnDefinition) -> String? { field.codeList == nil ? field.titleList : nil }

    /// Whether most rows of a column have a name or a code of the list.
    func holdsNames(of list: String, _ column: ColumnProfile) -> Bool {
        guard let words = column.words, let names = namesByList[list] else { return false }
        let known = words.filter { isName($0.key, in: names) }.values.reduce(0, +)
        return known > 0 && known * 2 >= column.filled
    }

    /// A region or a category by its name. Import refuses what is in no list, so a word without a code leaves the field empty.
    func named(_ field: ColumnDefinition, _ column: ColumnProfile, list: String) -> SuggestedMapping.Field {
        let names = namesByList[list] ?? [:]
        let words = (column.words ?? [:]).keys.sorted()
        let unknown = words.filter { !isName($0, in: names) }
        var made = SuggestedMapping.Field(name: field.name, source: .column(column.name))
        made.extras = [("titles_of", list), ("otherwise", yamlScalar(""))]
        if !unknown.isEmpty {
            let told = unknown.filter(Self.isLikeName).prefix(Self.wordsTold).joined(separator: ", ")
            made.decide =
                "\(unknown.count) of \(words.count) words are not in the reference data, and the field stays empty for them; "
                + "give them codes" + (told.isEmpty ? "" : ": \(told)")
        }
        return made
    }

    private static let wordsTold = 20

    /// Whether a word is so short, and so free of digits, that it is a name of a place or a category and no person's data.
    private static func isLikeName(_ word: String) -> Bool {
        word.utf8.count <= 30 && !word.unicodeScalars.contains { $0.properties.numericType != nil && $0.isASCII }
    }

    private func isName(_ word: String, in names: [ExactText: String]) -> Bool {
        names[ExactText(word)] != nil || names[ExactText(CodeList.joinedLevels(word))] != nil
    }

    /// A field whose column holds words of a code list.
    func coded(
        _ field: ColumnDefinition, _ column: ColumnProfile, list listName: String, id: String
    ) -> SuggestedMapping.Field {
        let entries = CodeList.named(listName)?.entries ?? []
        let words = (column.words ?? [:]).keys.sorted()
        let unknown = words.count { code(for: $0, in: listName) == nil }
        // Yes and no go together, whichever of them the sample has.
        let likely =
            words + (words.contains { $0 == "是" || $0 == "否" } ? ["是", "否"].filter { !words.contains($0) } : [])
        let translated = likely.compactMap { word in code(for: word, in: listName).map { (word: word, code: $0) } }
        let titles = Set(entries.flatMap { [$0.code, $0.title, $0.english] })
        var made = SuggestedMapping.Field(name: field.name, source: .column(column.name))
        made.codes = translated.filter { !titles.contains($0.word) }
        if made.codes.count < translated.count || translated.isEmpty { made.extras = [("titles_of", listName)] }
        if let constant = SuggestWords.constants[id] {
            made.extras += [("otherwise", yamlScalar(constant)), ("default", yamlScalar(constant))]
            if unknown > 0 {
                made.decide = "\(unknown) of \(words.count) words have no code yet and become \(constant)"
            }
        } else if !field.isRequired {
            // A word without a code leaves the field empty instead of refusing the row.
            let known = translated.map(\.word) + entries.map(\.title).filter { !words.contains($0) }
            made.extras.append(("when", "{column: \(yamlScalar(column.name)), in: \(yamlList(known))}"))
            if unknown > 0 {
                made.decide = "\(unknown) of \(words.count) words have no code; the field stays empty for them"
            }
        }
        return made
    }
}
