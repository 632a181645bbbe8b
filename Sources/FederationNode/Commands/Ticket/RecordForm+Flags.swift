import ArgumentParser
import FederationModel
import NodeDesk

extension RecordForm {
    /// Takes the value of a flag; nil leaves the field as it is.
    ///
    /// - Throws: a usage error that names the flag, never the value.
    mutating func take(_ text: String?, for name: String, flag: String) throws {
        guard let text else { return }
        do {
            try take(text, for: name)
        } catch {
            throw ValidationError("\(flag): \(error)")
        }
    }

    /// Takes flags of the form NAME=VALUE.
    mutating func take(assignments: [String]) throws {
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == 2 else { throw ValidationError("--field: expected NAME=VALUE") }
            try take(parts[1], for: parts[0], flag: "--field \(parts[0])")
        }
    }

    /// Asks a person for what is missing, or says what is when nobody is there to be asked. Nobody is asked when nothing
    /// required is missing.
    ///
    /// - Returns: whether somebody was asked, who should confirm the whole.
    mutating func complete() throws -> Bool {
        guard let first = missing(required).first else { return false }
        guard Dialogue.isPossible else { throw ValidationError("\(first.name) (\(first.title)) is required") }
        let dialogue = Dialogue(reference: reference)
        for column in missing(asked) {
            let value = try dialogue.ask(
                column, of: self, suggestion: suggestions[column.name], isRequired: required.contains(column.name))
            if let value { set(column.name, value) }
        }
        return true
    }

    /// Name and value of each field that is filled in, as people read them, in the order of the catalog.
    var summary: [(title: String, value: String)] {
        resource.columns.compactMap { column in
            fields[column.name].map { (column.title, column.text(of: $0, reference)) }
        }
    }
}

extension ColumnDefinition {
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
}
