/// Builds the text that `/metrics` answers: the Prometheus exposition format 0.0.4.
package struct MetricsPage: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
    }

    private var text = ""

    package init() {}

    /// Appends one metric with all its samples.
    ///
    /// - Parameter samples: labels in the order in which they are written, and the value.
    package mutating func append(
        _ name: String, _ kind: Kind, help: String, samples: [(labels: [(String, String)], value: Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in samples {
            let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
            text += list.isEmpty ? "\(name) \(Self.number(value))\n" : "\(name){\(list)} \(Self.number(value))\n"
        }
    }

    package var description: String { text }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        // By scalars: a carriage return and a line feed are one character to Swift.
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 9e15 ? String(Int64(value)) : String(value)
    }
}
