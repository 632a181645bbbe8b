import FederationModel
import NodeRuntime
import Testing

@Suite struct `The change signal` {
    @Test func `tells a slow listener only the newest head`() async {
        let signal = ChangeSignal()
        var heads = signal.heads().makeAsyncIterator()
        for head: Seq in 1...1_000 { signal.ring(head: head) }
        #expect(await heads.next() == 1_000)
        signal.ring(head: 1_001)
        #expect(await heads.next() == 1_001)
    }

    @Test func `reaches every listener, and none that came later`() async {
        let signal = ChangeSignal()
        var first = signal.heads().makeAsyncIterator()
        var second = signal.heads().makeAsyncIterator()
        signal.ring(head: 1)
        var late = signal.heads().makeAsyncIterator()
        #expect(await first.next() == 1)
        #expect(await second.next() == 1)
        signal.ring(head: 2)
        #expect(await late.next() == 2)
    }

    @Test func `goes on for the others when a listener leaves`() async {
        let signal = ChangeSignal()
        var stays = signal.heads().makeAsyncIterator()
        let leaving = signal.heads()
        let listener = Task { for await _ in leaving {} }
        listener.cancel()
        await listener.value
        signal.ring(head: 7)
        #expect(await stays.next() == 7)
        var gone = leaving.makeAsyncIterator()
        #expect(await gone.next() == nil)
    }
}
