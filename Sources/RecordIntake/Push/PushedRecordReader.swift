import FederationModel

/// Turns one JSON object that a local system pushes into a record of one resource. The names of its fields are the
/// catalog's, so there is no mapping.
///
/// Beside them it has `key`, and may have `ext`, an object whose content is kept as it is. A name that is neither is
/// refused with the nearest one: a misspelled field would be lost without a word. What the catalog says of a field beyond its
/// type (required, length, code list) is for the store to check.
package struct PushedRecordReader: Sendable {
    private let definition: ResourceDefinition
    private let origin: NodeID
    private let columns: [ExactText: ColumnDefinition]
    private let timeline: [String]

    /// - Parameter origin: this node; the records are its own.
    package init(_ definition: ResourceDefinition, origin: NodeID) {
        self.definition = definition
        self.origin = origin
        columns = Dictionary(uniqueKeysWithValues: definition.columns.map { (ExactText($0.name), $0) })
        timeline = EventTimes.fields(of: definition)
    }

    /// - Returns: the key that the row names, as far as it can be read, and the record.
    package func record(
        _ bytes: ArraySlice<UInt8>
    ) -> (key: String?, result: Result<IntakeRecord, RowRejection>) {
        let members: [JSONValue.Member]
        do throws(JSONFault) {
            guard case .object(let found) = try JSONParser.parse(bytes) else {
                return (nil, .failure(Self.notARecord("is not a JSON object")))
            }
            members = found
        } catch {
            return (nil, .failure(Self.notARecord(error.reason)))
        }
        var key: String?
        do throws(RowRejection) {
            return (key, .success(try record(members, key: &key)))
        } catch {
            return (key, .failure(error))
        }
    }

    private static func notARecord(_ reason: String) -> RowRejection {
        RowRejection(code: "E_RECORD_JSON", reason: reason)
    }

    private func record(_ members: [JSONValue.Member], key: inout String?) throws(RowRejection) -> IntakeRecord {
        var fields = [String: FieldValue](minimumCapacity: members.count + 3)
        for member in members where member.name == "key" {
            guard case .string(let text) = member.value else {
                throw Self.rejection("key", .type, "is not a text")
            }
            key = text
        }
        for member in members where member.name != "key" {
            guard let column = columns[ExactText(member.name)] else {
                throw RowRejection(
                    code: RowRejection.Rule.unknown.rawValue, field: isName(member.name) ? member.name : nil,
                    reason: "there is no such field in \(definition.name): "
                        + suggestion(for: member.name, among: definition.columns.map(\.name).sorted())
                        + "; what the catalog does not know goes into the object `ext`")
            }
            let value = try column.value(of: member.value)
            if !value.isNull { fields[column.name] = value }
        }
        try complete(&fields, key: &key)
        guard let key, !key.isEmpty else { throw Self.rejection("key", .missing, "is required") }
        guard key.utf8.count <= RowKey.bytesMax else {
            throw Self.rejection("key", .tooLong, "\(key.utf8.count) bytes, at most \(RowKey.bytesMax)")
        }
        let prefix = "\(origin.code)-".utf8
        let number = key.utf8.starts(with: prefix) ? String(Substring(key.utf8.dropFirst(prefix.count))) : key
        if KeyDamage.isScientific(number) { throw KeyDamage.scientific("key") }
        let record = IntakeRecord(resource: definition.name, key: key, fields: fields)
        if let violation = record.violationOfPlace { throw violation }
        var latest = Int64.min
        try TimeOrder.check(record, fields: timeline, latest: &latest)
        return record
    }

    // MARK: - What follows from the rest

    private func complete(_ fields: inout [String: FieldValue], key: inout String?) throws(RowRejection) {
        if definition.isThreadRecord {
            if fields["ticket_origin"] == nil {
                let ticket = fields["global_id"]?.text ?? ""
                let named = ticket.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 1).first.flatMap {
                    NodeID(String(Substring($0)))
                }
                fields["ticket_origin"] = .text((named ?? origin).code)
            }
            if fields["round"] == nil { fields["round"] = .integer(1) }
        } else if definition.name == BuiltInResources.serviceRequest.name {
            let globalID = try self.globalID(given: fields["global_id"]?.text, key: key)
            fields["global_id"] = .text(globalID)
            key = globalID
        }
    }

    /// A ticket's key is its global id, and two nodes must never give out the same one: it begins with this node's code, or
    /// is random enough (UUID, ULID). Who sends only the number of his own system as `key` gets the code before it.
    private func globalID(given: String?, key: String?) throws(RowRejection) -> String {
        let prefix = "\(origin.code)-"
        guard let given else {
            guard let key, !key.isEmpty else { throw Self.rejection("key", .missing, "is required") }
            return key.utf8.starts(with: prefix.utf8) || Self.isRandom(key) ? key : prefix + key
        }
        guard given.utf8.starts(with: prefix.utf8) || Self.isRandom(given) else {
            throw RowRejection(
                code: "E_RECORD_KEY", field: "global_id",
                reason:
                    "does not begin with \(prefix) and is neither a UUID nor a ULID, so another node may give it out "
                    + "too; leave it out and send `key`")
        }
        guard key.map({ $0.isSame(as: given) || (prefix + $0).isSame(as: given) }) ?? true else {
            throw RowRejection(
                code: "E_RECORD_KEY", field: "key", reason: "is not the ticket's global_id; leave one of them out")
        }
        return given
    }

    /// The shape of a UUID (RFC 9562) or of a ULID.
    private static func isRandom(_ id: String) -> Bool {
        switch id.utf8.count {
        case 36:
            return id.utf8.enumerated().allSatisfy { index, byte in
                switch (index, byte) {
                case (8, UInt8(ascii: "-")), (13, UInt8(ascii: "-")), (18, UInt8(ascii: "-")), (23, UInt8(ascii: "-")):
                    true
                case (8, _), (13, _), (18, _), (23, _): false
                case (_, 0x30...0x39), (_, 0x41...0x46), (_, 0x61...0x66): true
                default: false
                }
            }
        case 26: return id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
        default: return false
        }
    }

    static func rejection(_ field: String, _ rule: RowRejection.Rule, _ reason: String) -> RowRejection {
        RowRejection(field: field, rule: rule, reason: reason)
    }
}

extension ColumnDefinition {
    /// A JSON value as this column stores it. An empty text and `null` both say that nothing is known.
    fileprivate func value(of json: JSONValue) throws(RowRejection) -> FieldValue {
        switch (type, json) {
        case (_, .null): return .null
        case (.text, .string(let text)): return text.isEmpty ? .null : .text(text)
        case (.integer, .number(let digits)):
            guard let integer = Int64(digits) else { throw rejection(.type, "is not a whole number of 64 bits") }
            return .integer(integer)
        case (.real, .number(let digits)):
            guard let real = Double(digits), real.isFinite else { throw rejection(.type, "is not a number of 64 bits") }
            return .real(real)
        case (.boolean, .bool(let bool)): return .integer(bool ? 1 : 0)
        case (.timestamp, .string(let text)):
            if text.isEmpty { return .null }
            // A day alone has no offset; whose midnight it means nobody knows.
            guard text.utf8.count > 10, let time = ShanghaiTime.parse(text) else {
                throw rejection(.badTime, "is not RFC 3339 with an offset")
            }
            return .integer(time)
        case (.timestamp, .number(let digits)):
            guard let time = Int64(digits), Self.milliseconds.contains(time) else {
                throw rejection(.badTime, "is not a time in milliseconds since 1970; are they seconds?")
            }
            return .integer(time)
        case (.json, .object): return .text(json.text)
        case (.text, _): throw rejection(.type, "is not a text")
        case (.integer, _), (.real, _): throw rejection(.type, "is not a number")
        case (.boolean, _): throw rejection(.type, "is neither true nor false")
        case (.timestamp, _): throw rejection(.badTime, "is neither a text nor a number")
        case (.json, _): throw rejection(.type, "is not an object")
        }
    }

    /// 1973 to 9999. Today's time in seconds lies before it.
    private static let milliseconds: ClosedRange<Int64> = 100_000_000_000...253_402_300_799_999

    private func rejection(_ rule: RowRejection.Rule, _ reason: String) -> RowRejection {
        PushedRecordReader.rejection(name, rule, reason)
    }
}
