import Foundation

/// The files of the repository, as the tidy tests read them.
struct SourceFile: Sendable {
    /// Relative to the root of the repository.
    let path: String
    let lines: [Substring]

    /// The lines that hold code, with their numbers; comments are free to name what is banned.
    var code: [(number: Int, text: Substring)] {
        lines.enumerated().map { ($0.offset + 1, $0.element) }.filter {
            !$0.text.drop { $0 == " " }.hasPrefix("//")
        }
    }
}

enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All files below `folder` whose names end in `suffix`, in the order of their paths.
    static func files(in folder: String, suffix: String) -> [SourceFile] {
        let start = root.appending(path: folder)
        guard let names = FileManager.default.enumerator(atPath: start.path) else { return [] }
        return names.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.sorted().compactMap { name in
            read(folder + "/" + name)
        }
    }

    static func read(_ path: String) -> SourceFile? {
        guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else { return nil }
        return SourceFile(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }
}
