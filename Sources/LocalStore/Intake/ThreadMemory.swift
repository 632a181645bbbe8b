import FederationModel
import Synchronization

/// The threads of tickets in work as the guard left them, so that the next record of a ticket is checked without reading
/// what is stored of it: that is half of what storing a pushed record costs.
struct ThreadMemory: Sendable {
    /// The head of the feed at which they are true.
    var head: Seq = 0
    private var young: [ExactText: Kept] = [:]
    private var old: [ExactText: Kept] = [:]

    /// By reference: a thread is taken further where it lies, and a dictionary has room for a value in each empty place too.
    ///
    /// `@unchecked Sendable`: only who has taken the memory out of its box knows it.
    final class Kept: @unchecked Sendable {
        var thread: GuardedThread

        init(_ thread: GuardedThread) { self.thread = thread }
    }

    /// Tickets in a generation. Two are kept, of some 13 MB each at most: what a very large city works on at one time.
    private static let generation = 17_000

    subscript(ticket: ExactText) -> Kept? {
        get { young[ticket] ?? old[ticket] }
        set {
            old[ticket] = nil
            young[ticket] = newValue
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
