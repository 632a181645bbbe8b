import Foundation

/// Bytes that were written once and stay: what one release says, every later one must understand. `scripts/golden.sh` writes those that are
/// not there yet; none is ever made anew.
package struct GoldenFile {
    private let url: URL

    /// - Parameter source: the file of the test, beside whose `Fixtures` it lies.
    package init(_ name: String, source: String = #filePath) {
        url = URL(filePath: source).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
    }

    /// - Parameter made: what today's release writes; it becomes the file if there is none and `GOLDEN=write`.
    package func bytes(or made: [UInt8]) throws -> [UInt8] {
        if ProcessInfo.processInfo.environment["GOLDEN"] == "write", !FileManager.default.fileExists(atPath: url.path) {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(made).write(to: url)
        }
        return Array(try Data(contentsOf: url))
    }
}
