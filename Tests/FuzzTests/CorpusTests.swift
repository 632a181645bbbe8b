import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What the fuzzer starts from, and what it found: each file of the corpus has a reason.
@Suite struct `The corpus of the fuzzer` {
    private static let folder = repositoryRoot.appending(path: "Tests/FuzzCorpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func `breaks no promise of a reader`(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: name), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try target.run(bytes) }
        }
    }

    @Test func `has a folder for each target and no other`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name) + ["words.dict"]))
    }
}
