import FederationModel

/// Why a row was not taken. It names the column or field and the rule, never the value.
package struct RowRejection: Error, Hashable, Sendable {
    /// The catalog's field, or the file's column when the row has no key; empty when the row itself is malformed.
    package let field: String
    /// Stable: `E_CSV_…`, `E_FIELD_…` or `E_TIME_ORDER`.
    package let code: String
    package let reason: String

    package init(field: String, code: String, reason: String) {
        self.field = field
        self.code = code
        self.reason = reason
    }

    /// What the store refused.
    package init(_ refusal: IntakeRefusal) {
        self.init(field: refusal.field ?? "", code: refusal.code, reason: refusal.reason)
    }

    init(_ violation: FieldViolation) {
        self.init(field: violation.field, code: violation.rule.rawValue, reason: violation.detail)
    }
}

/// One row of a source: all the records that it became, or why it became none. A row is taken or refused as a whole.
package struct IntakeRow: Hashable, Sendable {
    /// 1 for the first row after the header.
    package let number: Int
    /// The physical line of the file on which the row begins.
    package let line: Int
    package let result: Result<[IntakeRecord], RowRejection>

    /// The same row, refused after all.
    package func refused(_ refusal: IntakeRefusal) -> IntakeRow {
        IntakeRow(number: number, line: line, result: .failure(RowRejection(refusal)))
    }
}
