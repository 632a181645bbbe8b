import FederationModel
import Foundation
import NodeDesk
import NodeFiles

/// What commands print. A result that can't be written is the command's failure (`E_OUTPUT_WRITE`); see `StandardStreams`.
enum Output {
    /// One JSON document, and nothing else, on stdout.
    static func json(_ value: some Encodable) throws { try data("\(document(value))\n") }

    /// Rows on stdout as CSV, the header first.
    ///
    /// - Parameter isSafe: whether texts that a spreadsheet takes for formulas are made harmless.
    static func csv(_ rows: [[FieldValue]], isSafe: Bool) throws {
        let lines = rows.map { row in
            csvLine(
                row.map { cell in
                    switch cell {
                    case .null: ""
                    case .text(let text) where isSafe: text.safeForSpreadsheet
                    default: cell.shown
                    }
                })
        }
        try data(lines.joined())
    }

    /// A result on stdout for people, with a line end.
    static func line(_ text: String) throws { try StandardStreams.output("\(text.printableLines)\n") }

    /// A result for programs, as it is. On a terminal it steers nothing all the same.
    private static func data(_ text: String) throws {
        try StandardStreams.output(isatty(STDOUT_FILENO) == 1 ? text.printableLines : text)
    }

    /// A result for programs that ends its last line itself.
    static func text(_ text: String) throws { try data(text) }

    /// A result that nobody can be shown again, such as a token: whoever made it takes it back when this throws.
    static func once(_ text: String) throws { try StandardStreams.output("\(text)\n", mustArrive: true) }

    /// The text of a JSON document.
    static func document(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Progress and messages, on stderr.
    static func note(_ text: String) { StandardStreams.note("\(text.printableLines)\n") }

    /// Names the nodes whose tickets are not here, for what looks at those that are.
    static func noteNotHeld(_ desk: NodeDesk) throws {
        let nodes = try desk.logicalOrigins().map { "\(desk.topology.name(of: $0) ?? "")(\($0))" }
        if !nodes.isEmpty { note("不含逻辑接入的 \(nodes.joined(separator: "、"))") }
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

extension String {
    /// In one line, without what would steer a terminal: texts come from citizens and from other nodes.
    var printable: String { replacing { $0.steersTerminal } }

    /// The same for a text of several lines.
    var printableLines: String { replacing { $0 != "\n" && $0.steersTerminal } }

    private func replacing(_ isUnwanted: (Unicode.Scalar) -> Bool) -> String {
        guard unicodeScalars.contains(where: isUnwanted) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { isUnwanted($0) ? " " : $0 }))
    }
}

extension Unicode.Scalar {
    /// A control character of ASCII or of ISO 6429 (C1), a line or paragraph separator, or one that turns the direction of
    /// what follows.
    fileprivate var steersTerminal: Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}

/// A table for the terminal. Chinese characters take two columns there.
struct TextTable {
    private var rows: [[String]]

    init(header: [String]) { rows = [header] }

    mutating func append(_ row: [String]) { rows.append(row.map(\.printable)) }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? Self.width($0[column]) : 0 }.max() ?? 0
        }
        func line(_ row: [String]) -> String {
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - Self.width(cell))
            }
            return cells.joined(separator: "  ")
        }
        var lines = rows.map(line)
        lines.insert(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n")
    }

    /// Columns on a terminal: East Asian wide characters take two.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { width, scalar in
            switch scalar.value {
            case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe4f,
                0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
                width + 2
            default: width + 1
            }
        }
    }
}

/// A progress bar with an estimate, on a terminal only.
struct ProgressBar {
    private let title: String
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now

    init(_ title: String) { self.title = title }

    /// - Parameter fraction: 0 to 1.
    mutating func show(_ fraction: Double, _ detail: String) {
        let time = ContinuousClock.now
        guard Output.isTerminal, time - shown > .milliseconds(100) || fraction >= 1 else { return }
        shown = time
        let filled = Int(24 * min(1, max(0, fraction)))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
        let elapsed = Double((time - started).components.seconds)
        let left = fraction > 0.01 ? " ETA \(Int(elapsed / fraction - elapsed)) s" : ""
        StandardStreams.note("\r\(title) \(bar) \(Int(fraction * 100)) % \(detail)\(left)\u{1b}[K")
    }

    func finish() {
        if Output.isTerminal { StandardStreams.note("\r\u{1b}[K") }
    }
}
