import Foundation

/// A folder that goes away with its owner.
package final class TemporaryFolder: Sendable {
    package let url: URL

    /// - Parameter kind: what the folder's name begins with, so that a folder that was left over tells whose it was.
    package init(_ kind: String = "node") throws {
        url = FileManager.default.temporaryDirectory.appending(path: "\(kind)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appending(path: name).path }

    package func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }
}

/// A file that is gone when the body returns.
package func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    let folder = try TemporaryFolder("file")
    let path = folder.path("file.csv")
    try Data(bytes).write(to: URL(filePath: path))
    return try withExtendedLifetime(folder) { try body(path) }
}

package func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    try withFile(Array(text.utf8), body)
}
