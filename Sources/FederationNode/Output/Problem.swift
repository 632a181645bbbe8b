import FederationModel

/// An error as a report has it.
struct Problem: Encodable {
    let code: String
    let message: String
    let hint: String?

    init(_ error: FederationError) {
        code = error.code
        message = error.message
        hint = error.hint
    }
}
