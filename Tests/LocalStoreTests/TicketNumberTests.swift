import FederationModel
import LocalStore
import TestSupport
import Testing

@Suite struct `Ticket numbers of a node` {
    private let day = CivilDate.dayNumber(year: 2025, month: 9, day: 30)

    @Test func `begin at one each day, and blocks adjoin`() async throws {
        let temporary = try TemporaryStore(jinan)
        let store = temporary.store
        #expect(try await draw(1, from: store) == ["37010020250930010000012"])
        #expect(
            try await store.drawTicketNumbers(count: 3, dayNumber: day, channel: "02").map(\.sequence) == [2, 3, 4])
        #expect(try await store.drawTicketNumbers(count: 1, dayNumber: day + 1, channel: "01").map(\.sequence) == [1])
        #expect(try await store.drawTicketNumbers(count: 1, dayNumber: day, channel: "01").map(\.sequence) == [5])
    }

    @Test func `of a node below the county begin with the county`() async throws {
        let temporary = try TemporaryStore(node("370102001"))
        #expect(try await draw(1, from: temporary.store)[0].hasPrefix("37010220250930"))
    }

    @Test func `end with 999999 and say so`() async throws {
        let temporary = try TemporaryStore(jinan)
        _ = try await draw(999_998, from: temporary.store)
        #expect(await refusal { try await draw(2, from: temporary.store) } == "E_NUMBERS_EXHAUSTED")
        #expect(try await draw(1, from: temporary.store)[0].hasPrefix("3701002025093001999999"))
        #expect(await refusal { try await draw(1, from: temporary.store) } == "E_NUMBERS_EXHAUSTED")
        #expect(await refusal { try await draw(.max, from: temporary.store) } == "E_NUMBERS_EXHAUSTED")
        #expect(await refusal { try await draw(0, from: temporary.store) } == "E_NUMBERS_EXHAUSTED")
    }

    @Test(arguments: ["", "1", "001", "x1"])
    func `carry no channel that is not two digits`(channel: String) async throws {
        let temporary = try TemporaryStore(jinan)
        let code = await refusal {
            try await temporary.store.drawTicketNumbers(count: 1, dayNumber: day, channel: channel)
        }
        #expect(code == "E_NUMBER_INVALID")
    }

    @Test func `are never given twice by two that draw at the same time`() async throws {
        let temporary = try TemporaryStore(jinan)
        let drawn = try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    var mine: [String] = []
                    for _ in 0..<10 { mine += try await draw(5, from: temporary.store) }
                    return mine
                }
            }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(drawn.count == 400 && Set(drawn).count == 400)
    }

    private func draw(_ count: Int, from store: NodeStore) async throws -> [String] {
        try await store.drawTicketNumbers(count: count, dayNumber: day, channel: "01").map(\.description)
    }

    /// The code with which it was refused; nil when it was not.
    private func refusal<Value>(_ work: () async throws -> Value) async -> String? {
        do {
            _ = try await work()
            return nil
        } catch {
            return (error as? FederationError)?.code
        }
    }
}
