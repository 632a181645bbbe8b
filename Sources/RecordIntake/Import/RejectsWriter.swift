import FederationModel
import NodeFiles

/// Writes the rows that were not taken as CSV: `row,line,field,code,reason`. No value of a field is in it, so the file can
/// be handed to whoever keeps the source.
package final class RejectsWriter {
    private static let header = "row,line,field,code,reason\n"

    private let file: OutputFile
    private var pending = RejectsWriter.header

    /// Takes the place of a file of rejects, of an empty one and of none; anything else keeps its name.
    ///
    /// - Throws: `E_FILE_EXISTS`, `E_FILE_WRITE`.
    package init(path: String) throws(FederationError) {
        file = try OutputFile(path, existing: .isReplacedIf(beginning: Self.header))
    }

    /// - Throws: `E_FILE_WRITE`.
    package func write(_ row: IntakeRow) throws(FederationError) {
        guard case .failure(let rejection) = row.result else { return }
        pending += csvLine([
            "\(row.number)", "\(row.line)", rejection.field ?? "", rejection.code, rejection.reason,
        ])
        if pending.utf8.count > 64 << 10 { try flush() }
    }

    /// Writes what is left and gives the file its name. Call it once at the end.
    ///
    /// - Throws: `E_FILE_WRITE`.
    package func close() throws(FederationError) {
        try flush()
        try file.commit()
    }

    /// Takes away what an import before left under this name: this one has refused nothing.
    package func discard() { file.discardFormer() }

    private func flush() throws(FederationError) {
        try file.write(Array(pending.utf8))
        pending = ""
    }
}
