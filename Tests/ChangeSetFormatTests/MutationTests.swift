import ChangeSetFormat
import FederationModel
import Testing

/// Valid change-sets with bytes flipped, inserted and taken out: whatever is accepted must be whole.
@Suite struct `A mutated change-set` {
    @Test(arguments: 0..<8 as Range<UInt64>) func `never crashes the reader, and is whole where it is accepted`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        let rows = (0..<6).map { row("k\($0)", anyFields(&random)) }
        let valid = PlainChangeSet([block(rows), block([row("z")], kind: .sweep)])
        var accepted = 0
        for _ in 0..<5_000 {
            var mutant = valid
            mutant.payload = mutated(valid.payload, &random)
            // Otherwise nearly every mutant of the first bytes would be refused by its digest alone.
            mutant.seal()
            if isWhole(mutant) { accepted += 1 }
        }
        // A flipped bit in a text or in a number is another valid value.
        #expect(accepted > 100)
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func `has a header that is refused or agrees with itself`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed &+ 1_000)
        let valid = PlainChangeSet([block([row("a"), row("b")])])
        let bytes = valid.header.encoded()
        for _ in 0..<5_000 {
            let mutant = mutated(bytes, &random)
            guard let (header, _) = try? mutant.withUnsafeBytes({ try ChangeSetHeader.decode($0) }) else { continue }
            let again = header.encoded()
            let (reread, _) = try again.withUnsafeBytes { try ChangeSetHeader.decode($0) }
            #expect(reread == header)
            var changeSet = valid
            changeSet.header = header
            changeSet.seal()
            _ = isWhole(changeSet)
        }
    }

    @Test func `of nothing but chance is refused`() {
        var random = SplitMix64(seed: 99)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<200, using: &random)
            var changeSet = PlainChangeSet([], rowCount: 5)
            changeSet.payload = (0..<count).map { _ in UInt8.random(in: 0...9, using: &random) }
            changeSet.seal()
            #expect(!isWhole(changeSet))
        }
    }

    /// Whether it is accepted; then its rows are as many as announced, every cell can be read and checked, and writing
    /// them again gives the same rows.
    private func isWhole(_ changeSet: PlainChangeSet) -> Bool {
        guard let tables = try? changeSet.rows(), let blocks = try? changeSet.decoded() else { return false }
        #expect(tables.reduce(0) { $0 + $1.count } == changeSet.header.rowCount)
        let faults = (try? changeSet.faults()) ?? []
        #expect(faults.allSatisfy { fault in tables.contains { fault.row < $0.count } })
        let again = PlainChangeSet(zip(tables, blocks).map { block($0, kind: $1.kind) })
        #expect((try? again.rows()) == tables)
        return true
    }

    private func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
            case 3: bytes.remove(at: index)
            default: bytes.removeSubrange(index..<min(bytes.count, index + 9))
            }
        }
        return bytes
    }
}
