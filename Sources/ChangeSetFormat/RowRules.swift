import FederationModel

/// A row that is put aside (隔离) because one of its values breaks a rule. It never blocks the link.
package struct RowFault: Hashable, Sendable {
    package let row: Int
    package let violation: RowRejection

    package init(row: Int, violation: RowRejection) {
        self.row = row
        self.violation = violation
    }
}

extension DecodedBlock {
    /// The rows that break a rule of the catalog: a required field of a live row is missing, a text is too long, a code
    /// does not have the shape of a code, a boolean is neither 0 nor 1, a time lies outside `ColumnRule.timestamps`, a text is
    /// not UTF-8 or has a NUL, a real is not finite. At
    /// most one fault a row, in the order of the rows. Of columns that the catalog does not know only number and size are
    /// limited; a value whose type is not that of the catalog is a fault of its row, because the sender may have carried it.
    ///
    /// Whether a code is in the receiver's version of the list does not matter here: the list may be newer at the origin,
    /// so the original code is kept (domain model 6.4).
    package func faults(payload: UnsafeRawBufferPointer) -> [RowFault] {
        guard rowCount > 0, let state = column(EnvelopeColumn.deleted) else { return [] }
        var faults: [Int: RowRejection] = [:]
        func note(_ row: Int, _ violation: RowRejection) {
            if faults[row] == nil { faults[row] = violation }
        }
        for row in 0..<rowCount {
            if let violation = envelopeViolation(row) { note(row, violation) }
        }
        for column in columns + foreign where !column.badValues.isEmpty {
            for row in 0..<rowCount {
                guard let reason = column.badValue(row) else { continue }
                note(row, .init(field: column.name, rule: column.storage == .text ? .badText : .type, reason: reason))
            }
        }
        for definition in resource.columns {
            guard let column = column(definition.name) else {
                if definition.isRequired {
                    for row in 0..<rowCount where state.integer(row) == RowState.live.rawValue {
                        note(row, .init(field: definition.name, rule: .missing, reason: "is required"))
                    }
                }
                continue
            }
            for row in 0..<rowCount {
                // A tombstone needs no field, but one that it brings along is stored, so it must keep the limits.
                if column.isNull(row) && state.integer(row) != RowState.live.rawValue { continue }
                if let violation = column.violation(row, of: definition, payload: payload) { note(row, violation) }
            }
        }
        for column in foreign where resource.column(named: column.name) != nil {
            for row in 0..<rowCount where !column.isNull(row) {
                note(row, .init(field: column.name, rule: .type, reason: "is \(column.storage)"))
            }
        }
        let carried = carried
        for row in 0..<(carried.isEmpty ? 0 : rowCount) {
            if let violation = carriedViolation(row, carried) { note(row, violation) }
        }
        return faults.map { RowFault(row: $0.key, violation: $0.value) }.sorted { $0.row < $1.row }
    }

    private func carriedViolation(_ row: Int, _ carried: [DecodedColumn]) -> RowRejection? {
        let values = carried.filter { !$0.isNull(row) }
        let bytes = values.reduce(0) { $0 + ($1.textRange(row)?.count ?? 0) }
        guard values.count > SyncLimits.carriedValuesMax || bytes > SyncLimits.carriedBytesMax else { return nil }
        return .init(
            field: values.first?.name ?? "", rule: .tooLong,
            reason: "\(values.count) values with \(bytes) bytes in columns that this node does not know")
    }

    private func envelopeViolation(_ row: Int) -> RowRejection? {
        guard let key = column(EnvelopeColumn.key)?.textRange(row), !key.isEmpty else {
            return .init(field: EnvelopeColumn.key, rule: .missing, reason: "is required")
        }
        if key.count > RowKey.bytesMax {
            return .init(field: EnvelopeColumn.key, rule: .tooLong, reason: "\(key.count) bytes")
        }
        guard let version = column(EnvelopeColumn.version)?.integer(row), version >= 0 else {
            return .init(field: EnvelopeColumn.version, rule: .missing, reason: "is required")
        }
        guard let state = column(EnvelopeColumn.deleted)?.integer(row), RowState(rawValue: state) != nil else {
            return .init(field: EnvelopeColumn.deleted, rule: .type, reason: "is not a row state")
        }
        return nil
    }
}

extension DecodedColumn {
    fileprivate func violation(
        _ row: Int, of definition: ColumnDefinition, payload: UnsafeRawBufferPointer
    ) -> RowRejection? {
        if isNull(row) { return definition.violationOfNull }
        if let range = textRange(row) {
            return definition.violation(ofText: UnsafeRawBufferPointer(rebasing: payload[range]))
        }
        if let integer = integer(row) { return definition.violation(of: integer) }
        // Reals that are none are bad values.
        return nil
    }
}
