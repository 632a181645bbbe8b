/// What a value of a column must be, declared once. Intake, quarantine and the columns that a later release brings along all hold
/// values against it: in Swift here, in SQL by `ColumnRule.condition` of the store. A property test holds the two equal.
///
/// Whether a code is in a list is no part of it: the list may be newer at the origin (domain model 6.4). Intake asks that as well.
package struct ColumnRule: Hashable, Sendable {
    package let storage: ColumnType.Storage
    package let isRequired: Bool
    /// Longest text in bytes of UTF-8.
    package let bytesMax: Int
    /// Whether a text must have the shape of a code: letters and digits of ASCII, `.`, `-` and `_`.
    package let isCode: Bool
    /// The integers that it may hold; nil for all.
    package let range: ClosedRange<Int64>?

    init(type: ColumnType, isRequired: Bool, bytesMax: Int, isCode: Bool) {
        storage = type.storage
        self.isRequired = isRequired
        self.bytesMax = bytesMax
        self.isCode = isCode
        range =
            switch type {
            case .boolean: 0...1
            case .timestamp: Self.timestamps
            case .text, .integer, .real, .json: nil
            }
    }

    /// The times that a row may hold: those whose year has four digits in UTC and in China, which is what RFC 3339 can
    /// write. What lies outside is a fault of the program that wrote it, and arithmetic with it may overflow.
    package static let timestamps: ClosedRange<UnixMilliseconds> =
        CivilDate.dayNumber(year: 1, month: 1, day: 1) * 86_400_000...CivilDate.dayNumber(
            year: 10_000, month: 1, day: 1) * 86_400_000 - ShanghaiTime.offset - 1

    package static func isCodeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x2d, 0x5f: true
        default: false
        }
    }
}

extension ColumnDefinition {
    /// Checks that a value is there.
    package var violationOfNull: RowRejection? {
        isRequired ? RowRejection(field: name, rule: .missing, reason: "is required") : nil
    }

    /// Checks the bytes of a text that is UTF-8 and holds no NUL.
    package func violation(ofText bytes: UnsafeRawBufferPointer) -> RowRejection? {
        guard rule.storage == .text else { return wrongType("text") }
        if bytes.count > rule.bytesMax {
            return RowRejection(
                field: name, rule: .tooLong, reason: "\(bytes.count) bytes, at most \(rule.bytesMax)")
        }
        if bytes.isEmpty { return violationOfNull }
        if rule.isCode, !bytes.allSatisfy(ColumnRule.isCodeByte) {
            return RowRejection(field: name, rule: .notInCodeList, reason: "does not have the shape of a code")
        }
        return nil
    }

    package func violation(of integer: Int64) -> RowRejection? {
        guard rule.storage == .integer else { return wrongType("an integer") }
        guard let range = rule.range, !range.contains(integer) else { return nil }
        return type == .timestamp
            ? RowRejection(field: name, rule: .badTime, reason: "is not in the years 1 to 9999")
            : wrongType("an integer other than 0 and 1")
    }

    package func violation(of real: Double) -> RowRejection? {
        guard rule.storage == .real else { return wrongType("a real number") }
        return real.isFinite ? nil : wrongType("no finite number")
    }

    /// Checks one value that a local system hands in, also whether a code is in its list.
    package func violation(of value: FieldValue, lists: CodeLists = .builtIn) -> RowRejection? {
        switch value {
        case .null: return violationOfNull
        case .integer(let integer): return violation(of: integer)
        case .real(let real): return violation(of: real)
        case .text(var text):
            let broken = text.withUTF8 { bytes -> RowRejection? in
                if rule.storage == .text, bytes.count <= rule.bytesMax, bytes.contains(0) {
                    return RowRejection(field: name, rule: .badText, reason: "holds a NUL character")
                }
                return violation(ofText: UnsafeRawBufferPointer(bytes))
            }
            if let broken { return broken }
            if let codeList, lists.named(codeList)?.contains(text) != true {
                return RowRejection(field: name, rule: .notInCodeList, reason: "is not in code list \(codeList)")
            }
            return nil
        }
    }

    private func wrongType(_ found: String) -> RowRejection {
        RowRejection(field: name, rule: .type, reason: "expected \(type.rawValue), found \(found)")
    }
}
