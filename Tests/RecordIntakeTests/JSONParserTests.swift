import FederationModel
import Foundation
import RecordIntake
import Testing

@Suite struct `The JSON parser` {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)[...]) }

    @Test(
        arguments: [
            ("null", "null"), (" true ", "true"), ("\t[\n]\r", "[]"), ("{}", "{}"), ("-0", "-0"),
            ("1.50e+3", "1.50e+3"),
            ("0.1", "0.1"), ("123456789012345678901234567890", "123456789012345678901234567890"),
            (#"{"b":[1,{"c":null}],"a":"x"}"#, #"{"a":"x","b":[1,{"c":null}]}"#),
            (#""\u8def\u706f \"\\\/\b\f\n\r\t""#, #""路灯 \"\\/\u0008\u000c\n\r\t""#), (#""\ud83d\ude00""#, "\"😀\""),
            ("\"𠮷\"", "\"𠮷\""),
        ])
    func `reads what RFC 8259 allows and writes it in one compact spelling`(text: String, spelling: String) throws {
        let value = try parse(text)
        #expect(value.text == spelling)
        #expect(try parse(value.text).text == spelling)
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "\"\\", "\"\\u12", "nul", "nulll", "True", "NaN", "Infinity", "-", "01", "1.", ".5",
        "1e", "+1",
        "0x10", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{1:1}", "[1]]",
        "{} {}",
        "// c\n1", "\"\n\"", "\"\t\"", "\"\\x41\"", "\"\\u00g0\"", "\u{FEFF}1", "[1}", "{\"a\":1]",
    ])
    func `refuses what is not JSON`(text: String) {
        #expect(throws: JSONFault.syntax) { try parse(text) }
    }

    @Test func `refuses what parsers take in different ways`() throws {
        #expect(throws: JSONFault.duplicateName) { try parse(#"{"a":1,"b":2,"a":1}"#) }
        #expect(throws: JSONFault.duplicateName) { try parse(#"{"x":[{"a":1,"\u0061":2}]}"#) }
        // Few names and many are told apart in two ways.
        for count in [63, 64, 65, 300] {
            let members = (0..<count).map { "\"name\($0)\":\($0)" }
            #expect(try parse("{\(members.joined(separator: ","))}") != .null)
            for again in [0, count / 2, count - 1] {
                #expect(throws: JSONFault.duplicateName) {
                    try parse("{\((members + [members[again]]).joined(separator: ","))}")
                }
            }
        }
        #expect(throws: JSONFault.nulCharacter) { try parse(#""a\u0000b""#) }
        for half in [#""\ud800""#, #""\ud800x""#, #""\ud800\u0041""#, #""\udc00""#] {
            #expect(throws: JSONFault.encoding) { try parse(half) }
        }
        for bytes in [
            [0x22, 0xff, 0x22], [0x22, 0xe4, 0xb8, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
        ] {
            #expect(throws: JSONFault.encoding) { try JSONParser.parse(bytes.map { UInt8($0) }[...]) }
        }
    }

    @Test func `stops at its limits`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try parse(nested(JSONParser.depthMax)) != .null)
        #expect(throws: JSONFault.tooDeep) { try parse(nested(JSONParser.depthMax + 1)) }
        #expect(throws: JSONFault.tooDeep) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
        #expect(try parse(String(repeating: "9", count: JSONParser.numberBytesMax)) != .null)
        #expect(throws: JSONFault.longNumber) {
            try parse(String(repeating: "9", count: JSONParser.numberBytesMax + 1))
        }
    }

    /// Bytes of good JSON changed at random: no crash, and nothing is taken that Foundation's parser does not take.
    @Test func `takes nothing that another parser refuses`() throws {
        let good = Array(#"{"key":"A-1","n":-1.5e3,"b":[true,null,"\u8def路"],"ext":{"x":{"y":[]}}}"#.utf8)
        let alphabet = Array(#"{}[]",:\u0d8eE+-.1x "#.utf8) + [0, 0xff, 0xe8, 0x0a]
        var chance = SplitMix64(seed: 7)
        var taken = 0
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &chance) {
                let place = Int.random(in: 0..<bytes.count, using: &chance)
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &chance)]
                case 1: bytes.insert(alphabet[Int.random(in: 0..<alphabet.count, using: &chance)], at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &chance)))
                }
                if bytes.isEmpty { break }
            }
            guard let value = try? JSONParser.parse(bytes[...]) else { continue }
            taken += 1
            let other = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(other != nil, "\(String(decoding: bytes, as: UTF8.self))")
            #expect(try JSONParser.parse(Array(value.text.utf8)[...]).text == value.text)
        }
        #expect(taken > 100)
    }
}
