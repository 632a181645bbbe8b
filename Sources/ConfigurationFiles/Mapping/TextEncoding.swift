/// How the text of a file is written down. A file has one; what is not written in it is refused row by row.
package enum TextEncoding: String, CaseIterable, Sendable {
    case utf8 = "UTF-8"
    /// GB 18030-2022; GBK and GB 2312 are parts of it.
    case gb18030 = "GB18030"
    case utf16LittleEndian = "UTF-16LE"
    case utf16BigEndian = "UTF-16BE"
    case big5 = "Big5"
    case windows1252 = "Windows-1252"

    /// Reads the name of an encoding as a person writes it, in any case; nil for one that is not read.
    package init?(name: String) {
        let name = name.lowercased()
        let others: [String: TextEncoding] = [
            "utf8": .utf8, "gbk": .gb18030, "gb2312": .gb18030, "cp936": .gb18030, "utf-16": .utf16LittleEndian,
            "cp1252": .windows1252, "big5": .big5,
        ]
        guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == name }) ?? others[name] else {
            return nil
        }
        self = found
    }

    package static var hint: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
}
