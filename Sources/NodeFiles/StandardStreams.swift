import FederationModel
import Foundation
import Synchronization

/// stdin, stdout and stderr of this process, whatever they are: closed, full, or a pipe that nobody reads.
///
/// `print` and `FileHandle.write` either keep what can't be written to themselves or end the process.
package enum StandardStreams {
    /// What the process stands on before it does anything else.
    ///
    /// A closed standard stream is replaced by one on which writing fails: otherwise the next file that is opened, be it the
    /// database, would get its number. Signals that tell of a broken pipe or of a file that reached its limit are errors of
    /// the write then. And whatever is created from here on is for this user alone.
    package static func prepareProcess() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) == -1 {
            // open(2) gives the lowest number that is free.
            _ = open("/dev/null", number == STDERR_FILENO ? O_WRONLY : O_RDONLY)
        }
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        umask(0o077)
    }

    // MARK: - stdout

    private static let hasReader = Mutex(true)

    /// Writes to stdout. A reader that has hung up (`| head -1`) has read enough: the rest is dropped.
    ///
    /// - Parameter mustArrive: whether a reader that has hung up is an error too: for what can't be shown a second time.
    /// - Throws: `E_OUTPUT_WRITE`.
    package static func output(_ text: String, mustArrive: Bool = false) throws(FederationError) {
        guard hasReader.withLock({ $0 }) || mustArrive else { return }
        if write(Array(text.utf8), to: STDOUT_FILENO) { return }
        let reason = errno
        if reason == EPIPE, !mustArrive {
            hasReader.withLock { $0 = false }
            return
        }
        throw FederationError(
            "E_OUTPUT_WRITE", "the output can't be written: \(String(cString: strerror(reason)))",
            hint: mustArrive
                ? "nothing was kept; mend it and try again"
                : "what the command did is done: look before you do it again")
    }

    // MARK: - stderr

    /// Writes to stderr, as far as that is possible: what is said there is never worth failing for.
    package static func note(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

    private static let log = Mutex((lost: 0, told: 0, isTorn: false))

    /// Lines of the log that could not be written since the process started.
    package static var logLinesLost: Int { log.withLock { $0.lost } }

    /// Writes a line of the log, or drops and counts it: a disk that is full, a reader that is gone and one that has stopped
    /// reading must not hold up what is logged. `line` gets the number of lines lost before it.
    package static func log(_ line: (_ lost: Int) -> [UInt8]) {
        log.withLock { log in
            // The end of a line that could not be written whole.
            let bytes: [UInt8] = (log.isTorn ? [UInt8(ascii: "\n")] : []) + line(log.lost - log.told)
            var rest = bytes[...]
            while !rest.isEmpty {
                // A pipe that is ready takes 4,096 bytes at once (pipe(7)), and no more without its reader.
                let part = rest.prefix(4_096)
                var descriptor = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                guard poll(&descriptor, 1, 0) == 1, descriptor.revents & Int16(POLLOUT) != 0,
                    write(Array(part), to: STDERR_FILENO)
                else {
                    log.lost += 1
                    if rest.count < bytes.count { log.isTorn = true }
                    return
                }
                rest = rest.dropFirst(part.count)
                log.isTorn = false
            }
            log.told = log.lost
        }
    }

    // MARK: - Bytes

    /// Writes all bytes, however often the system takes only some of them.
    ///
    /// - Returns: whether all were taken; if not, `errno` says why.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                done += count
            } else if count < 0, errno == EAGAIN {
                // Somebody who shares the terminal or the pipe has made it non-blocking.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if count == 0 || errno != EINTR {
                if count == 0 { errno = EIO }
                return false
            }
        }
        return true
    }
}
