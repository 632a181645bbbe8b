/// Optional features of the protocol. A node names those that it has in its hello, and in its answer to one; what only one end has is
/// not used.
package enum Capability {
    /// Change-sets carry the history mark of their end, and the answer to a hello that of the cursor.
    package static let historyMarks = "history-marks"

    /// A receiver gives back what the sender has lost (`FrameKind.returned`).
    package static let giveBack = "give-back"

    /// A receiver says that a frame is arriving (`FrameKind.progress`).
    package static let progress = "progress"

    package static let all = [historyMarks, giveBack, progress]
}
