import CCurl
import CCurlShim
import FederationModel
import Foundation
import Synchronization

/// The thread that owns every libcurl handle of one client.
///
/// `@unchecked Sendable` because of the fields that only that thread uses once it runs: `multi`, `running` and
/// `nextNudge`. Everything
/// else that crosses threads is behind the inbox's lock. `curl_multi_wakeup` is the one libcurl call made from other
/// threads, as its manual allows, and only while the inbox says that the handle still exists.
final class CurlLoop: @unchecked Sendable {
    enum Command {
        case start(Transfer)
        /// There is something to send, or room to receive.
        case resume(Transfer)
        case cancel(Transfer)
    }

    private struct Inbox {
        var commands: [Command] = []
        var isStopping = false
        /// The thread has let go of everything.
        var isOver = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private struct Running {
        let transfer: Transfer
        let handle: EasyHandle
        /// When the response's head must be here; nil where libcurl's own timeout covers the whole transfer.
        let headDeadline: ContinuousClock.Instant?
    }

    private static let nudgeDelay = Duration.milliseconds(20)
    private static let libcurl: CURLcode = fc_global_init()

    private let endpoint: PeerEndpoint
    /// What the next connections are made with.
    private let credentials: Mutex<PeerCredentials>
    private let limits: PeerLimits
    private let inbox = Mutex(Inbox())
    private let multi: UnsafeMutableRawPointer?
    private var running: [ObjectIdentifier: Running] = [:]
    /// When the paused uploads are to be nudged; nil while nothing has come in since the last time.
    private var nextNudge: ContinuousClock.Instant?

    init(endpoint: PeerEndpoint, credentials: PeerCredentials, limits: PeerLimits) {
        self.endpoint = endpoint
        self.credentials = Mutex(credentials)
        self.limits = limits
        _ = Self.libcurl
        multi = curl_multi_init()
        let thread = Thread { [self] in run() }
        thread.stackSize = 512 << 10
        thread.start()
    }

    // MARK: - From any thread

    func replace(_ new: PeerCredentials) { credentials.withLock { $0 = new } }

    func post(_ command: Command) {
        let isTaken = inbox.withLock { inbox in
            guard !inbox.isStopping else { return false }
            inbox.commands.append(command)
            curl_multi_wakeup(multi)
            return true
        }
        if !isTaken, case .start(let transfer) = command { transfer.end(.failure(closed)) }
    }

    func stop() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            if !inbox.isOver { curl_multi_wakeup(multi) }
        }
    }

    func stopAndWait() async {
        stop()
        await withCheckedContinuation { waiter in
            let isOver = inbox.withLock { inbox in
                if !inbox.isOver { inbox.stopWaiters.append(waiter) }
                return inbox.isOver
            }
            if isOver { waiter.resume() }
        }
    }

    private var closed: FederationError {
        FederationError("E_PEER_CLOSED", "the client for \(endpoint.place) has been shut down")
    }

    // MARK: - The thread

    private func run() {
        fc_block_sigpipe()
        fc_name_this_thread("peer-\(endpoint.node)")
        while true {
            let (commands, isStopping) = inbox.withLock { inbox in
                defer { inbox.commands = [] }
                return (inbox.commands, inbox.isStopping)
            }
            commands.forEach(carryOut)
            if isStopping { break }
            var stillRunning: Int32 = 0
            curl_multi_perform(multi, &stillRunning)
            collectEnded()
            let sleep = min(endLateHeads(), nudgePausedUploads())
            var activeSockets: Int32 = 0
            curl_multi_poll(multi, nil, 0, Int32(sleep / .milliseconds(1)) + 1, &activeSockets)
            if activeSockets > 0, nextNudge == nil { nextNudge = .now + Self.nudgeDelay }
        }
        running.values.forEach { remove($0.transfer, with: .failure(closed)) }
        let waiters = inbox.withLock { inbox in
            inbox.isOver = true
            curl_multi_cleanup(multi)
            return inbox.stopWaiters
        }
        waiters.forEach { $0.resume() }
    }

    private func carryOut(_ command: Command) {
        switch command {
        case .start(let transfer):
            start(transfer)
        case .resume(let transfer):
            guard let entry = running[ObjectIdentifier(transfer)] else { return }
            curl_easy_pause(entry.handle.pointer, CURLPAUSE_CONT)
        case .cancel(let transfer):
            remove(transfer, with: .failure(CancellationError()))
        }
    }

    private func start(_ transfer: Transfer) {
        guard !transfer.isEnded else { return }
        guard
            let handle = EasyHandle(
                transfer, endpoint: endpoint, credentials: credentials.withLock { $0 }, limits: limits),
            curl_multi_add_handle(multi, handle.pointer) == CURLM_OK
        else {
            transfer.end(
                .failure(FederationError("E_PEER_UNREACHABLE", "out of memory for a connection to \(endpoint.place)")))
            return
        }
        let headDeadline: ContinuousClock.Instant? =
            switch transfer.request.body {
            case .whole: nil
            case .streamed: .now + .milliseconds(transfer.request.deadlineMS)
            }
        running[ObjectIdentifier(transfer)] = Running(transfer: transfer, handle: handle, headDeadline: headDeadline)
    }

    private func collectEnded() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE,
                let entry = running.values.first(where: { $0.handle.pointer == message.pointee.easy_handle })
            else { continue }
            let code = message.pointee.data.result
            guard code != CURLE_OK else {
                remove(entry.transfer, with: .success(()))
                continue
            }
            let failure = PeerFailure(code: code, text: entry.handle.errorText, verification: entry.handle.verifyResult)
            remove(entry.transfer, with: .failure(failure.error(for: endpoint)))
        }
    }

    /// Ends the streams whose head is overdue.
    ///
    /// - Returns: how long the thread may sleep.
    private func endLateHeads() -> Duration {
        var sleep = Duration.seconds(60)
        for entry in running.values {
            guard let deadline = entry.headDeadline, !entry.transfer.hasHead else { continue }
            let left = ContinuousClock.now.duration(to: deadline)
            if left > .zero {
                sleep = min(sleep, left)
            } else {
                remove(entry.transfer, with: .failure(PeerFailure.timeout(endpoint)))
            }
        }
        return sleep
    }

    /// Lets libcurl look again at uploads that are paused because there is nothing to send.
    ///
    /// When the peer ends its response or its connection while an upload is paused, libcurl 7.88 neither ends the
    /// transfer nor watches the socket any longer. Un-paused once, it notices. It is done a little after something came in,
    /// not at once, so that a lively stream does not pay for it with every chunk.
    ///
    /// - Returns: how long the thread may sleep.
    private func nudgePausedUploads() -> Duration {
        guard let due = nextNudge else { return .seconds(60) }
        let left = ContinuousClock.now.duration(to: due)
        guard left <= .zero else { return left }
        nextNudge = nil
        for entry in running.values where entry.transfer.isSendingPaused {
            curl_easy_pause(entry.handle.pointer, CURLPAUSE_CONT)
        }
        return .zero
    }

    private func remove(_ transfer: Transfer, with result: Result<Void, any Error>) {
        guard let entry = running.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        curl_multi_remove_handle(multi, entry.handle.pointer)
        transfer.end(result)
    }
}
