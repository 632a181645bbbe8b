/// A mapping that is being proposed, and its YAML.
struct SuggestedMapping {
    enum Source {
        case column(String)
        case firstOf([String])
        case joined([String], separator: String)
        case constant(String)
    }

    struct Field {
        let name: String
        let source: Source
        /// What stands beside the source: key and YAML.
        var extras: [(key: String, yaml: String)] = []
        /// From the source's words to codes.
        var codes: [(word: String, code: String)] = []
        var decide: String?
    }

    struct Record {
        let resource: String
        /// As YAML.
        var when: String?
        var fields: [Field] = []
        var ext: [String] = []
        var decide: String?
    }

    var comments: [String] = []
    /// How the file is written, where it must be said.
    var headerRow: Int?
    var sheet: String?
    var fillsShortRows = false
    var emptyWords: [String] = []
    var fileDecide: String?
    var key: [String] = []
    var keyDecide: String?
    var zone = "Asia/Shanghai"
    var zoneDecide: String?
    var timeFormats: [String] = []
    var timeDecide: String?
    var records: [Record] = []

    /// What a person must decide, in the order of the file.
    var decisions: [String] {
        [fileDecide, keyDecide, zoneDecide, timeDecide].compactMap { $0 }
            + records.flatMap { record in [record.decide].compactMap { $0 } + record.fields.compactMap(\.decide) }
    }

    var yaml: String {
        var lines = comments.map { "# " + oneLine($0) }
        func decide(_ text: String?, indent: String = "") {
            if let text { lines.append("\(indent)# DECIDE: \(oneLine(text))") }
        }
        decide(fileDecide)
        if let headerRow { lines.append("header_row: \(headerRow)") }
        if let sheet { lines.append("sheet: \(yamlScalar(sheet))") }
        if fillsShortRows { lines.append("short_rows: fill") }
        if !emptyWords.isEmpty { lines.append("empty_words: \(yamlList(emptyWords))") }
        decide(keyDecide)
        lines.append("key: " + (key.count == 1 ? yamlScalar(key[0]) : yamlList(key)))
        decide(zoneDecide)
        lines.append("zone: \(zone)")
        decide(timeDecide)
        lines += ["time_formats: " + yamlList(timeFormats), "", "records:"]
        for record in records {
            decide(record.decide, indent: "  ")
            lines.append("  - resource: \(record.resource)")
            if let when = record.when { lines.append("    when: \(when)") }
            lines.append("    fields:")
            for field in record.fields {
                decide(field.decide, indent: "      ")
                lines += fieldLines(field)
            }
            if !record.ext.isEmpty { lines += ["    ext:"] + record.ext.map { "      - \(yamlScalar($0))" } }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }

    private func fieldLines(_ field: Field) -> [String] {
        let name = "      \(field.name):"
        if case .column(let column) = field.source, field.extras.isEmpty, field.codes.isEmpty {
            return ["\(name) \(yamlScalar(column))"]
        }
        var parts: [String] =
            switch field.source {
            case .column(let column): ["column: \(yamlScalar(column))"]
            case .firstOf(let columns): ["first_of: \(yamlList(columns))"]
            case .joined(let columns, let separator):
                ["join: \(yamlList(columns))"] + (separator == " " ? [] : ["separator: \(yamlScalar(separator))"])
            case .constant(let value): ["value: \(yamlScalar(value))"]
            }
        guard !field.codes.isEmpty else {
            parts += field.extras.map { "\($0.key): \($0.yaml)" }
            return ["\(name) {\(parts.joined(separator: ", "))}"]
        }
        return [name] + parts.map { "        \($0)" } + ["        codes:"]
            + field.codes.map { "          \(yamlScalar($0.word)): \(yamlScalar($0.code))" }
            + field.extras.map { "        \($0.key): \($0.yaml)" }
    }
}

/// A YAML scalar that reads back as exactly this text.
func yamlScalar(_ text: String) -> String {
    let plain = /[\p{L}_][\p{L}\p{N}_.\/ -]*/
    let reserved: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
    if text.wholeMatch(of: plain) != nil, !text.hasSuffix(" "), !reserved.contains(text.lowercased()) { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        case _
        where scalar.value < 0x20 || scalar.value == 0x7F || (0x80...0x9F).contains(scalar.value)
            || [0x85, 0x2028, 0x2029, 0xFEFF].contains(scalar.value):
            let hex = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

func yamlList(_ texts: [String]) -> String { "[" + texts.map(yamlScalar).joined(separator: ", ") + "]" }

/// A comment must not end early: whatever breaks a line becomes a blank.
private func oneLine(_ text: String) -> String {
    String(
        text.unicodeScalars.map { scalar -> Character in
            scalar.properties.generalCategory == .control || [0x2028, 0x2029, 0xFEFF].contains(scalar.value)
                ? " " : Character(scalar)
        })
}
