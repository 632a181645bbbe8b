import FederationModel
import NIOCore

/// Every limit that a local system's push meets, each with its reason. A test stands at each.
package enum IntakeLimits {
    /// Bytes of a body as it arrives and after unpacking. 5,000 tickets with usual texts take 4 to 5 MB.
    package static let bodyBytesMax = 8 << 20

    /// Records of one request: as many rows as `import` commits at once. More would hold the writer for seconds.
    package static let recordsMax = 5_000

    /// Bytes of all bodies that are held at one time, arriving or waiting for the writer; beyond it 429. It is what bounds
    /// the intake's memory: the records of a body take about six times its bytes. One body fits packed and unpacked.
    package static let heldBytesMax = 16 << 20

    /// Requests that are worked on at one time; beyond it 429. The database has one writer: more only wait longer.
    package static let requestsMax = 64

    /// What a refused client is asked to wait, in seconds: a commit takes tenths of one.
    package static let retryAfterSeconds = 1

    /// From a request's head to the end of its body; beyond it 408. 8 MiB need 2 Mbit/s then.
    package static let bodySeconds = 30

    /// Between two requests of a connection, and between two pieces of one. A connection that is silent so long is closed.
    package static let idleTimeout = TimeAmount.seconds(60)

    /// How much of a refused body is still taken, and dropped: most clients read the answer only when they have sent all,
    /// so a batch that is merely asked to come again must get through. What is larger ends with its connection.
    package static let lingerBytes = bodyBytesMax

    /// How long it is taken.
    package static let lingerSeconds = 10
}
