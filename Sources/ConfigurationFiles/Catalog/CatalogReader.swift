import FederationModel
import Yams

/// What this kind of file adds to reading YAML key by key.
typealias CatalogReader = YAMLReader

extension CatalogReader {
    private static let entryKeys = [
        "resource", "catalogued", "external", "code", "title", "summary", "provider", "provider_code", "steward",
        "format", "sharing", "condition", "way", "openness", "cycle", "published", "related", "purpose", "retention",
        "quality_target", "items", "approvals",
    ]

    /// - Returns: nil when the file is not even a mapping; what else is wrong is noted.
    mutating func catalog(from root: Node, base: Catalog) -> Catalog? {
        guard
            let keys = entries(
                of: root, in: "the file", keys: ["provider", "provider_code", "steward", "entries"],
                required: ["entries"])
        else { return nil }
        let defaults = base.entries.map { entry in
            var entry = entry
            entry.provider = keys["provider"].flatMap { name($0) } ?? entry.provider
            entry.providerCode = keys["provider_code"].flatMap { name($0) } ?? entry.providerCode
            entry.steward = keys["steward"].flatMap { name($0) } ?? entry.steward
            return entry
        }
        var result: [Located<CatalogEntry>] = defaults.map { Located(value: $0, line: 0) }
        var lines: [ResourceName: Int] = [:]
        for node in keys["entries"].flatMap({ list($0) }) ?? [] {
            let line = node.mark?.line ?? 1
            guard let entries = entries(of: node, in: "an entry", keys: Self.entryKeys, required: ["resource"]),
                let nameEntry = entries["resource"], let text = text(nameEntry)
            else { continue }
            let resource = ResourceName(text)
            if let first = lines[resource] {
                note(
                    "DUPLICATE_ENTRY", line: nameEntry.line, "\(quoted(text)) has an entry in line \(first) already",
                    "keep one of the two")
                continue
            }
            lines[resource] = line
            let isExternal = entries["external"].flatMap { flag($0) } ?? false
            let known = result.firstIndex { $0.value.resource == resource }
            if entries["catalogued"].flatMap({ flag($0) }) == false {
                if let known {
                    result.remove(at: known)
                } else {
                    noteUnknown(text, line: nameEntry.line, base)
                }
                continue
            }
            if let known {
                result[known] = Located(value: changed(result[known].value, by: entries), line: line)
            } else if isExternal, isDeclarable(text), let first = defaults.first {
                result.append(Located(value: external(resource, by: entries, like: first, line: line), line: line))
            } else {
                noteUnknown(text, line: nameEntry.line, base)
            }
        }
        check(result)
        return Catalog(result.map(\.value))
    }

    private mutating func noteUnknown(_ text: String, line: Int, _ base: Catalog) {
        note(
            "UNKNOWN_RESOURCE", line: line, "there is no resource \(quoted(text))",
            suggestion(for: text, among: base.entries.map(\.resource.text))
                + "; data from outside the hotline say `external: true` and have a name of a-z, 0-9 and _")
    }

    // MARK: - Entries

    private mutating func external(
        _ resource: ResourceName, by keys: [String: Entry], like first: CatalogEntry, line: Int
    ) -> CatalogEntry {
        for key in ["code", "title"] where keys[key] == nil {
            note("MISSING_KEY", line: line, "an external entry lacks the key `\(key)`", "add `\(key): …`")
        }
        var entry = CatalogEntry(
            resource: resource, code: "", title: "", summary: "", provider: first.provider,
            providerCode: first.providerCode, items: [], steward: first.steward, schemaVersion: first.schemaVersion)
        entry.isExternal = true
        entry.cycle = .irregular
        return changed(entry, by: keys)
    }

    private mutating func changed(_ old: CatalogEntry, by keys: [String: Entry]) -> CatalogEntry {
        var entry = old
        entry.code = keys["code"].flatMap { code($0) } ?? entry.code
        entry.title = keys["title"].flatMap { name($0) } ?? entry.title
        entry.summary = keys["summary"].flatMap { name($0, bytesMax: 2_000) } ?? entry.summary
        entry.provider = keys["provider"].flatMap { name($0) } ?? entry.provider
        entry.providerCode = keys["provider_code"].flatMap { name($0, bytesMax: 40) } ?? entry.providerCode
        entry.steward = keys["steward"].flatMap { name($0) } ?? entry.steward
        entry.format = keys["format"].flatMap { word($0) } ?? entry.format
        entry.sharing = keys["sharing"].flatMap { word($0) } ?? entry.sharing
        entry.condition = keys["condition"].flatMap { name($0, bytesMax: 2_000) } ?? entry.condition
        entry.way = keys["way"].flatMap { word($0) } ?? entry.way
        entry.openness = keys["openness"].flatMap { word($0) } ?? entry.openness
        entry.cycle = keys["cycle"].flatMap { word($0) } ?? entry.cycle
        entry.published = keys["published"].flatMap { day($0) } ?? entry.published
        if let related = keys["related"] {
            entry.related = (list(related) ?? []).compactMap { code(Entry(key: "related", value: $0)) }
        }
        entry.purpose = keys["purpose"].flatMap { name($0, bytesMax: 2_000) } ?? entry.purpose
        entry.retention = keys["retention"].flatMap { name($0) } ?? entry.retention
        entry.qualityTarget = keys["quality_target"].flatMap { name($0) } ?? entry.qualityTarget
        if let items = keys["items"] { entry.items += self.items(items, of: entry) }
        entry.approvals = keys["approvals"].map { approvals($0) } ?? []
        checkTerms(entry, keys)
        return entry
    }

    /// What one entry says must agree with itself.
    private mutating func checkTerms(_ entry: CatalogEntry, _ keys: [String: Entry]) {
        let line = (keys["way"] ?? keys["format"] ?? keys["resource"])?.line ?? 1
        if !entry.format.ways.contains(entry.way) {
            note(
                "FORMAT_AND_WAY", line: line,
                "what is \(entry.format.rawValue) can't be shared by \(entry.way.rawValue)",
                "write `way: \(entry.format.ways.map(\.rawValue).joined(separator: "` or `way: "))`")
        }
        let sharingLine = (keys["sharing"] ?? keys["resource"])?.line ?? 1
        if entry.sharing != .unconditional, entry.condition == nil {
            note(
                "MISSING_CONDITION", line: sharingLine, "\(entry.sharing.rawValue) needs a `condition`",
                "name the condition, or the law that forbids it")
        }
        if entry.sharing != .conditional, let approvals = keys["approvals"], !entry.approvals.isEmpty {
            note(
                "NEEDLESS_APPROVAL", line: approvals.line,
                "an approval has no effect on what is \(entry.sharing.rawValue)",
                "write `sharing: 有条件共享`, or take the approvals out")
        }
        if entry.sharing == .none, entry.openness != .none {
            note(
                "OPEN_BUT_NOT_SHARED", line: sharingLine, "what is 不予共享 can't be open to society",
                "write `openness: 不予开放`")
        }
    }

    /// No name and no code twice in the whole catalog.
    private mutating func check(_ found: [Located<CatalogEntry>]) {
        for (index, entry) in found.enumerated() {
            for (what, code, path) in [
                ("name", "DUPLICATE_NAME", \CatalogEntry.title), ("code", "DUPLICATE_CODE", \CatalogEntry.code),
            ] {
                let value = entry.value[keyPath: path]
                guard !value.isEmpty,
                    let other = found[..<index].first(where: { $0.value[keyPath: path] == value }),
                    entry.line > 0 || other.line > 0
                else { continue }
                note(
                    code, line: max(entry.line, other.line),
                    "\(entry.value.resource) and \(other.value.resource) have the same \(what)",
                    "give each entry a \(what) of its own")
            }
        }
    }

    // MARK: - Items and approvals

    private mutating func items(_ entry: Entry, of old: CatalogEntry) -> [CatalogItem] {
        var items: [CatalogItem] = []
        for node in list(entry) ?? [] {
            guard
                let keys = entries(
                    of: node, in: "an item", keys: ["name", "title", "type", "level", "code_list"],
                    required: ["name", "title", "type"]),
                let nameEntry = keys["name"], let text = text(nameEntry)
            else { continue }
            let isOwn = text.hasPrefix(CatalogItem.extensionPrefix)
            let field = text.dropFirst(isOwn ? CatalogItem.extensionPrefix.count : 0)
            guard isOwn || old.isExternal, isDeclarable(String(field)) else {
                note(
                    "BAD_ITEM", line: nameEntry.line, "\(quoted(text)) can't be declared here",
                    "fields of this node's own are `ext.` and a name of a-z, 0-9 and _; the others are the program's")
                continue
            }
            if (old.items + items).contains(where: { $0.name == text }) {
                note(
                    "DUPLICATE_ITEM", line: nameEntry.line, "the item \(quoted(text)) stands here already",
                    "keep one of the two")
                continue
            }
            items.append(
                CatalogItem(
                    name: text, title: keys["title"].flatMap { name($0) } ?? "",
                    type: keys["type"].flatMap { type($0) } ?? .text,
                    level: keys["level"].flatMap { level($0) } ?? .sensitive,
                    codeList: keys["code_list"].flatMap { name($0, bytesMax: 64) }))
        }
        return items
    }

    private mutating func approvals(_ entry: Entry) -> [CatalogApproval] {
        var approvals: [CatalogApproval] = []
        let names = ["consumer", "purpose", "approved_by", "until"]
        for node in list(entry) ?? [] {
            guard let keys = entries(of: node, in: "an approval", keys: names, required: names),
                let consumerEntry = keys["consumer"], let text = text(consumerEntry),
                let purpose = keys["purpose"].flatMap({ name($0, bytesMax: 2_000) }),
                let approvedBy = keys["approved_by"].flatMap({ name($0) }),
                let until = keys["until"].flatMap({ day($0) })
            else { continue }
            guard let consumer = NodeID(text) else {
                note(
                    "BAD_CONSUMER", line: consumerEntry.line, "\(quoted(text)) is not the code of a node",
                    "write 6 to 12 digits in quotes, such as \"370000\"")
                continue
            }
            if approvals.contains(where: { $0.consumer == consumer }) {
                note(
                    "DUPLICATE_CONSUMER", line: consumerEntry.line, "\(consumer) has an approval here already",
                    "keep one of the two")
                continue
            }
            approvals.append(
                CatalogApproval(consumer: consumer, purpose: purpose, approvedBy: approvedBy, until: until))
        }
        return approvals.sorted { $0.consumer < $1.consumer }
    }

    // MARK: - Values

    /// One of the words that the 指南 knows.
    private mutating func word<Word: CaseIterable & RawRepresentable>(_ entry: Entry) -> Word?
    where Word.RawValue == String {
        guard let text = text(entry) else { return nil }
        if let word = Word(rawValue: text) { return word }
        note(
            "UNKNOWN_WORD", line: entry.line, "\(quoted(text)) is no word for `\(entry.key)`",
            suggestion(for: text, among: Word.allCases.map(\.rawValue)))
        return nil
    }

    private mutating func type(_ entry: Entry) -> ColumnType? {
        guard let text = text(entry) else { return nil }
        if let type = ColumnType(rawValue: text.lowercased()) { return type }
        note(
            "UNKNOWN_WORD", line: entry.line, "\(quoted(text)) is no type",
            suggestion(for: text, among: ["text", "integer", "real", "boolean", "timestamp", "json"]))
        return nil
    }

    private mutating func level(_ entry: Entry) -> ClassificationLevel? {
        guard let text = text(entry) else { return nil }
        if let level = Int(text).flatMap({ ClassificationLevel(rawValue: $0) }) { return level }
        note("BAD_LEVEL", line: entry.line, "`level` is not 1 to 4", "1 is open, 4 is sensitive personal information")
        return nil
    }

    private mutating func code(_ entry: Entry) -> String? {
        guard let text = text(entry) else { return nil }
        if CatalogEntry.isCode(text) { return text }
        note(
            "BAD_CODE", line: entry.line, "\(quoted(text)) is no code of a resource, or too short",
            "类 (1, 2 or 3), 项 (2 digits), 目 (3), 细目, a slash, 6 digits or more: 307001/000001")
        return nil
    }

    private mutating func flag(_ entry: Entry) -> Bool? {
        guard let text = text(entry) else { return nil }
        guard ["true", "false"].contains(text) else {
            note("UNKNOWN_WORD", line: entry.line, "`\(entry.key)` is neither true nor false", "write true or false")
            return nil
        }
        return text == "true"
    }
}

/// A name of a resource or a field that is declared here: it is said in commands and SQL, and begins with a letter.
private func isDeclarable(_ text: String) -> Bool {
    isName(text) && text.utf8.count <= 60 && text.utf8.first.map { (0x61...0x7a).contains($0) } == true
}
