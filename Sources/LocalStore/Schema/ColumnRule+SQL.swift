import FederationModel

extension ColumnRule {
    /// An SQL condition that is true for values that are not null and keep the rule.
    ///
    /// - Parameters:
    ///   - value: an SQL expression.
    ///   - type: one that says how it is stored: what `typeof` and `json_type` say.
    package func condition(value: String, type: String) -> String {
        var conditions = ["\(type) = '\(storage)'"]
        switch storage {
        case .text:
            // A NUL ends a text for most functions, not for its bytes.
            conditions.append("length(CAST(\(value) AS BLOB)) <= \(bytesMax)")
            conditions.append("instr(CAST(\(value) AS BLOB), x'00') = 0")
            if isCode { conditions.append("\(value) NOT GLOB '*[^0-9A-Za-z._-]*'") }
            if isRequired { conditions.append("\(value) <> ''") }
        case .integer:
            if let range { conditions.append("\(value) BETWEEN \(range.lowerBound) AND \(range.upperBound)") }
        case .real:
            // Not abs(), which overflows for the least integer, whatever the conditions before it say.
            let greatest = Double.greatestFiniteMagnitude
            conditions.append("\(value) BETWEEN \(-greatest) AND \(greatest)")
        }
        return conditions.joined(separator: " AND ")
    }
}
