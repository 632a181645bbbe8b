import FederationModel
import GRDB
import GRDBSQLite
import LogicalQuery
import Synchronization

/// The calendar that a store goes by now; it changes while connections stay open.
final class CurrentCalendar: Sendable {
    let value = Mutex(WorkCalendar.weekendsOnly)
}

/// The functions of ``SQLiteDialect/Function``, for each connection. They are made by the C API, as those of ``TreatmentFunctions``:
/// an aggregate runs once a row.
package enum AnalysisFunctions {
    private typealias Function = SQLiteDialect.Function

    /// - Parameters:
    ///   - tokens: makes the keyed digest of a person; without it, or when it throws, who counts persons fails.
    ///   - calendar: that of now.
    package static func add(
        to connection: OpaquePointer?, tokens: (@Sendable (String) throws -> String)?,
        calendar: @escaping @Sendable () -> WorkCalendar
    ) throws {
        try add(Function.distribution, .distribution, to: connection)
        try add(Function.distinct, .distinct, to: connection)
        try add(Function.personHash, arguments: -1, to: connection, Person(tokens)) { context, count, values in
            guard let values, let person = object(of: context, as: Person.self) else { return }
            let columns = (0..<Int(count)).map { text(of: values[$0]) }
            guard let identity = PersonDigest.identity(among: columns) else { return sqlite3_result_null(context) }
            guard let token = person.token(of: identity), let hash = PersonDigest.hash(ofToken: token) else {
                return sqlite3_result_error(context, "the key for tokens can't be used", -1)
            }
            sqlite3_result_int64(context, Int64(bitPattern: hash))
        }
        try add(Function.workingTime, arguments: 2, to: connection, Calendar(calendar)) { context, _, values in
            guard let values, let calendar = object(of: context, as: Calendar.self), isInteger(values[0]),
                isInteger(values[1])
            else { return sqlite3_result_null(context) }
            let time = calendar.now().workingTime(
                from: sqlite3_value_int64(values[0]), to: sqlite3_value_int64(values[1]))
            sqlite3_result_int64(context, time)
        }
    }

    // MARK: - What the functions go by

    private final class Person {
        private let tokens: (@Sendable (String) throws -> String)?

        init(_ tokens: (@Sendable (String) throws -> String)?) { self.tokens = tokens }

        func token(of identity: String) -> String? {
            // One that comes from a node below is a token already.
            FieldTreatment.isToken(identity) ? identity : try? tokens?(identity)
        }
    }

    private final class Calendar {
        let now: @Sendable () -> WorkCalendar

        init(_ now: @escaping @Sendable () -> WorkCalendar) { self.now = now }
    }

    /// What an aggregate has gathered of one group.
    private final class Gathered {
        var state: MergeableState

        init(_ state: MergeableState) { self.state = state }
    }

    /// What an aggregate begins with.
    private final class Empty {
        let state: MergeableState

        init(_ kind: MergeableState.Kind) { state = kind.empty }
    }

    // MARK: - Making them

    private typealias Body =
        @convention(c) (
            OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?
        ) -> Void

    private static func add(
        _ name: String, arguments: Int32, to connection: OpaquePointer?, _ object: AnyObject, _ body: Body
    ) throws {
        let code = sqlite3_create_function_v2(
            connection, name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, Unmanaged.passRetained(object).toOpaque(),
            body, nil, nil, { data in data.map { Unmanaged<AnyObject>.fromOpaque($0).release() } })
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    /// An aggregate of whole numbers.
    private static func add(_ name: String, _ kind: MergeableState.Kind, to connection: OpaquePointer?) throws {
        let step: Body = { context, _, values in
            // Only what is a number counts.
            guard let values, isInteger(values[0]), let place = place(of: context, evenIfNew: true) else { return }
            let gathered: Gathered
            if let known = place.pointee {
                gathered = Unmanaged<Gathered>.fromOpaque(known).takeUnretainedValue()
            } else {
                guard let empty = object(of: context, as: Empty.self) else { return }
                gathered = Gathered(empty.state)
                place.pointee = Unmanaged.passRetained(gathered).toOpaque()
            }
            gathered.state.add(sqlite3_value_int64(values[0]))
        }
        let end: @convention(c) (OpaquePointer?) -> Void = { context in
            guard let known = place(of: context, evenIfNew: false)?.pointee else { return sqlite3_result_null(context) }
            var text = Unmanaged<Gathered>.fromOpaque(known).takeRetainedValue().state.text
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_result_text(context, $0.baseAddress, Int32($0.count), sqliteTransient)
                }
            }
        }
        let code = sqlite3_create_function_v2(
            connection, name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, Unmanaged.passRetained(Empty(kind)).toOpaque(),
            nil,
            step, end, { data in data.map { Unmanaged<AnyObject>.fromOpaque($0).release() } })
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}

// Global, as C functions can't capture even the type that they are in.

private func object<Object: AnyObject>(of context: OpaquePointer?, as type: Object.Type) -> Object? {
    sqlite3_user_data(context).map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
}

private func isInteger(_ value: OpaquePointer?) -> Bool { sqlite3_value_type(value) == SQLITE_INTEGER }

private func text(of value: OpaquePointer?) -> String? {
    guard let bytes = sqlite3_value_text(value) else { return nil }
    return String(
        decoding: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_value_bytes(value))), as: UTF8.self)
}

/// Where SQLite keeps what an aggregate has of one group.
private func place(
    of context: OpaquePointer?, evenIfNew: Bool
) -> UnsafeMutablePointer<UnsafeMutableRawPointer?>? {
    // https://sqlite.org/c3ref/aggregate_context.html: zeroed when it is made, and not made for 0 bytes.
    let bytes = evenIfNew ? MemoryLayout<UnsafeMutableRawPointer?>.size : 0
    return sqlite3_aggregate_context(context, Int32(bytes))?
        .assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
}
