import FederationModel
import Foundation

/// The fields of one record while a person or a system fills them in: what is typed becomes a value by the catalog's column and
/// the reference data.
package struct RecordForm: Sendable {
    package let resource: ResourceDefinition
    package let reference: ReferenceData
    package private(set) var fields: [String: FieldValue] = [:]
    /// Fields that must be there in the end.
    package let required: [String]
    /// What a guided entry asks for if it has to ask at all, in this order.
    package let asked: [String]
    /// What an empty answer of a guided entry means.
    package let suggestions: [String: FieldValue]
    /// Fields that nobody gives, because they follow from something else.
    let closed: Set<String>
    /// Codes are valid on a day.
    private let today: Int64

    init(
        _ resource: ResourceDefinition, _ reference: ReferenceData, now: UnixMilliseconds, required: [String] = [],
        asked: [String] = [], suggestions: [String: FieldValue] = [:], closed: Set<String> = []
    ) {
        self.resource = resource
        self.reference = reference
        self.required = required
        self.asked = asked
        self.suggestions = suggestions
        self.closed = closed
        today = ShanghaiTime.dayNumber(now)
    }

    package func isEmpty(_ name: String) -> Bool { fields[name] == nil }

    package mutating func set(_ name: String, _ value: FieldValue) { fields[name] = value }

    /// Takes what was typed for a field.
    ///
    /// - Throws: what is wrong with it, never the value.
    package mutating func take(_ text: String, for name: String) throws(RowRejection) {
        guard let column = resource.column(named: name) else {
            throw RowRejection(
                field: name, rule: .unknown,
                reason: "\(resource.name) has no such field; "
                    + suggestion(for: name, among: resource.columns.map(\.name)))
        }
        guard !closed.contains(name) else {
            throw RowRejection(field: name, rule: .unknown, reason: "can't be given, it follows from the rest")
        }
        fields[name] = try value(of: text, for: column)
    }

    /// The value that was typed for a column: times of Shanghai to the minute or second or with an offset, 是 and 否, codes by
    /// code or by Chinese name.
    ///
    /// - Throws: what is wrong with it, never the value.
    package func value(of input: String, for column: ColumnDefinition) throws(RowRejection) -> FieldValue {
        let value = try column.value(ofInput: input, reference, today: today)
        if let time = value.integer, EventTimes.fields(of: resource).contains(column.name),
            let violation = EventTimes.violation(of: time, in: column.name)
        {
            throw violation
        }
        return value
    }

    /// Those of `names` that have no value yet.
    package func missing(_ names: [String]) -> [ColumnDefinition] {
        names.filter(isEmpty).compactMap { resource.column(named: $0) }
    }

    /// - Throws: `E_FIELD_MISSING` for the first required field that has no value; `E_FIELD_RANGE` for half a place.
    func requireComplete() throws(FederationError) {
        if let first = missing(required).first {
            throw FederationError(
                RowRejection(field: first.name, rule: .missing, reason: "(\(first.title)) is required"))
        }
        if let violation = IntakeRecord(resource: resource.name, key: "", fields: fields).violationOfPlace {
            throw FederationError(violation)
        }
    }
}

extension ColumnDefinition {
    /// The list that explains its values. Regions and categories have one too, though other values may be stored there.
    package func list(in reference: ReferenceData) -> CodeList? {
        titleList.flatMap { reference.lists.named($0) }
    }

    fileprivate func value(
        ofInput input: String, _ reference: ReferenceData, today: Int64
    ) throws(RowRejection) -> FieldValue {
        let text = input.trimmingCharacters(in: .whitespaces)
        let value: FieldValue?
        switch type {
        case .text:
            let code = try list(in: reference).map { list throws(RowRejection) in
                try self.code(named: text, in: list, today: today)
            }
            value = .text((code ?? nil) ?? text)
        case .json: value = .text(text)
        case .integer: value = Int64(text).map { .integer($0) }
        case .real: value = Double(text).flatMap { $0.isFinite ? .real($0) : nil }
        case .boolean: value = Self.truths[text.lowercased()].map { .integer($0) }
        case .timestamp:
            let day = isLimit ? CivilDate.dayNumber(text) : nil
            value = (day.map { ShanghaiTime.end(ofDay: $0) } ?? Self.time(text)).map { .integer($0) }
        }
        guard let value else {
            throw RowRejection(field: name, rule: type == .timestamp ? .badTime : .type, reason: "is not \(shape)")
        }
        if let violation = violation(of: value, lists: reference.lists) { throw violation }
        return value
    }

    /// The code that has this name today; nil when none has it.
    private func code(named title: String, in list: CodeList, today: Int64) throws(RowRejection) -> String? {
        let codes = Set(list.entries.filter { $0.title == title && $0.isValid(on: today) }.map(\.code))
        guard codes.count < 2 else {
            throw RowRejection(
                field: name, rule: .notInCodeList, reason: "\(codes.count) codes have that name; give the code")
        }
        return codes.first
    }

    private var shape: String {
        switch type {
        case .text, .json: "a text"
        case .integer: "a whole number"
        case .real: "a number"
        case .boolean: "yes or no"
        case .timestamp: "a time such as 2025-09-30 09:00"
        }
    }

    private static let truths: [String: Int64] = [
        "1": 1, "true": 1, "yes": 1, "y": 1, "是": 1, "0": 0, "false": 0, "no": 0, "n": 0, "否": 0,
    ]

    private static func time(_ text: String) -> UnixMilliseconds? {
        ShanghaiTime.parse(text) ?? ShanghaiTime.parseLocal(text) ?? ShanghaiTime.parseLocal("\(text):00")
    }
}
