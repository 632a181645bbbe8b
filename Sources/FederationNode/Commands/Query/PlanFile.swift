import FederationModel
import RecordIntake

/// A table of plan values as people keep it: CSV or a workbook.
enum PlanFile {
    /// More than a province has units and indicators for a year of months.
    static let rowsMax = 100_000

    /// Its rows, by the names of the columns.
    ///
    /// - Throws: `E_PLAN_INVALID`; what `SourceFile.rows` throws.
    static func rows(path: String) throws -> [[String: String]] {
        let reader = try SourceFile(path: path).rows()
        var rows: [[String: String]] = []
        while let step = try reader.next() {
            if case .malformed(let fault) = step {
                throw FederationError("E_PLAN_INVALID", "row \(reader.rowNumber) of the plan: \(fault.reason)")
            }
            guard rows.count < rowsMax else {
                throw FederationError("E_PLAN_INVALID", "the plan has more than \(rowsMax) rows")
            }
            rows.append(
                Dictionary(
                    reader.header.enumerated().map { ($1, reader.text($0)) }, uniquingKeysWith: { first, _ in first }))
        }
        return rows
    }
}
