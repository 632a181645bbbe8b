import ConfigurationFiles

extension TextEncoding {
    /// What a file may begin with in this encoding to say so.
    var mark: [UInt8] {
        switch self {
        case .utf8: [0xEF, 0xBB, 0xBF]
        case .gb18030: [0x84, 0x31, 0x95, 0x33]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        case .big5, .windows1252: []
        }
    }

    /// The encoding whose mark a file begins with.
    init?(mark bytes: [UInt8]) {
        guard let found = Self.allCases.first(where: { !$0.mark.isEmpty && bytes.starts(with: $0.mark) }) else {
            return nil
        }
        self = found
    }
}
