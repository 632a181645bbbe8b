import ConfigurationFiles
import FederationModel

/// The text of a file as UTF-8 without a mark, with its beginning at hand.
final class TextInput: ByteInput {
    /// Enough for a title, a header and some rows with their texts.
    private static let headBytes = 1 << 20

    private let base: any ByteInput
    let name: String
    let encoding: TextEncoding
    /// The beginning of the text.
    let head: [UInt8]
    /// Whether `head` is all of it.
    let isWhole: Bool
    private var position = 0
    /// Damage behind the head: what lies before it is read first.
    private var damage: (any Error)?
    /// Whether lines end with a carriage return alone, as old Macintoshes wrote them. It reads as a line feed.
    private let hasBareReturns: Bool

    /// - Parameter encoding: that of the file; nil to find out from all of it.
    /// - Throws: `E_IMPORT_READ` when it can't be opened.
    init(_ source: SourceBytes, encoding given: TextEncoding?) throws {
        name = source.name
        let marked = TextEncoding(mark: try source.head(4))
        encoding = try given ?? marked ?? Self.survey(source)
        var input: any ByteInput = UnmarkedInput(try source.open(), mark: marked == encoding ? encoding.mark : [])
        if encoding != .utf8 { input = try TranscodedInput(input, from: encoding, name: name) }
        base = input
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.headBytes)
        do {
            while text.count < Self.headBytes {
                let room = Self.headBytes - text.count
                let count = try buffer.withUnsafeMutableBytes {
                    try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<room]))
                }
                if count == 0 { break }
                text += buffer[..<count]
            }
            isWhole = text.count < Self.headBytes
        } catch {
            damage = error
            isWhole = false
        }
        hasBareReturns = text.contains(0x0D) && !text.contains(0x0A)
        if hasBareReturns { for index in text.indices where text[index] == 0x0D { text[index] = 0x0A } }
        head = text
    }

    var bytesTotal: Int64 { base.bytesTotal }
    var bytesRead: Int64 { base.bytesRead }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if position < head.count {
            let count = min(buffer.count, head.count - position)
            buffer.copyBytes(from: head[position..<position + count])
            position += count
            return count
        }
        if let damage { throw damage }
        let count = try base.read(into: buffer)
        if hasBareReturns { for index in 0..<count where buffer[index] == 0x0D { buffer[index] = 0x0A } }
        return count
    }

    /// Looks at every byte. Where the file is damaged it ends; whoever reads it comes upon that.
    private static func survey(_ source: SourceBytes) throws -> TextEncoding {
        let input = try source.open()
        var survey = EncodingSurvey()
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while case let count = (try? buffer.withUnsafeMutableBytes({ try input.read(into: $0) })) ?? 0, count > 0 {
            buffer.withUnsafeBytes { survey.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        return survey.decision()
    }
}
