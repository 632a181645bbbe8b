/// Why a row or a record is not taken, from the reader of a file to the report about it. It names the field and the rule, never a
/// value.
package struct RowRejection: Error, Hashable, Sendable {
    /// Stable: `E_CSV_…`, `E_FIELD_…`, `E_STATE_…`, `E_TIME_ORDER`, `E_CONF_DOWNGRADE`, `E_REPORT_TO_ACCUSED`.
    package let code: String
    /// The catalog's field, or the file's column when the row has no key; nil when it is the row or record as a whole.
    package let field: String?
    package let reason: String
    package let hint: String

    package init(code: String, field: String? = nil, reason: String, hint: String = "") {
        self.code = code
        self.field = field
        self.reason = reason
        self.hint = hint
    }

    package init(_ violation: FieldViolation) {
        self.init(code: violation.rule.rawValue, field: violation.field, reason: violation.detail)
    }
}
