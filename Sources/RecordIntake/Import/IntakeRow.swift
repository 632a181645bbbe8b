import FederationModel

/// One row of a source: all the records that it became, or why it became none. A row is taken or refused as a whole.
package struct IntakeRow: Hashable, Sendable {
    /// 1 for the first row after the header.
    package let number: Int
    /// The physical line of the file on which the row begins.
    package let line: Int
    package let result: Result<[IntakeRecord], RowRejection>

    /// The same row, refused after all.
    package func refused(_ rejection: RowRejection) -> IntakeRow {
        IntakeRow(number: number, line: line, result: .failure(rejection))
    }
}
