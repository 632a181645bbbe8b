import ChangeSetFormat
import FederationModel
import SyncProtocol

/// A real `LinkSender` and a real `LinkReceiver` on stores in memory, a bad network, virtual time and one queue of events.
///
/// What can happen: messages delayed, connections cut with anything in flight, messages of a cut connection that arrive
/// after the next hello, requests repeated or lost behind a buffering proxy, either node restarted, changed policies at
/// different moments on both ends, a restore with a new epoch.
struct SimulatedPair {
    var random: SeededRandom
    let mutant: Mutant?
    var now = Link.start
    private var events: [(at: UnixMilliseconds, order: Int, run: (inout SimulatedPair) -> Void)] = []
    private var order = 0

    var source = SimulatedSource(epoch: Link.epoch)
    var target = SimulatedTarget()
    var sender: LinkSender
    var receiver: LinkReceiver
    var senderPolicy = Link.policy()
    var receiverPolicy = Link.policy()

    /// Raised with each life of either process; what was meant for a former one is lost.
    private var senderLife = 0
    private var receiverLife = 0
    /// The connection that the sender believes in.
    private var connection = 0
    private var timer = 0
    /// Raised when what is being prepared is of no use any more.
    private var preparation = 0
    private var outgoing: [Int: SimulatedChangeSet] = [:]
    private var incoming: [Int: SimulatedChangeSet] = [:]
    private var nextID = 0
    /// What of a stream something between the nodes holds back.
    private let held: HeldHalf?
    /// The last connection that has had a stream.
    private var streamed: Int?
    /// Rows that the receiver stores in a millisecond; nil when an apply takes as long as chance will have it.
    private let applyRate: Int?
    /// Chance that a message takes its connection with it.
    private var trouble = 0.03
    /// What the sender has sent last: for a mutant.
    private var lastSentEnd: Cursor?
    /// When each direction's last message arrives: a stream keeps its order.
    private var lastArrival: [String: UnixMilliseconds] = [:]

    var problems: [String] = []
    private(set) var appliedCount = 0
    private(set) var refusedCount = 0
    /// Where the sender has fallen back to requests.
    private(set) var requestsUsed: Set<HeldHalf> = []

    init(seed: UInt64, mutant: Mutant? = nil, applyRate: Int? = nil) {
        random = SeededRandom(seed)
        self.mutant = mutant
        self.applyRate = applyRate
        held = applyRate != nil ? nil : random.chance(0.25) ? HeldHalf.allCases.randomElement(using: &random) : nil
        sender = LinkSender(
            policy: senderPolicy, topology: Link.stamp(1), epoch: source.epoch, head: 0, schemaRevision: 1, seed: seed)
        receiver = Link.receiver()
    }

    // MARK: - History

    /// Some minutes of trouble, then quiet, then the checks.
    mutating func run() -> [String] {
        for _ in 0..<Int.random(in: 0...60, using: &random) { write() }
        startSender()
        let end = now + 300_000
        var time = now
        while time < end {
            time += Int64.random(in: 1...6_000, using: &random)
            if time < end { at(time) { $0.happen() } }
        }
        play(until: end)
        trouble = 0
        setPolicies()
        play(until: end + 200_000)
        check()
        return problems
    }

    /// A first contact with many rows on a quiet network, while new ones are written each second.
    ///
    /// - Returns: how long the slowest of the new rows took to the receiver's disk, and how long all of the others.
    mutating func initialLoad(rows: Int) -> (live: Int64, load: Int64) {
        trouble = 0
        for number in 0..<rows { put("old\(number)") }
        let began = now
        startSender()
        var (slowest, written): (Int64, [(id: RowID, at: UnixMilliseconds)]) = (0, [])
        while target.cursor?.sweep != .complete, now < began + 3_600_000 {
            written.append((put("new\(now)"), now))
            let end = now + 1_000
            while now < end {
                play(until: now + 100)
                for (id, time) in written where target.rows[id] != nil { slowest = max(slowest, now - time) }
                written.removeAll { target.rows[$0.id] != nil }
            }
        }
        for (_, time) in written { slowest = max(slowest, now - time) }
        return (slowest, now - began)
    }

    @discardableResult
    private mutating func put(_ key: String) -> RowID {
        let row = SimulatedRow(
            resource: Link.resources[0], key: RowKey(origin: Link.city.code, key: key), version: source.seq + 1,
            isDeleted: false)
        source.write(row)
        feedSender { [head = source.seq] in $0.onCommitted(head: head, now: $1) }
        return RowID(resource: row.resource, key: row.key)
    }

    private mutating func happen() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<75: for _ in 0..<Int.random(in: 1...12, using: &random) { write() }
        case 75..<84: cut("the network failed")
        case 84..<88: restartSender()
        case 88..<92: restartReceiver()
        case 92..<95: newPolicy()
        case 95..<97: restore()
        default: trouble = Double.random(in: 0...0.1, using: &random)
        }
    }

    private mutating func write() {
        let origin = random.chance(0.7) ? Link.city : Link.county
        let key = RowKey(origin: origin.code, key: "t\(Int.random(in: 0..<80, using: &random))")
        guard let resource = Link.resources.randomElement(using: &random) else { return }
        source.write(
            SimulatedRow(resource: resource, key: key, version: source.seq + 1, isDeleted: random.chance(0.2)))
        if mutant != .commitUnheard { feedSender { [head = source.seq] in $0.onCommitted(head: head, now: $1) } }
    }

    private mutating func newPolicy() {
        let granted = Link.resources.filter { _ in random.chance(0.7) }
        let policy = Link.policy(
            version: max(senderPolicy.revision.topology, receiverPolicy.revision.topology) + 1, granted: granted)
        let senderFirst = random.chance(0.5)
        let later = now + Int64.random(in: 0...20_000, using: &random)
        at(senderFirst ? now : later) { $0.setSenderPolicy(policy) }
        at(senderFirst ? later : now) { $0.setReceiverPolicy(policy) }
    }

    private mutating func setPolicies() {
        let newest = senderPolicy.revision < receiverPolicy.revision ? receiverPolicy : senderPolicy
        setSenderPolicy(newest)
        setReceiverPolicy(newest)
    }

    private mutating func setSenderPolicy(_ policy: LinkPolicy) {
        guard senderPolicy.revision < policy.revision else { return }
        senderPolicy = policy
        // What is being prepared under the former one is dropped, as the shell does.
        preparation += 1
        feedSender { $0.onPolicyChanged(policy, topology: Link.stamp(policy.revision.topology), now: $1) }
    }

    private mutating func setReceiverPolicy(_ policy: LinkPolicy) {
        guard receiverPolicy.revision < policy.revision else { return }
        receiverPolicy = policy
        target.withdraw(under: policy)
        feedReceiver { $0.onPolicyChanged(policy, topology: Link.stamp(policy.revision.topology), now: $1) }
    }

    /// The sender's rows of some time ago, under a new epoch. What it lost is lost: give-back is not built yet.
    private mutating func restore() {
        source.forget(Set(source.rows.keys.sorted().filter { _ in random.chance(0.1) }))
        source.seq = (source.rows.values.map(\.seq).max() ?? 0)
        source.epoch = Epoch(counter: source.epoch.counter + 1, nonce: random.next())
        restartSender()
    }

    private mutating func restartSender() {
        cut("the sender stopped")
        senderLife += 1
        outgoing = [:]
        sender = LinkSender(
            policy: senderPolicy, topology: Link.stamp(senderPolicy.revision.topology), epoch: source.epoch,
            head: source.seq, schemaRevision: 1, seed: random.next())
        startSender()
    }

    private mutating func startSender() { feedSender { $0.onStart(now: $1) } }

    private mutating func restartReceiver() {
        cut("the receiver stopped")
        receiverLife += 1
        incoming = [:]
        receiver = LinkReceiver(
            node: Link.province, sender: Link.city, topology: Link.stamp(receiverPolicy.revision.topology),
            policy: receiverPolicy, schemaRevision: 1, cursor: target.cursor, now: now)
    }

    // MARK: - Time

    private mutating func at(_ time: UnixMilliseconds, _ run: @escaping (inout SimulatedPair) -> Void) {
        order += 1
        events.append((max(time, now), order, run))
    }

    private mutating func play(until end: UnixMilliseconds) {
        while let index = events.indices.min(by: {
            (events[$0].at, events[$0].order) < (events[$1].at, events[$1].order)
        }),
            events[index].at <= end
        {
            let event = events.remove(at: index)
            now = event.at
            event.run(&self)
        }
        now = end
    }

    // MARK: - The sender's shell

    private mutating func feedSender(_ input: (inout LinkSender, UnixMilliseconds) -> [LinkDirective]) {
        for directive in input(&sender, now) { carryOut(directive) }
    }

    /// An input that belongs to one connection: lost when the sender has given that up.
    private mutating func senderHears(
        _ number: Int, after delay: Int64, _ input: @escaping (inout LinkSender, UnixMilliseconds) -> [LinkDirective]
    ) {
        let life = senderLife
        at(now + delay) { if $0.connection == number && $0.senderLife == life { $0.feedSender(input) } }
    }

    private mutating func carryOut(_ directive: LinkDirective) {
        switch directive {
        case .connect(let hello):
            connection += 1
            let number = connection
            if random.chance(trouble) {
                let error = FederationError("E_CONNECT", "no route", isRetryable: true)
                senderHears(number, after: 50) { $0.onConnectFailed(error, now: $1) }
                return
            }
            deliver(number) { pair in
                pair.feedReceiver { [cursor = pair.target.cursor] in
                    $0.onHello(hello, connection: number, cursor: cursor, now: $1)
                }
            }
        case .openStream:
            let number = connection
            senderHears(number, after: 1) { $0.onStreamOpened(now: $1) }
            streamed = number
            if held != .request { deliver(number) { $0.feedReceiver { $0.onProbe(connection: number, now: $1) } } }
        case .useRequests:
            if streamed == connection { problems.append("used requests on a connection whose end a stream decides") }
            if let held { requestsUsed.insert(held) }
        case .prepare(let request):
            let (life, number) = (senderLife, preparation)
            at(now + Int64.random(in: 0...300, using: &random)) {
                if $0.senderLife == life && $0.preparation == number { $0.prepare(request) }
            }
        case .send(let id):
            guard let changeSet = outgoing.removeValue(forKey: id) else { return problems.append("sent nothing") }
            outgoing = [:]
            lastSentEnd = changeSet.header.end
            let number = connection
            deliver(number) { $0.arrive(changeSet, connection: number) }
            if held != nil && random.chance(trouble) { deliver(number) { $0.arrive(changeSet, connection: number) } }
        case .heartbeat(let isLevel):
            let number = connection
            let heartbeat = Heartbeat(head: source.seq, clock: now, isLevel: isLevel, origins: [:])
            deliver(number) { $0.feedReceiver { $0.onHeartbeat(heartbeat, connection: number, now: $1) } }
        case .disconnect: hangUp()
        case .wake(let time):
            timer += 1
            let (number, life) = (timer, senderLife)
            at(time) { if $0.timer == number && $0.senderLife == life { $0.feedSender { $0.onWake(now: $1) } } }
        case .note, .end: break
        }
    }

    private mutating func prepare(_ request: PrepareRequest) {
        guard let made = source.prepare(request, policy: senderPolicy, now: now),
            request.from.revision == senderPolicy.revision
        else { return feedSender { [head = source.seq] in $0.onNothingToPrepare(head: head, now: $1) } }
        nextID += 1
        outgoing = [nextID: made]
        let prepared = PreparedChangeSet(
            id: nextID, start: made.header.start, end: made.header.end, head: made.header.head,
            rows: made.header.rowCount, bytes: 100)
        feedSender { $0.onPrepared(prepared, now: $1) }
    }

    // MARK: - The network

    /// Brings something to the receiver, in order, unless the connection breaks over it. What was on its way when a
    /// connection broke may still arrive.
    private mutating func deliver(_ number: Int, _ arrive: @escaping (inout SimulatedPair) -> Void) {
        if random.chance(trouble) { return cut("a message was lost") }
        let life = receiverLife
        let time = arrival("up\(number)")
        let strays = random.chance(0.3)
        at(time) { if $0.receiverLife == life && ($0.connection == number || strays) { arrive(&$0) } }
    }

    private mutating func arrival(_ direction: String) -> UnixMilliseconds {
        let time = max(lastArrival[direction] ?? 0, now + Int64.random(in: 1...400, using: &random))
        lastArrival[direction] = time
        return time
    }

    private mutating func answer(
        _ number: Int, _ input: @escaping (inout LinkSender, UnixMilliseconds) -> [LinkDirective]
    ) {
        if random.chance(trouble) { return cut("an answer was lost") }
        if held == .response && streamed == number { return }
        senderHears(number, after: arrival("down\(number)") - now, input)
    }

    /// Both ends notice, at different times. The sender's next connection may be there before the receiver notices.
    private mutating func cut(_ reason: String) {
        let number = connection
        let error = FederationError("E_CONNECTION_LOST", reason, isRetryable: true)
        senderHears(number, after: Int64.random(in: 0...500, using: &random)) {
            $0.onConnectFailed(error, now: $1) + $0.onDisconnected(error, now: $1)
        }
        hangUp(error)
    }

    private mutating func hangUp(_ error: FederationError? = nil) {
        let (number, life) = (connection, receiverLife)
        at(now + Int64.random(in: 0...3_000, using: &random)) {
            if $0.receiverLife == life { $0.feedReceiver { $0.onDisconnected(error, connection: number, now: $1) } }
        }
    }

    // MARK: - The receiver's shell

    private mutating func arrive(_ changeSet: SimulatedChangeSet, connection number: Int) {
        nextID += 1
        let id = nextID
        incoming[id] = changeSet
        feedReceiver { $0.onProgress(connection: number, now: $1) }
        feedReceiver { $0.onChangeSet(id: id, header: changeSet.header, bytes: 100, connection: number, now: $1) }
        if mutant == .staleApplied, let stale = incoming[id], stale.header.start != target.cursor { commit(stale) }
    }

    private mutating func feedReceiver(_ input: (inout LinkReceiver, UnixMilliseconds) -> [ReceiverDirective]) {
        for directive in input(&receiver, now) { carryOut(directive) }
    }

    private mutating func carryOut(_ directive: ReceiverDirective) {
        switch directive {
        case .reply(var reply, let number):
            if mutant == .cursorFromMemory, let lastSentEnd, reply.cursor?.epoch == lastSentEnd.epoch {
                reply.cursor = lastSentEnd
            }
            if mutant == .noSweepAtNewEpoch, reply.cursor?.epoch != source.epoch {
                reply.cursor = Cursor(
                    epoch: source.epoch, seq: source.seq, revision: senderPolicy.revision, sweep: .complete)
                target.cursor = reply.cursor
            }
            answer(number) { [reply] in $0.onHelloReply(reply, now: $1) }
        case .refuseHello(let refusal, let number): answer(number) { $0.onHelloRefused(refusal, now: $1) }
        case .apply(let id): apply(id)
        case .discard(let ids): for id in ids { incoming[id] = nil }
        case .acknowledge(let acknowledgement):
            if acknowledgement.cursor != target.cursor { problems.append("acknowledged what is not on disk") }
            answer(connection) { $0.onAcknowledged(acknowledgement, now: $1) }
        case .refuse(let refusal):
            refusedCount += 1
            answer(connection) { $0.onRefused(refusal, now: $1) }
        case .echo, .giveBack: answer(connection) { $0.onEcho(now: $1) }
        case .progress: answer(connection) { $0.onProgress(now: $1) }
        case .end(let number):
            let error = FederationError("E_CONNECTION_CLOSED", "the receiver said goodbye", isRetryable: true)
            senderHears(number, after: 10) { $0.onDisconnected(error, now: $1) }
        }
    }

    /// The commit comes some time after the directive, the report some time after the commit: a restart may fall between.
    private mutating func apply(_ id: Int) {
        guard let changeSet = incoming.removeValue(forKey: id) else { return problems.append("applied nothing") }
        let life = receiverLife
        let report = Link.applied(changeSet.header.end, rows: changeSet.header.rowCount)
        let isEarly = mutant == .acknowledgedBeforeApply
        let chance = Int64.random(in: 1...900, using: &random)
        let committed = now + (applyRate.map { Int64(changeSet.header.rowCount / $0) + 1 } ?? chance)
        if isEarly { at(now + 1) { if $0.receiverLife == life { $0.feedReceiver { $0.onApplied(report, now: $1) } } } }
        at(committed) { pair in
            guard pair.receiverLife == life else { return }
            if !isEarly && pair.random.chance(pair.trouble / 2) {
                let full = FederationError("E_DISK_FULL", "the disk is full", isRetryable: true)
                return pair.feedReceiver { $0.onApplyRefused(full, now: $1) }
            }
            guard changeSet.header.start.revision == pair.receiverPolicy.revision else {
                let changed = FederationError("E_TOPOLOGY_VERSION", "the topology has changed", isRetryable: true)
                return pair.feedReceiver { $0.onApplyRefused(changed, now: $1) }
            }
            pair.commit(changeSet)
            guard !isEarly else { return }
            let delay = Int64.random(in: 0...100, using: &pair.random)
            pair.at(pair.now + delay) {
                if $0.receiverLife == life { $0.feedReceiver { $0.onApplied(report, now: $1) } }
            }
        }
    }

    /// Rows and cursor together, with the checks that do not trust the receiver.
    private mutating func commit(_ changeSet: SimulatedChangeSet) {
        let (old, start) = (target.cursor, changeSet.header.start)
        if let old, old.epoch == start.epoch, old.revision == start.revision {
            if old != start { problems.append("applied a change-set that does not start at the cursor") }
            if changeSet.header.end.seq < old.seq { problems.append("the cursor went back") }
        } else if let old, old.epoch == start.epoch, old.seq != start.seq {
            problems.append("a new revision began at another seq")
        }
        appliedCount += 1
        target.apply(
            changeSet, policy: receiverPolicy, keepsRows: mutant != .cursorWithoutRows || !random.chance(0.05))
    }

    // MARK: - Checks

    private mutating func check() {
        if sender.state != .level { problems.append("does not come to rest: \(sender.summary)") }
        if receiver.summary(now: now).state != .level { problems.append("the receiver is not level") }
        if sender.summary.lagRows != 0 || receiver.summary(now: now).lagRows != 0 { problems.append("a lag stays") }
        let (want, have) = (source.granted(by: senderPolicy), target.rows)
        for (id, row) in want where have[id] != row { problems.append("\(id) is missing or old") }
        for id in have.keys where want[id] == nil { problems.append("\(id) should not be there") }
    }
}
