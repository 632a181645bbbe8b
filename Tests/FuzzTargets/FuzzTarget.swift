import ConfigurationFiles
import FederationModel

/// A reader of bytes from outside, as the fuzzer and the test of the corpus call it.
package struct FuzzTarget: Sendable {
    /// Also the folder of its corpus in `Tests/FuzzCorpus`.
    package let name: String
    private let read: @Sendable ([UInt8]) throws -> Void

    /// - Parameter read: reads the bytes and holds what it gets to what is promised. What it throws is a refusal, which must be an error
    ///   for people, or a `BrokenPromise`.
    init(_ name: String, read: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.read = read
    }

    package static let all = linkTargets + signedTargets + questionTargets + fileTargets + recordTargets

    /// - Throws: `BrokenPromise`.
    package func run(_ bytes: [UInt8]) throws {
        do {
            try read(bytes)
        } catch let error as BrokenPromise {
            throw error
        } catch {
            try checkRefusal(error)
        }
    }
}

/// Something that the program promises of every input, and that did not hold for this one.
package struct BrokenPromise: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

func promise(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    guard holds else { throw BrokenPromise(what()) }
}

/// Stands for what a citizen said. The corpus and the fuzzer's dictionary have it in values of fields; no message may hold it.
private let secret = "柒K7Q2"

/// A refusal has a stable code, and repeats no value.
func checkRefusal(_ error: any Error) throws {
    switch error {
    case let error as FederationError: try checkMessage(code: error.code, error.description)
    case let rejection as RowRejection: try checkMessage(code: rejection.code, "\(rejection) \(rejection.hint)")
    case let file as FileProblems:
        try promise(!file.problems.isEmpty, "a file is refused for nothing")
        // What an administrator wrote may be shown to him.
        for problem in file.problems { try promise(isCode(problem.code), "an error without a code: \(problem)") }
    default: throw BrokenPromise("\(type(of: error)) is no error for people: \(error)")
    }
}

func checkMessage(code: String, _ message: String) throws {
    try promise(isCode(code), "an error without a code: \(message)")
    try promise(!message.contains(secret), "a value in a message: \(message)")
}

func isCode(_ text: String) -> Bool { text.wholeMatch(of: /E_[A-Z0-9_]+/) != nil }
