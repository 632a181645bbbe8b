import ChangeSetFormat
import Foundation
import Synchronization

/// How a command of this node tells the running service at once that it has written: a datagram to a Unix socket in the
/// abstract namespace, named after the database. Who rings only makes the service look at its head.
package enum Doorbell {
    /// - Returns: whether a service is there to hear it.
    @discardableResult
    package static func ring(databasePath: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var byte: UInt8 = 1
        return withAddress(of: databasePath) { address, length in
            // A full queue means that it has been rung already.
            sendto(descriptor, &byte, 1, Int32(MSG_DONTWAIT), address, length) == 1 || errno == EAGAIN
        }
    }

    /// One element a ring, until the task that iterates is cancelled.
    ///
    /// - Returns: nil when another process of this machine listens for the same database: the node is running already.
    package static func rings(databasePath: String) -> AsyncStream<Void>? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let bound = withAddress(of: databasePath) { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            close(descriptor)
            return nil
        }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let isOver = Mutex(false)
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = recv(descriptor, &byte, 1, 0)
                // An empty datagram is a ring too: anybody on this machine may send one, and it must not end the listening.
                if isOver.withLock({ $0 }) || count < 0 && errno != EINTR { break }
                continuation.yield()
            }
            close(descriptor)
        }
        thread.name = "doorbell"
        thread.start()
        continuation.onTermination = { _ in
            isOver.withLock { $0 = true }
            // shutdown(2) makes the waiting recv return.
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        return stream
    }

    private static func withAddress<T>(
        of databasePath: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        let path = URL(filePath: databasePath).resolvingSymlinksInPath().path
        let name = "federation-node-\(String(fnv1a64(path.utf8), radix: 16))"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // unix(7): a first byte of 0 puts the name into the abstract namespace; it goes away with the socket.
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            for (index, byte) in name.utf8.enumerated() { bytes[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
