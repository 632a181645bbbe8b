import FederationModel
import Foundation
import NodeDesk

/// Asks a person at a terminal, field by field, in Chinese. Questions go to stderr, so that stdout stays for the result.
struct Dialogue {
    let reference: ReferenceData

    /// Whether somebody is there to be asked.
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks until the answer fits the field.
    ///
    /// - Parameters:
    ///   - suggestion: what an empty answer means.
    ///   - form: reads the answer.
    ///   - isRequired: whether an empty answer without a suggestion is asked again.
    /// - Returns: nil for an optional field that is left empty.
    /// - Throws: `E_CANCELLED` at the end of the input.
    func ask(
        _ column: ColumnDefinition, of form: RecordForm, suggestion: FieldValue?, isRequired: Bool
    ) throws -> FieldValue? {
        let choices = column.codeList.flatMap { reference.lists.named($0) }.map(Choices.init)
        if let choices { say("\(column.title)\n\(choices.text)") }
        while true {
            var prompt = choices == nil ? column.title : "  请选择"
            if column.type == .timestamp { prompt += " (如 2025-09-30 09:00)" }
            if column.type == .boolean { prompt += " (是/否)" }
            if let suggestion {
                prompt += " [\(column.text(of: suggestion, reference))]"
            } else if !isRequired {
                prompt += " (可空)"
            }
            let answer = try line(prompt + ": ")
            if answer.isEmpty {
                if let suggestion { return suggestion }
                if !isRequired { return nil }
                say("  此项必填")
                continue
            }
            do {
                return try form.value(of: choices?.code(of: answer) ?? answer, for: column)
            } catch {
                say("  无效，需要\(column.expectation)")
            }
        }
    }

    /// Shows what was filled in and asks whether it is right.
    ///
    /// - Throws: `E_CANCELLED` unless it is.
    func confirm(_ form: RecordForm, title: String) throws {
        say("\n\(title)")
        for (title, value) in form.summary { say("  \(title): \(value.printable)") }
        let answer = try line("确认保存? (是/否) [是]: ").lowercased()
        guard ["", "y", "yes", "是"].contains(answer) else { throw Self.cancelled }
    }

    private func line(_ prompt: String) throws -> String {
        FileHandle.standardError.write(Data(prompt.utf8))
        guard let line = readLine() else {
            say("")
            throw Self.cancelled
        }
        return line.trimmingCharacters(in: .whitespaces)
    }

    private func say(_ text: String) { Output.note(text) }

    private static let cancelled = FederationError("E_CANCELLED", "nothing was stored")
}

/// The codes of a list as choices: by their own numbers where they are numbers, so that no number means two things.
private struct Choices {
    private let list: CodeList
    private let labels: [String]

    init(_ list: CodeList) {
        self.list = list
        let codes = list.entries.map(\.code)
        labels = codes.allSatisfy { Int($0) != nil } ? codes : codes.indices.map { "\($0 + 1)" }
    }

    var text: String {
        zip(labels, list.entries).map { "  \($0)) \($1.title)" }.joined(separator: "\n")
    }

    func code(of answer: String) -> String? {
        labels.firstIndex { $0 == answer || Int($0) == Int(answer) && Int(answer) != nil }.map { list.entries[$0].code }
    }
}

extension ColumnDefinition {
    /// What an answer must be, for whoever types.
    fileprivate var expectation: String {
        if codeList != nil { return "列出的一项 (序号、代码或名称)" }
        return switch type {
        case .text, .json: "文字 (最多 \(bytesMax) 字节)"
        case .integer: "整数 (如 3)"
        case .real: "数字 (如 36.65)"
        case .boolean: "“是”或“否”"
        case .timestamp: "时间 (如 2025-09-30 09:00)"
        }
    }
}
