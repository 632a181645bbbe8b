import FederationModel

/// The last events of a history, for people. It costs nothing unless somebody asked for it.
package struct Trace {
    private let linesMax: Int
    private(set) var lines: [String] = []

    /// - Parameter linesMax: 0 keeps nothing.
    init(linesMax: Int) { self.linesMax = linesMax }

    mutating func note(_ now: UnixMilliseconds, _ line: () -> String) {
        guard linesMax > 0 else { return }
        if lines.count >= linesMax * 2 { lines.removeFirst(linesMax) }
        let seconds = Double(now - Federation.start) / 1_000
        lines.append("\(seconds) s  \(line())")
    }

    package var last: [String] { Array(lines.suffix(linesMax)) }
}

extension Cursor {
    /// As people read it.
    var text: String { "\(epoch.counter):\(seq)@\(revision)\(sweep == .complete ? "" : " sweep \(sweep)")" }
}
