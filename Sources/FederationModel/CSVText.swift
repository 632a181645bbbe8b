/// How a value stands in a line of CSV (RFC 4180): every CSV that this program writes goes through here.
///
/// By bytes: a carriage return and a line feed are one character to Swift, and neither is what it is then.
package func csvField(_ text: String) -> String {
    guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
    var quoted: [UInt8] = [0x22]
    for byte in text.utf8 {
        if byte == 0x22 { quoted.append(byte) }
        quoted.append(byte)
    }
    quoted.append(0x22)
    return String(decoding: quoted, as: UTF8.self)
}

/// A line of CSV with its end, which is LF.
package func csvLine(_ fields: [String]) -> String { fields.map(csvField).joined(separator: ",") + "\n" }

extension String {
    /// A text that no spreadsheet takes for a formula: one that begins with `=`, `+`, `-`, `@`, a tab or a carriage return, also
    /// behind blanks, gets an apostrophe in front (OWASP, "CSV Injection"). Citizens write such texts, and others open them.
    package var safeForSpreadsheet: String {
        let first = unicodeScalars.first { $0 != " " && $0 != "\u{3000}" && $0 != "\u{a0}" }
        return switch first {
        case "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠": "'" + self
        default: self
        }
    }
}
