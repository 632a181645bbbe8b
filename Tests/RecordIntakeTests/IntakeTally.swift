import FederationModel
import RecordIntake

/// What became of a file's rows.
struct IntakeTally: Hashable, Sendable {
    private(set) var read = 0
    private(set) var accepted = 0
    private(set) var rejectedByCode: [String: Int] = [:]

    var rejected: Int { read - accepted }

    mutating func count(_ row: IntakeRow) {
        read += 1
        switch row.result {
        case .success: accepted += 1
        case .failure(let rejection): rejectedByCode[rejection.code, default: 0] += 1
        }
    }
}
