import Foundation
import Yams

/// A kind of file that people write in YAML.
package struct FileKind: Sendable {
    /// In every code of a problem: TOPOLOGY in `E_TOPOLOGY_SYNTAX`.
    package let name: String
    /// The folder with files to start from.
    package let examples: String
    /// Longest file in bytes.
    package let bytesMax: Int

    package init(name: String, examples: String, bytesMax: Int) {
        self.name = name
        self.examples = examples
        self.bytesMax = bytesMax
    }

    /// The text of a file.
    ///
    /// - Throws: `…_UNREADABLE`, `…_TOO_LARGE`, `…_NOT_UTF8`.
    package func text(path: String) throws(FileProblems) -> String {
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            bytes = try handle.read(upToCount: bytesMax + 1) ?? Data()
        } catch {
            throw problem("UNREADABLE", path, "the file can't be read", "check that it exists and may be read")
        }
        guard bytes.count <= bytesMax else { throw tooLarge(path) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("NOT_UTF8", path, "the file is not UTF-8 text", "save it with the encoding UTF-8")
        }
        return text
    }

    /// The YAML of a text that is in memory; `file` is what the problems call it.
    ///
    /// - Throws: `…_TOO_LARGE`, `…_SYNTAX`, `…_ALIAS`.
    package func yaml(_ text: String, file: String) throws(FileProblems) -> Node {
        guard text.utf8.count <= bytesMax else { throw tooLarge(file) }
        do {
            return try YAMLText(text: text, kind: self, file: file).compose()
        } catch {
            throw FileProblems(problems: [error])
        }
    }

    private func tooLarge(_ file: String) -> FileProblems {
        problem(
            "TOO_LARGE", file, "the file is larger than \(bytesMax) bytes",
            "check that it is the right file; those of \(examples) fit many times")
    }

    private func problem(_ code: String, _ file: String, _ message: String, _ hint: String) -> FileProblems {
        FileProblems(problems: [
            .init(code: "E_\(name)_\(code)", file: file, line: 1, message: message, hint: hint)
        ])
    }
}
