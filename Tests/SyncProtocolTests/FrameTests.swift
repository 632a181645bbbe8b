import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

@Suite struct FrameTests {
    private static let stream: [Frame] = [
        Frame(.probe), Frame(.changeSet, Array(0...255)), Frame(.heartbeat, [1]), Frame(.changeSet), Frame(.goodbye),
    ]

    @Test func `a stream that arrives byte by byte gives the same frames`() throws {
        var reader = FrameReader(writtenBy: .sender)
        var frames: [Frame] = []
        for byte in Self.stream.flatMap(\.encoded) {
            reader.append([byte])
            while let frame = try reader.next() { frames.append(frame) }
        }
        #expect(frames == Self.stream)
    }

    @Test func `a stream that arrives at once gives the same frames`() throws {
        var reader = FrameReader(writtenBy: .sender)
        reader.append(Self.stream.flatMap(\.encoded))
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        #expect(frames == Self.stream)
    }

    @Test func `a frame is a kind, a big-endian length and a body`() {
        #expect(Frame(.refusal, [7, 8]).encoded == [6, 0, 0, 0, 2, 7, 8])
    }

    @Test(arguments: FrameKind.allCases)
    func `a length at the limit is waited for and one past it is refused from the header alone`(_ kind: FrameKind)
        throws
    {
        func header(_ length: Int) -> [UInt8] {
            [kind.rawValue] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        }
        let writer: FrameReader.Writer =
            switch kind {
            case .echo, .acknowledgement, .refusal, .helloReply, .returned, .progress: .receiver
            case .opening: .ferry
            default: .sender
            }
        var atLimit = FrameReader(writtenBy: writer)
        atLimit.append(header(kind.bodyBytesMax))
        #expect(try atLimit.next()?.body.count == (kind.bodyBytesMax == 0 ? 0 : nil))
        var past = FrameReader(writtenBy: writer)
        past.append(header(kind.bodyBytesMax + 1))
        let error = #expect(throws: FederationError.self) { try past.next() }
        #expect(error?.code == "E_FRAME_TOO_LARGE")
    }

    @Test(arguments: FrameKind.allCases) func `a ferry file holds what has no answer, a connection no opening`(
        _ kind: FrameKind
    ) {
        func isTaken(by writer: FrameReader.Writer) -> Bool {
            var reader = FrameReader(writtenBy: writer)
            reader.append([kind.rawValue, 0, 0, 0, 0])
            return (try? reader.next()) != nil
        }
        let isInFiles = [.opening, .settlement, .changeSet, .returned, .goodbye].contains(kind)
        #expect(isTaken(by: .ferry) == isInFiles)
        if kind == .opening { #expect(!isTaken(by: .sender) && !isTaken(by: .receiver)) }
    }

    @Test func `a change-set of the largest size passes`() throws {
        let frame = Frame(.changeSet, [UInt8](repeating: 5, count: SyncLimits.changeSetBytesMax))
        var reader = FrameReader(writtenBy: .sender)
        reader.append(frame.encoded + Frame(.probe).encoded)
        #expect(try reader.next() == frame)
        #expect(try reader.next() == Frame(.probe))
        #expect(try reader.next() == nil)
    }

    @Test(arguments: [UInt8(0), 10, 0x48, 0xff]) func `an unknown kind is refused`(_ kind: UInt8) {
        var reader = FrameReader(writtenBy: .sender)
        reader.append([kind, 0, 0, 0, 0])
        let error = #expect(throws: FederationError.self) { try reader.next() }
        #expect(error?.code == "E_FRAME_KIND")
    }

    @Test func `a receiver may not write what only senders write`() {
        var reader = FrameReader(writtenBy: .receiver)
        reader.append(Frame(.changeSet, [1]).encoded)
        let error = #expect(throws: FederationError.self) { try reader.next() }
        #expect(error?.code == "E_FRAME_KIND")
    }
}
