import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing

struct ImporterTests {
    private static let header = "id,opened,via,title,text,wants_reply,lat,located,ward,unit,days,closed,how\n"

    private func importRows(_ rows: String, header: String = ImporterTests.header, mapping text: String = smallMapping)
        throws -> [IntakeRow]
    {
        let mapping = try Mapping.parse(text, path: "m.yaml")
        let origin = try #require(NodeID("370100"))
        return try withFile(header + rows) { path in
            let importer = try Importer(mapping: mapping, origin: origin, path: path)
            var made: [IntakeRow] = []
            while let row = try importer.next() { made.append(row) }
            return made
        }
    }

    private func rejection(_ row: String) throws -> RowRejection? {
        guard case .failure(let rejection) = try #require(importRows(row).first).result else { return nil }
        return rejection
    }

    @Test func `one row becomes a ticket with its assignment and its closure`() throws {
        let rows = try importRows(
            "7,2025-09-30 09:00:00,电话,路灯不亮,\"连续\"\"三\"\"天\",是,36.66,y,3,城管局,5.0,2025-10-01 01:00:00,done\n")
        let records = try #require(rows.first).result.get().records
        #expect(
            records == [
                IntakeRecord(
                    resource: "service_request", key: "370100-7",
                    fields: [
                        "global_id": .text("370100-7"), "service_request_id": .text("7"),
                        "requested_datetime": .integer(1_759_194_000_000), "channel": .text("01"),
                        "request_type": .text("2"), "title": .text("路灯不亮"), "migrated": .integer(1),
                        "description": .text("路灯不亮; 连续\"三\"天"), "urgency": .text("normal"),
                        "acceptance": .text("accepted"), "reply_required": .integer(1), "lat": .real(36.66),
                        "ext": .text(#"{"ward":"3","id":"7"}"#),
                    ]),
                IntakeRecord(
                    resource: "assignment", key: "370100-7.assignment.1",
                    fields: [
                        "global_id": .text("370100-7"), "ticket_origin": .text("370100"), "round": .integer(1),
                        "occurred_at": .integer(1_759_194_000_000), "assignee_unit": .text("城管局"),
                        "role": .text("main"), "limit_days": .integer(5),
                    ]),
                IntakeRecord(
                    resource: "closure", key: "370100-7.closure.1",
                    fields: [
                        "global_id": .text("370100-7"), "ticket_origin": .text("370100"), "round": .integer(1),
                        "occurred_at": .integer(1_759_280_400_000), "closure_kind": .text("closed"),
                    ]),
            ])
    }

    @Test func `conditions, defaults, prefixes and fallbacks choose`() throws {
        let rows = try importRows(
            """
            1,2025-09-30 09:00:00,,,text only,,36.6,n,,none,,,
            2,2025-09-30 09:00:00,telephone call,t,,,,,,,,2025/10/1,gone
            """)
        let first = try rows[0].result.get().records
        #expect(first.map(\.resource) == ["service_request"])
        #expect(first[0].fields["channel"] == .text("19"))
        #expect(first[0].fields["title"] == .text("text only"))
        #expect(first[0].fields["description"] == .text("text only"))
        #expect(first[0].fields["lat"] == nil)
        let second = try rows[1].result.get().records
        #expect(second.map(\.resource) == ["service_request", "closure"])
        #expect(second[0].fields["channel"] == .text("01"))
        #expect(second[1].fields["closure_kind"] == .text("terminated"))
        #expect(second[1].fields["occurred_at"] == .integer(1_759_276_800_000))
    }

    @Test func `a row is refused whole, with the field and without its value`() throws {
        let cases: [(String, String, String)] = [
            (",2025-09-30 09:00:00,,t,,,,,,,,,\n", "id", "E_FIELD_MISSING"),
            ("1,,,t,,,,,,,,,\n", "requested_datetime", "E_FIELD_MISSING"),
            ("1,30.09.2025,,t,,,,,,,,,\n", "requested_datetime", "E_FIELD_TIME"),
            ("1,2025-09-30 09:00:00,pigeon,t,,,,,,,,,\n", "channel", "E_FIELD_CODE"),
            ("1,2025-09-30 09:00:00,,t,,perhaps,,,,,,,\n", "reply_required", "E_FIELD_TYPE"),
            ("1,2025-09-30 09:00:00,,t,,,nan,y,,,,,\n", "lat", "E_FIELD_TYPE"),
            ("1,2025-09-30 09:00:00,,t,,,,,,u,3.5,,\n", "limit_days", "E_FIELD_TYPE"),
            ("1,2025-09-30 09:00:00,,t,,,,,,u,99999999999999999999,,\n", "limit_days", "E_FIELD_TYPE"),
            ("1,2025-09-30 09:00:00,,\(String(repeating: "长", count: 700)),,,,,,,,,\n", "title", "E_FIELD_TOO_LONG"),
            ("1,2025-09-30 09:00:00\n", "", "E_CSV_COLUMNS"),
            // No link would carry it.
            ("\(String(repeating: "k", count: 200)),2025-09-30 09:00:00,,t,,,,,,,,,\n", "key", "E_FIELD_TOO_LONG"),
        ]
        for (row, field, code) in cases {
            let rejection = try #require(try rejection(row))
            #expect(rejection.field ?? "" == field)
            #expect(rejection.code == code)
            #expect(!rejection.reason.contains("pigeon") && !rejection.reason.contains("perhaps"))
        }
    }

    @Test func `digits behind an apostrophe or in quotes behind a sign are those digits`() throws {
        let keys = try importRows(
            ["'00125", "\"=\"\"00126\"\"\"", "'tis", "'"].map { "\($0),2025-09-30 09:00:00,,t,,,,,,,,,\n" }.joined()
        ).map { try $0.result.get().records[0].key }
        #expect(keys == ["370100-00125", "370100-00126", "370100-'tis", "370100-'"])
    }

    @Test(arguments: ["0001-01-01 00:00:00", "1900-01-01 00:00:00", "1970-01-01 00:00:00", "9999-12-31 23:59:59"])
    func `nothing happens at a time that stands for none`(time: String) throws {
        for row in ["1,\(time),,t,,,,,,,,,\n", "1,2025-09-30 09:00:00,,t,,,,,,,,\(time),done\n"] {
            #expect(try rejection(row)?.code == "E_FIELD_TIME")
        }
    }

    @Test(arguments: ["共2条", "总计：2 件", "第1页/共1页", "共 2 条记录", "本页小计,2", "Total: 2 rows"])
    func `lines under the table are no rows, however they count`(line: String) throws {
        func row(_ number: Int) -> String { "\(number),2025-09-30 09:00:00,,t,,,,,,,,,\n" }
        let mapping = try Mapping.parse(smallMapping, path: "m.yaml")
        for commas in ["", String(repeating: ",", count: 12)] {
            try withFile(Self.header + row(1) + row(2) + line + commas + "\n") { path in
                let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
                var rows: [IntakeRow] = []
                while let row = try importer.next() { rows.append(row) }
                #expect(rows.count == 2 && importer.totalLines == 1)
            }
        }
    }

    @Test func `events may run backwards by five minutes and not by more`() throws {
        #expect(try rejection("1,2025-09-30 09:05:00,,t,,,,,,,,2025-09-30 01:00:00,done\n") == nil)
        let rejection = try #require(try rejection("1,2025-09-30 09:05:01,,t,,,,,,,,2025-09-30 01:00:00,done\n"))
        #expect(rejection.code == "E_TIME_ORDER")
        #expect(rejection.field == "closure.occurred_at")
    }

    @Test func `stages of a row keep its order when their times tie or run back a little`() throws {
        // Closed 20 seconds before it was opened, which is when it was dispatched.
        let rows = try importRows("1,2025-09-30 09:00:20,,t,,,,,3,u,,2025-09-30 01:00:00,done\n")
        let records = try #require(rows.first).result.get().records
        let times = records.map { $0.fields["occurred_at"]?.integer ?? $0.fields["requested_datetime"]?.integer ?? 0 }
        #expect(times == [1_759_194_020_000, 1_759_194_020_000, 1_759_194_020_000])
        #expect(records[2].fields["ext"] == .text(#"{"source_occurred_at":"2025-09-30T09:00:00.000+08:00"}"#))
        #expect(records[1].fields["ext"] == nil)
    }

    @Test func `a row names what it is no longer, where its mapping is a snapshot`() throws {
        let row = "1,2025-09-30 09:00:00,,t,,,,,,none,,,\n"
        let content = try #require(importRows(row).first).result.get()
        #expect(
            content.absent == [
                .init(resource: "assignment", key: "370100-1.assignment.1"),
                .init(resource: "closure", key: "370100-1.closure.1"),
            ])
        let added = try importRows(row, mapping: "closure: append\n" + smallMapping)
        #expect(try #require(added.first).result.get().absent.isEmpty)
        #expect(errorCode { _ = try Mapping.parse("closure: perhaps\n" + smallMapping, path: "m.yaml") } == "E_MAPPING")
    }

    @Test func `keys that a spreadsheet has damaged are refused, and digits that it was made to keep are taken`() throws
    {
        func row(_ key: String) -> String { "\(key),2025-09-30 09:00:00,,t,,,,,,,,,\n" }
        func codes(_ keys: [String]) throws -> [String] {
            try importRows(keys.map(row).joined()).map {
                switch $0.result {
                case .success(let content): content.records[0].key
                case .failure(let rejection): rejection.code
                }
            }
        }
        #expect(
            try codes(["3.70102E+22", "3e+5", "3.70102e22", "37.0102E+21", "3E5", "E+22", "1.E+5"]) == [
                "E_KEY_DAMAGED", "E_KEY_DAMAGED", "E_KEY_DAMAGED", "E_KEY_DAMAGED", "370100-3E5", "370100-E+22",
                "370100-1.E+5",
            ])
        let cut = ["370102202401051000", "370102202401052000", "370102202401053000"]
        #expect(try codes(cut) == ["E_KEY_DAMAGED", "E_KEY_DAMAGED", "E_KEY_DAMAGED"])
        #expect(try codes(cut + ["370102202401053001"]).allSatisfy { $0.hasPrefix("370100-") })
        #expect(try codes(["370102202401051000"]) == ["370100-370102202401051000"], "one may be chance")
        #expect(try codes(["\"=\"\"00123\"\"\"", "=\"00124\""]) == ["370100-00123", "370100-00124"])
    }

    @Test func `coordinates of no place are left out`() throws {
        let mapping = smallMapping.replacing(
            "lat: {column: lat, when: {column: located, in: [y]}}", with: "lat: lat\n      long: located")
        func place(_ lat: String, _ long: String) throws -> [FieldValue?] {
            let rows = try importRows("1,2025-09-30 09:00:00,,t,,,\(lat),\(long),,,,,\n", mapping: mapping)
            let fields = try #require(rows.first).result.get().records[0].fields
            return [fields["lat"], fields["long"]]
        }
        #expect(try place("36.6", "117") == [.real(36.6), .real(117)])
        #expect(try place("0", "0") == [nil, nil])
        #expect(try place("36.6", "") == [nil, nil])
    }

    @Test func `a message on a column that is not there names none that is`() throws {
        let error = #expect(throws: FederationError.self) {
            try importRows("", header: "张三,13800001234,路灯不亮\n")
        }
        let text = "\(try #require(error))"
        #expect(!text.contains("张三") && !text.contains("1380000"))
        #expect(text.contains("3 columns"))
    }

    @Test func `a closing day without a time may count to its end`() throws {
        let mapping = """
            key: id
            time_formats: ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd"]
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: opened
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
              - resource: closure
                fields:
                  occurred_at: {column: closed, day_counts_from: end}
                  closure_kind: {value: closed}
            """
        func closing(_ mapping: String) throws -> Result<SourceRow, RowRejection> {
            let row = "7,2025-09-30 09:00:00,2025-09-30\n"
            return try #require(importRows(row, header: "id,opened,closed\n", mapping: mapping).first).result
        }
        let closure = try #require(try closing(mapping).get().records.last)
        #expect(closure.fields["occurred_at"] == .integer(1_759_247_999_000), "23:59:59 in Shanghai")
        let begin = mapping.replacing("day_counts_from: end", with: "day_counts_from: begin")
        #expect(throws: RowRejection.self) { try closing(begin).get() }
        #expect(throws: FederationError.self) { try closing(mapping.replacing(": end}", with: ": noon}")) }
    }

    @Test func `the times of a call are in order among themselves`() throws {
        let mapping = """
            key: id
            time_formats: [yyyy-MM-dd HH:mm]
            records:
              - resource: call_record
                fields: {direction: {value: inbound}, arrival: arrival, hangup: hangup, disposition: {value: connected}}
            """
        let rows = try importRows(
            "1,2025-09-30 09:00,2025-09-30 09:03\n2,2025-09-30 09:00,2025-09-30 08:03\n", header: "id,arrival,hangup\n",
            mapping: mapping)
        #expect(try rows[0].result.get().records.map(\.key) == ["370100-1"])
        #expect(throws: RowRejection.self) { try rows[1].result.get() }
    }

    @Test func `an optional column may be absent and any other may not`() throws {
        let shorter = "id,opened,via,title,text,wants_reply,lat,located,ward,unit,days,how\n"
        let rows = try importRows("1,2025-09-30 09:00:00,,t,,,,,,u,,done\n", header: shorter)
        #expect(try rows[0].result.get().records.map(\.resource) == ["service_request", "assignment"])
        let error = #expect(throws: FederationError.self) {
            try importRows("", header: Self.header.replacing("title", with: "titel"))
        }
        #expect(error?.code == "E_MAPPING")
        #expect(error?.message == "m.yaml:11: the file has no column 'title'")
        #expect(error?.hint?.hasPrefix("did you mean `titel`?") == true)
        let twice = #expect(throws: FederationError.self) {
            try importRows("", header: Self.header.replacing("text", with: "title"))
        }
        #expect(twice?.message.hasSuffix("the file has column 'title' twice") == true)
    }

    @Test func `records of tickets that are there already can be imported alone`() throws {
        let mapping = """
            key: [office, ticket]
            time_formats: [yyyy-MM-dd HH:mm:ssZ]
            records:
              - resource: assignment
                ordinal: step
                fields:
                  occurred_at: at
                  assignee_unit: unit
                  role: {value: joint}
                  round: round
            """
        let rows = try importRows(
            "A,1,2,2025-09-30 09:00:00+08:00,x,2\nA,1,,2025-09-30 09:00:00Z,x,2\n",
            header: "office,ticket,step,at,unit,round\n",
            mapping: mapping)
        let record = try #require(rows[0].result.get().records.first)
        #expect(record.key == "370100-A-1.assignment.2")
        #expect(record.fields["round"] == .integer(2))
        #expect(record.fields["occurred_at"] == .integer(1_759_194_000_000))
        #expect(throws: RowRejection(code: "E_FIELD_MISSING", field: "step", reason: "the row has no ordinal")) {
            try rows[1].result.get()
        }
    }

    @Test func `a file of attachments makes records of their tickets' threads`() throws {
        let mapping = """
            key: ticket
            time_formats: [yyyy-MM-dd HH:mm:ss]
            records:
              - resource: attachment
                ordinal: file
                fields: {occurred_at: at, uri: url, sha256: hash, bytes: size}
            """
        let digest = String(repeating: "a5", count: 32)
        let rows = try importRows(
            "7,1,2025-09-30 09:00:00,https://files.example/7/1.jpg,\(digest),482113\n7,2,2025-09-30 09:00:00,,\(digest),1\n",
            header: "ticket,file,at,url,hash,size\n", mapping: mapping)
        let record = try #require(rows[0].result.get().records.first)
        #expect(record.resource == "attachment" && record.key == "370100-7.attachment.1")
        #expect(record.fields["sha256"] == .text(digest) && record.fields["bytes"] == .integer(482_113))
        // Without its place it says nothing.
        #expect(throws: RowRejection.self) { try rows[1].result.get() }
    }

    @Test func `importing a file twice makes equal records`() throws {
        let rows = "1,2025-09-30 09:00:00,,t,,,,,,u,,2025-10-01 01:00:00,done\n"
        #expect(try importRows(rows) == importRows(rows))
    }

    @Test func `rejected rows are listed without values`() throws {
        let rows = try importRows("\n1,2025-09-30 09:00:00,,t,,,,,,,,,\n2,secret,,t,,,,,,,,,\nx\n")
        var tally = IntakeTally()
        let list = try withFile("") { path in
            let writer = try RejectsWriter(path: path)
            for row in rows {
                tally.count(row)
                try writer.write(row)
            }
            try writer.close()
            return try String(contentsOfFile: path, encoding: .utf8)
        }
        #expect(
            list == """
                row,line,field,code,reason
                2,4,requested_datetime,E_FIELD_TIME,is not a time in any of the mapping's formats
                3,5,,E_CSV_COLUMNS,the row does not have the header's columns: `short_rows: fill` takes rows that lack some at the end

                """)
        #expect(tally.read == 3 && tally.accepted == 1 && tally.rejected == 2)
        #expect(tally.rejectedByCode == ["E_FIELD_TIME": 1, "E_CSV_COLUMNS": 1])
        #expect(throws: FederationError.self) { try RejectsWriter(path: "/nowhere/rejects.csv") }
    }
}
