import ChangeSetFormat
import FederationModel

/// What a frame of a stream is. The first byte of every frame.
package enum FrameKind: UInt8, Sendable, CaseIterable {
    /// Whoever tries whether something between the nodes buffers: its echo proves that nothing does. The sender's first
    /// frame of a stream, and the first of who opens a connection down.
    case probe = 1
    /// Sender: one whole change-set.
    case changeSet = 2
    /// Sender: a `Heartbeat`.
    case heartbeat = 3
    /// Answers a probe and each heartbeat.
    case echo = 4
    /// Receiver: an `Acknowledgement`.
    case acknowledgement = 5
    /// Receiver: a `Refusal` of a change-set.
    case refusal = 6
    /// Either: the stream ends on purpose.
    case goodbye = 7
    /// Sender: a `Hello`, on a connection that the receiver has opened.
    case hello = 8
    /// Receiver: the `HelloReply` to it; a `refusal` when it is not accepted.
    case helloReply = 9
    /// Receiver, in place of an echo: a change-set with rows that the sender has lost.
    case returned = 10
    /// Sender: the `Settlement` of it. Answered by the next `returned`, or an echo.
    case settlement = 11
    /// Receiver: a part of a frame has arrived. On a slow line that is all that is heard of it for minutes.
    case progress = 12
    /// The first frame of a ferry file: a `FerryOpening`. Never on a connection.
    case opening = 13

    /// Longest body in bytes.
    package var bodyBytesMax: Int {
        switch self {
        case .probe, .echo, .goodbye, .progress: 0
        case .changeSet, .returned: SyncLimits.changeSetBytesMax
        case .heartbeat, .acknowledgement, .refusal, .hello, .helloReply: SyncLimits.controlFrameBytesMax
        case .opening: SyncLimits.openingBytesMax
        case .settlement: SyncLimits.settlementBytesMax
        }
    }
}

/// One message of a stream: a kind, four bytes of length (big-endian, of the body alone), and the body.
package struct Frame: Hashable, Sendable {
    package static let headerBytes = 5

    package let kind: FrameKind
    package let body: [UInt8]

    /// - Precondition: the body is within the kind's limit; the caller made it.
    package init(_ kind: FrameKind, _ body: [UInt8] = []) {
        precondition(body.count <= kind.bodyBytesMax, "a frame of kind \(kind) with \(body.count) bytes")
        self.kind = kind
        self.body = body
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + body.count)
        bytes.append(kind.rawValue)
        withUnsafeBytes(of: UInt32(body.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: body)
        return bytes
    }
}

/// Cuts a stream of untrusted bytes into frames. Each byte is copied a constant number of times, however finely the
/// stream is cut.
package struct FrameReader: Sendable {
    /// Which end of a link wrote the stream.
    package enum Writer: Sendable {
        case sender
        case receiver
        /// Who writes a ferry file is both.
        case ferry

        fileprivate func mayWrite(_ kind: FrameKind) -> Bool {
            switch kind {
            case .changeSet, .settlement: self != .receiver
            case .heartbeat, .hello: self == .sender
            case .returned: self != .sender
            case .acknowledgement, .refusal, .helloReply, .progress: self == .receiver
            case .opening: self == .ferry
            case .probe, .echo: self != .ferry
            case .goodbye: true
            }
        }
    }

    private let writer: Writer
    private var buffer: [UInt8] = []
    /// Where the next frame begins in `buffer`.
    private var start = 0

    package init(writtenBy writer: Writer) { self.writer = writer }

    /// Takes what arrived. Call `next` until it returns nil before appending more: then the buffer never holds more than
    /// one frame and one arrival.
    package mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole frame; nil when its end has not arrived yet.
    ///
    /// The length is held against the kind's limit as soon as the header is there, so a lying length costs nothing.
    /// - Throws: `E_FRAME_KIND`, `E_FRAME_TOO_LARGE`. The stream can't be read any further then; end it.
    package mutating func next() throws(FederationError) -> Frame? {
        guard buffer.count - start >= Frame.headerBytes else { return nil }
        guard let kind = FrameKind(rawValue: buffer[start]), writer.mayWrite(kind) else {
            throw FederationError(
                "E_FRAME_KIND", "the \(writer) of a stream wrote a frame of kind \(buffer[start])",
                hint: "run the same release on both nodes")
        }
        let length = buffer[start + 1..<start + Frame.headerBytes].reduce(0) { $0 << 8 | Int($1) }
        guard length <= kind.bodyBytesMax else {
            throw FederationError(
                "E_FRAME_TOO_LARGE",
                "a frame of kind \(kind) announces \(length) bytes, at most \(kind.bodyBytesMax) are accepted")
        }
        let bodyStart = start + Frame.headerBytes
        guard buffer.count - bodyStart >= length else { return nil }
        let frame = Frame(kind, Array(buffer[bodyStart..<bodyStart + length]))
        start = bodyStart + length
        discardRead()
        return frame
    }

    /// Whether a part of a frame is here.
    package var isInFrame: Bool { buffer.count > start }

    /// Moves what is left to the front once at least as much lies before it, so that every byte moves at most once for
    /// each one read.
    private mutating func discardRead() {
        guard start * 2 >= buffer.count else { return }
        if start == buffer.count && buffer.capacity > SyncLimits.controlFrameBytesMax * 2 {
            buffer = []  // A large change-set must not occupy memory for as long as the link lives.
        } else {
            buffer.removeSubrange(..<start)
        }
        start = 0
    }
}
