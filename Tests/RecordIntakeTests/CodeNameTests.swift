import ConfigurationFiles
import FederationModel
import RecordIntake
import TestSupport
import Testing

@Suite struct `Names that a source writes for codes` {
    private static let lists = CodeLists.builtIn.adding([
        CodeList(
            name: ReferenceData.regionList, title: "行政区划",
            entries: [
                .init(code: "370000", title: "山东省"),
                .init(code: "370100", title: "济南市", parent: "370000"),
                .init(code: "370102", title: "历下区", english: "Lixia", parent: "370100"),
                .init(code: "370103", title: "市中区", parent: "370100"),
                .init(code: "370116", title: "莱芜区", parent: "370100", validFrom: 17_900),
                .init(code: "370402", title: "市中区", parent: "370400"),
                .init(code: "371202", title: "莱芜区", parent: "371200", validTo: 17_899, successor: "370116"),
            ]),
        CodeList(
            name: ReferenceData.serviceList, title: "问题分类",
            entries: [
                .init(code: "01", title: "住房"), .init(code: "01.01", title: "物业", parent: "01"),
                .init(code: "01.09", title: "其他", parent: "01"), .init(code: "02", title: "市政"),
                .init(code: "02.09", title: "其他", parent: "02"),
            ]),
    ])

    private static let mapping = smallMapping.replacing(
        "      channel:",
        with: """
                  region_code: {column: ward, titles_of: region, default: own}
                  service_code: {column: days, titles_of: service_code}
                  channel:
            """)

    /// What the first row's ticket has in a field; the code of the refusal when there is none.
    private func value(
        _ field: String, ward: String = "", category: String = "", via: String = "", origin: String = "370100",
        mapping text: String = Self.mapping, path: String = "m.yaml"
    ) throws -> String? {
        let origin = try #require(NodeID(origin))
        let mapping = try Mapping.parse(text, path: path, lists: Self.lists, region: origin.code)
        let file = "id,opened,via,title,text,wants_reply,lat,located,ward,unit,days,how\n"
        return try withFile(file + "1,2025-09-30 09:00:00,\(via),t,,,,,\(ward),,\(category),\n") { path in
            let row = try #require(try Importer(mapping: mapping, origin: origin, path: path).next())
            switch row.result {
            case .success(let source): return source.records[0].fields[field]?.text
            case .failure(let rejection): return rejection.code
            }
        }
    }

    @Test(arguments: [
        ("历下区", "370102"), ("370102", "370102"), ("Lixia", "370102"), ("济南市历下区", "370102"),
        ("山东省济南市历下区", "370102"), ("山东省 / 济南市 / 历下区", "370102"), ("市中区", "370103"), ("莱芜区", "370116"),
        ("历城", "E_FIELD_CODE"), ("", "370100"),
    ])
    func `a region is known by its name, alone or behind those of the levels above`(word: String, code: String) throws {
        #expect(try value("region_code", ward: word) == code)
    }

    @Test func `a name that several regions have is that of the node's own, or is refused`() throws {
        #expect(try value("region_code", ward: "市中区", origin: "370400") == "370402")
        #expect(try value("region_code", ward: "市中区", origin: "370000") == "E_FIELD_CODE")
        #expect(try value("region_code", ward: "济南市市中区", origin: "370000") == "370103")
    }

    @Test(arguments: [
        ("物业", "01.01"), ("01.01", "01.01"), ("住房/物业", "01.01"), ("住房 > 其他", "01.09"), ("其他", "E_FIELD_CODE"),
    ])
    func `a category is known by its name, with the levels above where it needs them`(word: String, code: String) throws
    {
        #expect(try value("service_code", category: word) == code)
    }

    @Test func `without reference data there are no regions to be known by name`() throws {
        let error = #expect(throws: FederationError.self) { try Mapping.parse(Self.mapping, path: "m.yaml") }
        #expect(try #require(error).message.contains("no reference data with list 'region'"))
    }

    @Test(arguments: [
        ("word,code\n热线,01\n网*,03\n", "热线", "01"), ("word,code\n热线,01\n网*,03\n", "网站", "03"),
        ("code,word,note\n03,热线,n\n", "热线", "03"), ("word,code\n热线,01\n", "信", "E_FIELD_CODE"),
        ("word,code\n热线,01\n", "电话", "01"),
    ])
    func `words stand in a file of their own, beside the mapping`(table: String, word: String, code: String) throws {
        try withFile(table) { path in
            let folder = String(path.dropLast("file.csv".count))
            let found = try value("channel", via: word, mapping: Self.tabled, path: folder + "m.yaml")
            #expect(found == code)
        }
    }

    private static let tabled = smallMapping.replacing("codes: {\"tele*\": \"01\"}", with: "codes: file.csv")

    @Test(arguments: [
        ("热线,01\n", "has no columns `word` and `code`"), ("word,code\n热线,\n", "row 1 lacks its word or its code"),
        ("word,code\n热线,01\n热线,02\n", "rows 1 and 2 give one word two codes"),
        ("word,code\n热线,77\n", "row 1: the code is not in code list channel"),
        ("word,code\n*,01\n", "row 1: '*' alone stands for every word"), ("word,code\n热线\n", "row 1:"),
    ])
    func `a table with a fault is refused with its row and none of its words`(table: String, message: String) throws {
        try withFile(table) { path in
            let folder = String(path.dropLast("file.csv".count))
            let error = #expect(throws: FederationError.self) {
                try value("channel", mapping: Self.tabled, path: folder + "m.yaml")
            }
            let told = try #require(error).message
            #expect(told.contains(message) && !told.contains("热线") && told.contains("m.yaml:9"), "\(told)")
        }
    }

    @Test func `a table that is not there is named`() throws {
        let error = #expect(throws: FederationError.self) {
            try value("channel", mapping: Self.tabled, path: "/nowhere/m.yaml")
        }
        #expect(try #require(error).code == "E_IMPORT_READ")
    }
}
