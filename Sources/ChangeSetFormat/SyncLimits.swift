/// Every limit that a neighbour's bytes meet, each with its reason. A test stands at each limit and one past it.
package enum SyncLimits {
    /// Bytes of a change-set's header. It holds codes, numbers and one row key; 4 KiB is ten times what it needs.
    package static let headerBytesMax = 4_096

    /// Bytes of a change-set as it travels. A full bulk change-set of 10,000 tickets takes 2 to 3 MB; long texts may take
    /// more, so the sender cuts by bytes too.
    package static let changeSetBytesMax = 16 << 20

    /// Bytes of a change-set after decompression, enforced while decompressing: what a small zstd bomb may cost us.
    package static let payloadBytesMax = 64 << 20

    /// Raw bytes at which a sender closes a change-set. With a row more it is within what a receiver accepts, also where
    /// texts hardly compress.
    package static let payloadBytesTarget = 12 << 20

    /// Bytes of a row as it travels: more than all columns of any resource may hold together. What goes beyond was never
    /// taken in, so a damaged file or another program has put it there.
    package static let rowBytesMax = 4 << 20

    /// Rows in a change-set. 50,000 rows hold the writer for up to five seconds; 10,000 cost nothing more per row.
    package static let rowsMax = 10_000

    /// Rows that a link starts with, until the round trip is known.
    package static let rowsInitial = 500

    /// Blocks in a change-set: each resource may come once in the tail and once in the sweep.
    package static let blocksMax = 64

    /// Columns of a block: four times the widest built-in resource.
    package static let columnsMax = 160

    /// Columns of a block that this node does not know. Releases never lie that far apart.
    package static let carriedColumnsMax = 64

    /// Values in such columns that one row may have: half, so that a sender can end a block before it has too many.
    package static let carriedValuesMax = 32

    /// Bytes of the texts in such columns that one row may have: as many as `ext`.
    package static let carriedBytesMax = 100_000

    /// Bytes of a resource's or a column's name.
    package static let nameBytesMax = 64

    /// Change-sets that a sender lets travel unacknowledged: one is applied while the next arrives and a third is made.
    package static let inFlightMax = 3

    /// Bytes that a receiver holds for one link before it refuses more (`E_QUEUE_FULL`).
    package static let queueBytesMax = 48 << 20

    /// The same for all links of a node together: a province of a hundred counties that all come back at one time holds no more.
    package static let nodeQueueBytesMax = 192 << 20

    /// Bytes of a frame that is not a change-set (hello, acknowledgement, heartbeat, refusal).
    package static let controlFrameBytesMax = 256 << 10

    /// Bytes of a ferry file's first frame: two control messages, and a topology file, which reaches 1 MB with some thousand nodes.
    package static let openingBytesMax = 4 << 20

    /// Rows of one sender that are put aside here before its link pauses: a neighbour whose every row is bad must not fill the disk,
    /// and somebody must look.
    package static let quarantineRowsMax = 10_000

    /// Of so many of these rows a sender is told which they are.
    package static let putAsideRowsMax = 100

    /// How long a link pauses whose sender has too many rows put aside, until it is tried again.
    package static let quarantinePause: Int64 = 30_000

    /// How long a sender waits whose receiver has too little of its disk free, until it tries again.
    package static let diskFloorPause: Int64 = 10_000

    /// Rows that go back to a sender in one change-set: the keys of all of them fit into one settlement.
    package static let returnedRowsMax = 500

    /// Bytes of a settlement: `returnedRowsMax` keys of 200 bytes, each byte as JSON's longest escape.
    package static let settlementBytesMax = 1 << 20

    /// How far a row's version may lie ahead of the receiver's clock. A node whose clock is hours wrong must not win
    /// against the future.
    package static let clockSkewMax: Int64 = 5 * 60 * 1_000

    /// Time between two heartbeats on an idle link; three missed ones make it unreachable.
    package static let heartbeatInterval: Int64 = 5_000

    /// While a frame arrives, its receiver says so at most so often: half a heartbeat, so that the sender never takes it for silent.
    package static let progressInterval: Int64 = 2_500

    /// First pause after a failed contact; it doubles, with jitter, up to `backOffMax`.
    package static let backOffInitial: Int64 = 200

    /// Longest pause between two tries: low, because a city that was away shall not wait for its province.
    package static let backOffMax: Int64 = 15_000

    /// Pause after a refusal that only a person can lift (certificate, topology): it is tried again, but not hurried.
    package static let refusedPause: Int64 = 10_000

    /// How long the echo of a stream's first frame may take before the link falls back to one request a change-set:
    /// something between the nodes buffers.
    package static let probeTimeout: Int64 = 5_000

    /// How long after that a new connection uses requests without trying a stream first. A proxy stays as it is for weeks,
    /// and a try holds the link up for `probeTimeout`; but a network that only stalled once shall have its stream back.
    package static let requestsPeriod: Int64 = 60 * 60 * 1_000

    /// How long a change-set may stay unacknowledged, without a word that it is arriving, before the connection counts as broken.
    /// The largest one takes a slow disk some seconds.
    package static let acknowledgementTimeout: Int64 = 60_000

    /// Round trip of a change-set below which the next one may be twice as large: long enough for bulk, short enough for
    /// a live change behind it.
    package static let roundTripTarget: Int64 = 1_500

    /// Round trip above which the next one is half as large: three in flight take that long when each is in time.
    package static let roundTripMax: Int64 = 3 * roundTripTarget

    /// Heartbeats without an echo after which an idle link counts as broken. TCP alone may notice after many minutes.
    package static let heartbeatsMissedMax = 3

    /// How long a receiver that is full or busy asks the sender to wait: an apply takes about as long.
    package static let busyPause: Int64 = 1_000

    /// Longest wait that a sender lets its receiver ask for; beyond it a hostile `Retry-After` would silence a link.
    package static let retryAfterMax: Int64 = 5 * 60 * 1_000

    /// Change-sets refused one after the other as out of step before the sender starts again with a hello. One is what
    /// a refusal in the middle of the pipeline costs.
    package static let outOfStepMax = 3

    /// How long a link that is being stopped waits for what is in flight; what is not acknowledged is sent again later.
    package static let stopGrace: Int64 = 5_000

    /// Refused hellos and change-sets of one neighbour within `misbehaviourWindow` before its link is paused. An honest
    /// neighbour that waits for a person's help makes six a minute.
    package static let misbehaviourMax = 20

    package static let misbehaviourWindow: Int64 = 60_000

    /// How long the link of a neighbour with too many errors stays paused.
    package static let misbehaviourPause: Int64 = 60_000
}
