extension CodeList {
    /// Codes by what people call them: the code itself, its Chinese and English title, and its title behind those of the levels above
    /// (`济南市历下区`), without what separates these (``joinedLevels(_:)``). A name that is given out goes before one of the past.
    ///
    /// - Parameter prefix: what the codes begin with among which a name is looked for first, such as those of a city's districts.
    /// - Returns: no code for a name that still stands for several: nobody can tell which is meant.
    package func codesByName(within prefix: String?) -> [ExactText: String] {
        var entriesByName: [ExactText: [Entry]] = [:]
        for entry in entries {
            var names = [entry.title, entry.english]
            var longer = ""
            for level in path(to: entry.code).dropLast().reversed() {
                longer = level.title + longer
                names.append(longer + entry.title)
            }
            for name in Set(names.map { ExactText(Self.joinedLevels($0)) }) where !name.text.isEmpty {
                entriesByName[name, default: []].append(entry)
            }
        }
        var codes = entriesByName.compactMapValues { found -> String? in
            var found = found
            for isLikelier in [{ $0.validTo == nil }, { prefix.map($0.code.hasPrefix) ?? true }] as [(Entry) -> Bool] {
                let likelier = found.filter(isLikelier)
                if !likelier.isEmpty { found = likelier }
            }
            return Set(found.map(\.code)).count == 1 ? found[0].code : nil
        }
        // What is a code is that code, whatever else has it as its name.
        for entry in entries { codes[ExactText(entry.code)] = entry.code }
        return codes
    }

    /// A name of several levels as one word: `市政/路灯`, `市政 > 路灯` and `市政-路灯` are `市政路灯`.
    package static func joinedLevels(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.filter { !separators.contains($0) }))
    }

    private static let separators = Set("/\\>|-—–·、,， \t\u{3000}".unicodeScalars)
}
