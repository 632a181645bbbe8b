/// Why a row or a record is not taken, from the reader of a file or a change-set to the report about it. It names the field and the
/// rule, never a value.
package struct RowRejection: Error, Hashable, Sendable, CustomStringConvertible {
    /// What one value can break.
    package enum Rule: String, Sendable {
        case missing = "E_FIELD_MISSING"
        case unknown = "E_FIELD_UNKNOWN"
        case type = "E_FIELD_TYPE"
        case tooLong = "E_FIELD_TOO_LONG"
        case notInCodeList = "E_FIELD_CODE"
        case badText = "E_FIELD_TEXT"
        case badTime = "E_FIELD_TIME"
        case timeOrder = "E_TIME_ORDER"
        case range = "E_FIELD_RANGE"
    }

    /// Stable: a `Rule`, `E_CSV_…`, `E_STATE_…`, `E_CONF_DOWNGRADE`, `E_REPORT_TO_ACCUSED`.
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

    package init(field: String, rule: Rule, reason: String) {
        self.init(code: rule.rawValue, field: field, reason: reason)
    }

    package var description: String { field.map { "\(code): \($0): \(reason)" } ?? "\(code): \(reason)" }
}
