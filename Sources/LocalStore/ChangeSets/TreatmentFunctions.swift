import FederationModel
import GRDB

/// The field treatments that SQL has no words for, as deterministic SQL functions of each connection.
enum TreatmentFunctions {
    static let token = "treat_token"

    static func name(of masking: Masking) -> String { "treat_mask_\(masking.rawValue)" }

    /// - Parameter tokens: makes the keyed digest of a value; without it a link that needs one fails.
    static func add(to db: Database, tokens: (@Sendable (String) -> String)?) {
        for masking in Masking.allCases {
            db.add(function: function(name(of: masking)) { masking.mask($0) })
        }
        guard let tokens else { return }
        // A token that comes from the hop below is one already.
        db.add(function: function(token) { isToken($0) ? $0 : tokens($0) })
    }

    private static func function(_ name: String, _ treat: @escaping @Sendable (String) -> String) -> DatabaseFunction {
        DatabaseFunction(name, argumentCount: 1, pure: true) { values in
            String.fromDatabaseValue(values[0]).map(treat)
        }
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.count == FieldTreatment.tokenBytes && text.utf8.first == UInt8(ascii: "~")
            && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
