import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing
import Zstandard

@Suite struct `A pushed record` {
    private let reader: PushedRecordReader
    private let replies: PushedRecordReader

    init() throws {
        let jinan = try #require(NodeID("370100"))
        reader = PushedRecordReader(BuiltInResources.serviceRequest, origin: jinan)
        replies = PushedRecordReader(try #require(BuiltInResources.named("reply")), origin: jinan)
    }

    private static let good = """
        "service_request_id":"7","requested_datetime":"2025-09-30T10:02:00+08:00","channel":"01","request_type":"2",\
        "urgency":"normal","acceptance":"accepted"
        """

    private func read(_ members: String) -> (key: String?, result: Result<IntakeRecord, RowRejection>) {
        reader.record(Array("{\(Self.good),\(members)}".utf8)[...])
    }

    private func rejection(_ members: String) throws -> RowRejection {
        guard case .failure(let rejection) = read(members).result else { throw CocoaError(.coderInvalidValue) }
        return rejection
    }

    @Test func `has the catalog's fields in JSON's types`() throws {
        let record = try read(
            """
            "key":"A-1","title":"路灯","lat":36.65,"long":117,"reply_required":true,"callback_required":false,\
            "accepted_datetime":1759197720000,"description":"","organization_name":null,"ext":{"b":[1,2.50],"a":"x"}
            """
        ).result.get()
        #expect(record.resource == "service_request")
        #expect(record.key == "370100-A-1")
        #expect(record.fields["global_id"] == .text("370100-A-1"))
        #expect(record.fields["requested_datetime"] == .integer(1_759_197_720_000))
        #expect(record.fields["accepted_datetime"] == .integer(1_759_197_720_000))
        #expect(record.fields["lat"] == .real(36.65))
        #expect(record.fields["long"] == .real(117))
        #expect(record.fields["reply_required"] == .integer(1))
        #expect(record.fields["callback_required"] == .integer(0))
        #expect(record.fields["description"] == nil)
        #expect(record.fields["organization_name"] == nil)
        #expect(record.fields["ext"] == .text(#"{"a":"x","b":[1,2.50]}"#))
    }

    @Test(
        arguments: [
            (#""key":"A-1""#, "370100-A-1"), (#""key":"370100-A-1""#, "370100-A-1"),
            (#""global_id":"370100-A-1""#, "370100-A-1"), (#""key":"A-1","global_id":"370100-A-1""#, "370100-A-1"),
            (#""global_id":"01890a5d-ac96-774b-bcce-b302099a8057""#, "01890a5d-ac96-774b-bcce-b302099a8057"),
            (#""key":"01ARZ3NDEKTSV4RRFFQ69G5FAV""#, "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ])
    func `of a ticket has a key that no other node gives out`(members: String, key: String) throws {
        let record = try read(members).result.get()
        #expect(record.key == key)
        #expect(record.fields["global_id"] == .text(key))
    }

    @Test(arguments: [
        (#""title":"x""#, "key", "E_FIELD_MISSING"), (#""key":"""#, "key", "E_FIELD_MISSING"),
        (#""key":7"#, "key", "E_FIELD_TYPE"), (#""global_id":"A-1""#, "global_id", "E_RECORD_KEY"),
        (#""global_id":"370200-A-1""#, "global_id", "E_RECORD_KEY"),
        (#""key":"B-1","global_id":"370100-A-1""#, "key", "E_RECORD_KEY"),
        (#""key":"3.70102E+22""#, "key", "E_KEY_DAMAGED"), (#""key":"370100-3.70102E22""#, "key", "E_KEY_DAMAGED"),
        (#""global_id":"370100-3.70102e+22""#, "key", "E_KEY_DAMAGED"),
    ])
    func `of a ticket without such a key is rejected`(members: String, field: String, code: String) throws {
        let rejection = try rejection(members)
        #expect(rejection.field == field)
        #expect(rejection.code == code)
    }

    @Test(arguments: [
        (#""title":5"#, "title", "E_FIELD_TYPE"), (#""title":{"a":1}"#, "title", "E_FIELD_TYPE"),
        (#""lat":"36.65""#, "lat", "E_FIELD_TYPE"), (#""lat":1e999"#, "lat", "E_FIELD_TYPE"),
        (#""lat":true"#, "lat", "E_FIELD_TYPE"), (#""reply_required":1"#, "reply_required", "E_FIELD_TYPE"),
        (#""accepted_datetime":"2025-09-30""#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":"2025-09-30T10:02:00""#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":"2025-02-30T10:02:00Z""#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":1759197720"#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":99999999999999999999"#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":9e15"#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":true"#, "accepted_datetime", "E_FIELD_TIME"),
        // What systems write where they know no time.
        (#""accepted_datetime":"0001-01-01T00:00:00Z""#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":"9999-12-31T00:00:00+08:00""#, "accepted_datetime", "E_FIELD_TIME"),
        (#""accepted_datetime":"2025-09-30T09:02:00+08:00""#, "accepted_datetime", "E_TIME_ORDER"),
        (#""ext":"x""#, "ext", "E_FIELD_TYPE"), (#""ext":[1]"#, "ext", "E_FIELD_TYPE"),
    ])
    func `with a value that its field does not take is rejected by field and code`(
        members: String, field: String, code: String
    ) throws {
        let rejection = try rejection(#""key":"A-1","# + members)
        #expect(rejection.field == field)
        #expect(rejection.code == code)
    }

    @Test func `with a name that the catalog does not have is rejected with the one that was meant`() throws {
        let rejection = try rejection(#""key":"A-1","titel":"路灯不亮""#)
        #expect(rejection.code == "E_FIELD_UNKNOWN")
        #expect(rejection.field == "titel")
        #expect(rejection.reason.contains("did you mean `title`?"))
        #expect(rejection.reason.contains("`ext`"))
        #expect(!rejection.reason.contains("路灯"))
    }

    @Test func `has a key that a link carries`() throws {
        func reply(key: String) throws -> IntakeRecord {
            let text = #"{"key":"\#(key)","occurred_at":1759197720000,"reply_kind":"final","global_id":"370100-1"}"#
            return try replies.record(Array(text.utf8)[...]).result.get()
        }
        let key = String(repeating: "k", count: RowKey.bytesMax)
        #expect(try reply(key: key).key == key)
        #expect(throws: RowRejection.self) { try reply(key: key + "k") }
    }

    @Test(arguments: [
        "5", "[]", "\"x\"", "null", "{", "", "{\"key\":\"a\",\"key\":\"b\"}", #"{"key":"a\u0000"}"#,
        #"{"key":"\ud800"}"#,
    ])
    func `that is no object, or not to be read in one way, is rejected as a whole`(text: String) throws {
        guard case .failure(let rejection) = reader.record(Array(text.utf8)[...]).result else {
            throw CocoaError(.coderInvalidValue)
        }
        #expect(rejection.code == "E_RECORD_JSON")
    }

    @Test func `of a thread says whose ticket it belongs to, or the node takes it from the global id`() throws {
        func reply(_ members: String) throws -> IntakeRecord {
            let text = #"{"key":"r1","occurred_at":"2025-09-30T10:02:00Z","reply_kind":"final",\#(members)}"#
            return try replies.record(Array(text.utf8)[...]).result.get()
        }
        let own = try reply(#""global_id":"370100-A-1""#)
        #expect(own.key == "r1")
        #expect(own.fields["ticket_origin"] == .text("370100"))
        #expect(own.fields["round"] == .integer(1))
        #expect(try reply(#""global_id":"370000-9""#).fields["ticket_origin"] == .text("370000"))
        #expect(
            try reply(#""global_id":"01890a5d-ac96-774b-bcce-b302099a8057","ticket_origin":"370102","round":2"#)
                .fields["ticket_origin"] == .text("370102"))
        #expect(
            try reply(#""global_id":"01890a5d-ac96-774b-bcce-b302099a8057""#).fields["ticket_origin"] == .text("370100")
        )
    }
}

@Suite struct `A pushed body` {
    private func rows(_ text: String, _ format: PushFormat = .json, rowsMax: Int = 10) throws -> [String] {
        let body = Array(text.utf8)
        return try pushedRows(body, format: format, rowsMax: rowsMax).map {
            String(decoding: body[$0], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @Test func `is taken apart without being read, so one bad record stops no other`() throws {
        #expect(try rows("[]") == [])
        #expect(
            try rows("[ { \"a\" : 1 } , {\"b\":\"]},[\\\"\"},nonsense, [1,[2]] ]\n") == [
                "{ \"a\" : 1 }", "{\"b\":\"]},[\\\"\"}", "nonsense", "[1,[2]]",
            ])
        #expect(try rows("\u{FEFF}\n{\"a\":1}\n") == ["{\"a\":1}"])
        #expect(try rows("{\"a\":1}\r\n\n  \nbroken\n{\"b\":2}", .jsonLines) == ["{\"a\":1}", "broken", "{\"b\":2}"])
        #expect(try rows("", .jsonLines) == [])
    }

    @Test(arguments: [
        "", "  ", "5", "null", "\"x\"", "[", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1]x", "[1][2]", "[1]]", "[}",
        "[\"x]", "[\"x\\\"]",
        "[{]", "[{\"a\":1}, {\"b\":", "\u{0}[]",
    ])
    func `that is no whole array is refused as a whole`(text: String) {
        let error = #expect(throws: FederationError.self) { try rows(text) }
        #expect(error?.code == "E_BODY_INVALID")
    }

    @Test func `holds no more records than the limit`() throws {
        for (format, text) in [
            (PushFormat.json, { (count: Int) in "[\(Array(repeating: "{}", count: count).joined(separator: ","))]" }),
            (.jsonLines, { count in String(repeating: "{}\n", count: count) }),
        ] {
            #expect(try rows(text(3), format, rowsMax: 3).count == 3)
            let error = #expect(throws: FederationError.self) { try rows(text(4), format, rowsMax: 3) }
            #expect(error?.code == "E_BATCH_TOO_LARGE")
        }
    }

    @Test func `nested a million deep costs no stack`() throws {
        let deep = String(repeating: "[", count: 1_000_000) + String(repeating: "]", count: 1_000_000)
        #expect(try rows("[\(deep)]").count == 1)
        #expect(throws: FederationError.self) { try rows(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func `packed by zstd or gzip is unpacked within the limit, and a cut or a bomb is refused`() throws {
        let text = Array(String(repeating: "{\"title\":\"路灯不亮\"}\n", count: 10_000).utf8)
        let packed = [BodyEncoding.zstd: try ZstandardCompressor().compress(text), .gzip: try gzip(text)]
        for (encoding, bytes) in packed {
            #expect(bytes.count < text.count / 10)
            #expect(try encoding.unpack(bytes, bytesMax: text.count) == text)
            func code(_ bytes: [UInt8], _ max: Int) -> String? {
                #expect(throws: FederationError.self) { try encoding.unpack(bytes, bytesMax: max) }?.code
            }
            #expect(code(bytes, text.count - 1) == "E_BODY_TOO_LARGE")
            #expect(code(Array(bytes.dropLast(bytes.count / 2)), text.count) == "E_BODY_INVALID")
            #expect(code(Array(bytes.dropLast(1)), text.count) == "E_BODY_INVALID")
            #expect(code(bytes + [0], text.count) == "E_BODY_INVALID")
            #expect(code([], text.count) == "E_BODY_INVALID")
            #expect(code(text, text.count) == "E_BODY_INVALID")
        }
        #expect(throws: FederationError.self) { try BodyEncoding.identity.unpack([1, 2], bytesMax: 1) }
    }

    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let packed = try withFile(bytes) { path in
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["gzip", "-c", path]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            defer { process.waitUntilExit() }
            return pipe.fileHandleForReading.readDataToEndOfFile()
        }
        return Array(packed)
    }
}
