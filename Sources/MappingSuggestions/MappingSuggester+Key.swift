import FederationModel

extension MappingSuggester {
    /// Bytes that a key may have: those of a ticket's number, which it becomes.
    private static let keyBytesMax = BuiltInResources.serviceRequest.column(named: "service_request_id")?.bytesMax ?? 64

    /// Chooses what tells the rows apart. A key stands in every record's global id, which every node sees: nothing about a
    /// person may be in it, and no number that only counts the rows of this file.
    func addKey(to mapping: inout SuggestedMapping) throws {
        if let column = chosen[keyField] {
            mapping.key = [column.name]
            if column.filled < rows {
                mapping.keyDecide = "\(rows - column.filled) rows have no \(column.name) and will be refused"
            } else if !column.isUnique {
                mapping.keyDecide =
                    "\(column.filled - column.distinct) rows share their \(column.name) with another; rows that differ must not"
            } else if column.countsRows {
                mapping.keyDecide =
                    "it counts 1, 2, 3; is it the ticket's number, and not that of the row in this file, which another file has too?"
            }
            return
        }
        let usable = columns.filter { $0.filled == rows && rows > 0 && isCode($0) && !$0.countsRows }
        if let unique = usable.first(where: { $0.isUnique && times[$0.position] == nil }) {
            mapping.key = [unique.name]
            mapping.keyDecide = "no column is named as a number; this one is different in each row of the sample"
            return
        }
        guard let parts = composedKey(of: usable) else {
            let counter = columns.first { $0.isUnique && $0.filled == rows && (namesRow($0) || $0.countsRows) }
            throw FederationError(
                "E_MAPPING_SUGGEST",
                "no columns of \(file) that say nothing about a person tell its rows apart"
                    + (counter.map { "; '\($0.name)' counts its rows, and other files have the same numbers" } ?? ""),
                hint: "a mapping needs a key: have the system export the number of the ticket; see docs/importing.md")
        }
        mapping.key = parts.map(\.name)
        mapping.keyDecide = "no column is different in each row; rows that agree in all of these count as one"
    }

    /// Whether a column's values can stand in a key: short codes, or words of a small list, about no person.
    func isCode(_ column: ColumnProfile) -> Bool {
        guard !column.isEmpty, column.bytesMax <= Self.keyBytesMax, !isPersonal(column), !namesRow(column) else {
            return false
        }
        if column.looks(.phone) || column.looks(.identityNumber) || column.looks(.coordinatePair) || column.hasFractions
        {
            return false
        }
        return column.hasDigits || column.words != nil && column.distinct * 3 <= column.filled
    }

    /// Whether a column holds, by its name or by what it was chosen for, what a field about a person holds.
    private func isPersonal(_ column: ColumnProfile) -> Bool {
        guard let name = names[column.position] else { return true }
        if SuggestWords.namesPerson(name) { return true }
        return BuiltInResources.all.contains { resource in
            resource.isTicketRecord
                && resource.columns.contains { field in
                    guard field.level >= .personal, field.type != .json else { return false }
                    let id = "\(resource.name).\(field.name)"
                    return chosen[id]?.position == column.position || score(name, of: field, in: resource) != nil
                }
        }
    }

    /// Whether a name is that of a row's number: 序号, row no.
    private func namesRow(_ column: ColumnProfile) -> Bool {
        guard let name = names[column.position] else { return true }
        return SuggestWords.rowNumbers.contains(name.text)
    }

    /// The time and as few others as tell all rows of the sample apart; nil when none do.
    private func composedKey(of usable: [ColumnProfile]) -> [ColumnProfile]? {
        var parts = chosen[requested].map { $0.filled == rows ? [$0] : [] } ?? []
        var candidates = usable.filter { column in !parts.contains { $0.position == column.position } }
        var combined = parts.first?.rowHashes ?? usable.first?.rowHashes.map { _ in 0 } ?? []
        while Set(combined).count < combined.count, parts.count < 4 {
            let grown = candidates.map { column in
                (column: column, hashes: zip(combined, column.rowHashes).map { pair($0, $1) })
            }
            guard let best = grown.max(by: { Set($0.hashes).count < Set($1.hashes).count }),
                Set(best.hashes).count > Set(combined).count
            else { return nil }
            parts.append(best.column)
            combined = best.hashes
            candidates.removeAll { $0.position == best.column.position }
        }
        let bytes = parts.reduce(0) { $0 + $1.bytesMax + 1 } - 1
        guard !parts.isEmpty, Set(combined).count == combined.count, bytes <= Self.keyBytesMax else { return nil }
        return parts
    }

    private func pair(_ left: Int, _ right: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(left)
        hasher.combine(right)
        return hasher.finalize()
    }
}
