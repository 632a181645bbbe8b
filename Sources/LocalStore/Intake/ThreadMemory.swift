import FederationModel
import Synchronization

/// The threads of tickets in work as the guard left them, so that the next record of a ticket is checked without reading
/// what is stored of it: that is half of what storing a pushed record costs.
struct ThreadMemory: Sendable {
    /// The head of the feed at which they are true.
    var head: Seq = 0
    private var young: [ExactText: Kept] = [:]
    private var old: [ExactText: Kept] = [:]

    /// By reference: a dictionary has room for a value in each empty place too.
    private final class Kept: Sendable {
        let thread: GuardedThread

        init(_ thread: GuardedThread) { self.thread = thread }
    }

    /// Tickets in a generation. Two are kept, of some 13 MB each at most: what a very large city works on at one time.
    private static let generation = 17_000

    subscript(ticket: ExactText) -> GuardedThread? {
        get { (young[ticket] ?? old[ticket])?.thread }
        set {
            old[ticket] = nil
            young[ticket] = newValue.map { Kept($0) }
            guard young.count >= Self.generation else { return }
            old = young
            young = [:]
        }
    }

    /// Holds a store's memory between two turns of its writer.
    final class Box: Sendable {
        private let memory = Mutex(ThreadMemory())

        /// Leaves an empty one behind: when a transaction fails, nothing is remembered of it.
        func take() -> ThreadMemory {
            memory.withLock { memory in
                let taken = memory
                memory = ThreadMemory()
                return taken
            }
        }

        /// To be called when tickets are folded by other rules.
        func forget() { _ = take() }

        func put(_ remembered: ThreadMemory) { memory.withLock { $0 = remembered } }
    }
}
