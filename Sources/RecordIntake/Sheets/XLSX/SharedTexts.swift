/// The texts that the cells of a workbook share, each as often as it is used written once.
final class SharedTexts: XMLHandler {
    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [Int] = []
    private var isText = false
    private var isReading = false

    var count: Int { ends.count }

    /// The text of an index; nil for one that is not there.
    subscript(index: Int) -> String? {
        guard ends.indices.contains(index) else { return nil }
        let start = index == 0 ? 0 : ends[index - 1]
        return cellText(bytes[start..<ends[index]])
    }

    func start(_ element: XMLElement) {
        if element.name == "si" {
            isText = true
        } else if element.name == "rPh" {
            // How a word is pronounced stands beside it.
            isText = false
        } else if element.name == "t" {
            isReading = isText
        }
    }

    func end(_ name: XMLName) {
        if name == "si" {
            ends.append(bytes.count)
            isText = false
        } else if name == "rPh" {
            isText = true
        } else if name == "t" {
            isReading = false
        }
    }

    func text(_ piece: UnsafeBufferPointer<UInt8>) { if isReading { bytes += piece } }
}

/// The text of a cell: blanks around it cut off, and what Excel writes for characters that XML has not (`_x000D_`) read.
func cellText(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.withUnsafeBufferPointer { bytes in
        let trimmed = trimmingBlanks(bytes)
        guard trimmed.contains(UInt8(ascii: "_")) else { return String(decoding: trimmed, as: UTF8.self) }
        let text = String(decoding: trimmed, as: UTF8.self).replacing(/_x([0-9A-Fa-f]{4})_/) { match in
            // No NUL, and no half of a surrogate pair.
            guard let code = UInt32(match.1, radix: 16), code != 0, let scalar = Unicode.Scalar(code) else {
                return String(match.0)
            }
            return String(Character(scalar))
        }
        return text.trimmingBlanks()
    }
}

extension String {
    func trimmingBlanks() -> String {
        var copy = self
        return copy.withUTF8 { String(decoding: RecordIntake.trimmingBlanks($0), as: UTF8.self) }
    }
}
