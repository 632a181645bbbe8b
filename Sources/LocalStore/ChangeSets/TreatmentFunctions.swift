import FederationModel
import GRDB
import GRDBSQLite

/// The field treatments that SQL has no words for, as deterministic SQL functions of each connection. They are made by the
/// C API: boxing arguments and results would cost more than masking does.
enum TreatmentFunctions {
    static let token = "treat_token"

    static func name(of masking: Masking) -> String { "treat_mask_\(masking.rawValue)" }

    /// - Parameter tokens: makes the keyed digest of a value; without it, or when it throws, a link that needs one fails.
    static func add(to db: Database, tokens: (@Sendable (String) throws -> String)?) throws {
        for masking in Masking.allCases {
            try add(name(of: masking), to: db) { masking.mask($0) }
        }
        guard let tokens else { return }
        // A token that comes from the hop below is one already.
        try add(token, to: db) { FieldTreatment.isToken($0) ? $0 : try tokens($0) }
    }

    private final class Treatment {
        let treat: @Sendable (String) throws -> String

        init(_ treat: @escaping @Sendable (String) throws -> String) { self.treat = treat }
    }

    private static func add(
        _ name: String, to db: Database, _ treat: @escaping @Sendable (String) throws -> String
    ) throws {
        let code = sqlite3_create_function_v2(
            db.sqliteConnection, name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
            Unmanaged.passRetained(Treatment(treat)).toOpaque(),
            { context, _, values in
                guard let values, let data = sqlite3_user_data(context), let text = sqlite3_value_text(values[0]) else {
                    return sqlite3_result_null(context)
                }
                let count = Int(sqlite3_value_bytes(values[0]))
                let plain = String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
                let treatment = Unmanaged<Treatment>.fromOpaque(data).takeUnretainedValue()
                guard var treated = try? treatment.treat(plain) else {
                    return sqlite3_result_error(context, "the key for tokens can't be used", -1)
                }
                treated.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) {
                        sqlite3_result_text(context, $0.baseAddress, Int32($0.count), sqliteTransient)
                    }
                }
            }, nil, nil, { data in data.map { Unmanaged<Treatment>.fromOpaque($0).release() } })
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}
