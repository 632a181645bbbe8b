import ArgumentParser
import FederationModel
import Foundation
import NodeRuntime

/// The fields of one record while a person or a script fills them in.
struct RecordForm {
    let resource: ResourceDefinition
    let reference: ReferenceData
    private(set) var fields: [String: FieldValue] = [:]

    init(_ resource: ResourceDefinition, _ reference: ReferenceData) {
        self.resource = resource
        self.reference = reference
    }

    func isEmpty(_ name: String) -> Bool { fields[name] == nil }

    mutating func set(_ name: String, _ value: FieldValue) { fields[name] = value }

    /// Takes the value of a flag; nil leaves the field as it is.
    ///
    /// - Throws: a usage error that names the flag, never the value.
    mutating func take(_ text: String?, for name: String, flag: String) throws {
        guard let text else { return }
        guard let column = resource.column(named: name) else {
            throw ValidationError("\(flag): \(resource.name) has no field \(name)")
        }
        do {
            fields[name] = try column.value(ofInput: text, reference)
        } catch let violation as FieldViolation {
            throw ValidationError("\(flag): \(violation)")
        }
    }

    /// Takes flags of the form NAME=VALUE.
    mutating func take(assignments: [String]) throws {
        let names = resource.columns.map(\.name)
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == 2 else { throw ValidationError("--field: expected NAME=VALUE") }
            guard names.contains(parts[0]) else {
                throw ValidationError(
                    "--field \(parts[0]): \(resource.name) has no such field; \(suggestion(for: parts[0], among: names))"
                )
            }
            try take(parts[1], for: parts[0], flag: "--field \(parts[0])")
        }
    }

    /// Those of `names` that have no value yet.
    func missing(_ names: [String]) -> [ColumnDefinition] {
        names.filter(isEmpty).compactMap { resource.column(named: $0) }
    }

    /// Name and value of each field that is filled in, as people read them, in the order of the catalog.
    var summary: [(title: String, value: String)] {
        resource.columns.compactMap { column in
            fields[column.name].map { (column.title, column.text(of: $0, reference)) }
        }
    }
}

extension ColumnDefinition {
    /// The list that explains its values. Regions and categories have one too, though other values may be stored there.
    func list(in reference: ReferenceData) -> CodeList? {
        switch name {
        case "region_code": reference.regions
        case "service_code": reference.services
        default: codeList.flatMap { reference.lists.named($0) }
        }
    }

    /// What a person typed for this field: times of Shanghai to the minute or second or with an offset, 是 and 否, codes by
    /// code or by Chinese name.
    ///
    /// - Throws: `FieldViolation`, which does not repeat the value.
    func value(ofInput input: String, _ reference: ReferenceData) throws -> FieldValue {
        let text = input.trimmingCharacters(in: .whitespaces)
        let value: FieldValue? =
            switch type {
            case .text: .text(try list(in: reference).flatMap { try code(named: text, in: $0) } ?? text)
            case .json: .text(text)
            case .integer: Int64(text).map { .integer($0) }
            case .real: Double(text).flatMap { $0.isFinite ? .real($0) : nil }
            case .boolean: Self.truths[text.lowercased()].map { .integer($0) }
            case .timestamp: Self.time(text).map { .integer($0) }
            }
        guard let value else {
            throw FieldViolation(field: name, rule: type == .timestamp ? .badTime : .type, detail: "is not \(shape)")
        }
        if let violation = violation(of: value, lists: reference.lists) { throw violation }
        return value
    }

    /// The code that has this name today; nil when none has it.
    private func code(named title: String, in list: CodeList) throws -> String? {
        let today = ShanghaiTime.dayNumber(wallClock())
        let codes = Set(list.entries.filter { $0.title == title && $0.isValid(on: today) }.map(\.code))
        guard codes.count < 2 else {
            throw FieldViolation(
                field: name, rule: .notInCodeList, detail: "\(codes.count) codes have that name; give the code")
        }
        return codes.first
    }

    /// A stored value as people read it.
    func text(of value: FieldValue, _ reference: ReferenceData) -> String {
        switch value {
        case .null: "–"
        case .text(let text): list(in: reference)?.title(of: text) ?? text
        case .real(let real): "\(real)"
        case .integer(let integer):
            switch type {
            case .boolean: integer == 0 ? "否" : "是"
            case .timestamp: ShanghaiTime.minute(integer)
            default: "\(integer)"
            }
        }
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
        ShanghaiTime.parse(text) ?? ShanghaiTime.parse("\(text)+08:00") ?? ShanghaiTime.parse("\(text):00+08:00")
    }
}
