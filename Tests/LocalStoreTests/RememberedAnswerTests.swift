import FederationModel
import Foundation
import LocalStore
import TestSupport
import Testing

@Suite struct `What a child answered before` {
    private let question = Array("question".utf8)
    private let other = Array("other".utf8)
    private let day: Int64 = 86_400_000

    private func withStore(_ body: (NodeStore) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try NodeStore.create(at: folder.path("node.db"), node: node("370000"), epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: folder.path("node.db"))
        try await body(store)
        try store.close()
    }

    @Test func `is its last answer to the same question`() async throws {
        try await withStore { store in
            #expect(try await store.rememberedAnswer(of: node("370300"), to: question) == nil)
            for (time, text) in [(1, "first"), (2, "last")] {
                try await store.remember(Array(text.utf8), of: node("370300"), to: question, at: Int64(time))
            }
            let found = try #require(try await store.rememberedAnswer(of: node("370300"), to: question))
            #expect(String(decoding: found.answer, as: UTF8.self) == "last" && found.at == 2)
            #expect(try await store.rememberedAnswer(of: node("370300"), to: other) == nil)
            #expect(try await store.rememberedAnswer(of: node("370400"), to: question) == nil)
        }
    }

    @Test func `is kept for a week, and no more than a thousand`() async throws {
        try await withStore { store in
            for number in 0..<1_005 {
                try await store.remember([1], of: node("370300"), to: Array("\(number)".utf8), at: Int64(number))
            }
            #expect(try await store.rememberedAnswer(of: node("370300"), to: Array("4".utf8)) == nil)
            #expect(try await store.rememberedAnswer(of: node("370300"), to: Array("5".utf8)) != nil)
            try await store.remember([1], of: node("370300"), to: question, at: 8 * day)
            #expect(try await store.rememberedAnswer(of: node("370300"), to: Array("1004".utf8)) == nil)
            #expect(try await store.rememberedAnswer(of: node("370300"), to: question) != nil)
        }
    }

    @Test func `is not kept when it is large`() async throws {
        try await withStore { store in
            try await store.remember(
                [UInt8](repeating: 1, count: (1 << 20) + 1), of: node("370300"), to: question, at: 1)
            #expect(try await store.rememberedAnswer(of: node("370300"), to: question) == nil)
        }
    }
}
