import FederationModel
import Testing

@Suite struct `An announcement as a thread` {
    private func record(_ minutes: Int64, withdrawn: UnixMilliseconds? = nil) -> AnnouncementRecord {
        AnnouncementRecord(
            origin: "370100", version: HybridTime(rawValue: (1_790_000_000_000 + minutes * 60_000) << 16),
            publishedAt: 1_790_000_000_000, withdrawnAt: withdrawn)
    }

    @Test func `is published, revised or withdrawn, by its latest record`() {
        func state(_ records: [AnnouncementRecord]) -> AnnouncementState {
            AnnouncementKind().fold(records, rules: LifecycleRules())
        }
        #expect(state([record(0)]).status == .published)
        #expect(state([record(1)]).status == .published, "storing it takes a moment")
        let revised = state([record(0), record(30)])
        #expect(revised.status == .revised && revised.since == 1_790_000_000_000 + 1_800_000)
        let withdrawn = record(60, withdrawn: 1_790_000_000_007)
        for records in [[record(0), withdrawn], [withdrawn, record(0)]] {
            #expect(state(records).status == .withdrawn && state(records).since == 1_790_000_000_007)
        }
    }
}
