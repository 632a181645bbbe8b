import FederationModel
import Foundation

/// Writes the rows that were not taken as CSV: `row,line,field,code,reason`. No value of a field is in it, so the file can
/// be handed to whoever keeps the source.
package final class RejectsWriter {
    private let path: String
    private let file: FileHandle
    private var pending = "row,line,field,code,reason\n"

    /// Creates or replaces the file.
    ///
    /// - Throws: `E_REJECTS_WRITE`.
    package init(path: String) throws {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else {
            throw FederationError("E_REJECTS_WRITE", "\(path) cannot be created", hint: "check the folder's rights")
        }
        self.file = file
    }

    /// - Throws: `E_REJECTS_WRITE`.
    package func write(_ row: IntakeRow) throws {
        guard case .failure(let rejection) = row.result else { return }
        let texts = [rejection.field ?? "", rejection.code, rejection.reason].map(quoted).joined(separator: ",")
        pending += "\(row.number),\(row.line),\(texts)\n"
        if pending.utf8.count > 64 << 10 { try flush() }
    }

    /// Writes what is left. Call it once at the end.
    ///
    /// - Throws: `E_REJECTS_WRITE`.
    package func close() throws {
        try flush()
        try? file.close()
    }

    private func flush() throws {
        do {
            try file.write(contentsOf: Data(pending.utf8))
        } catch {
            throw FederationError("E_REJECTS_WRITE", "\(path) cannot be written: \(error)")
        }
        pending = ""
    }

    private func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
