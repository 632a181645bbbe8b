import ConfigurationFiles
import FederationModel
import MappingSuggestions
import RecordIntake
import TestSupport

/// Records from other systems.
let recordTargets = [
    FuzzTarget("import-file", read: importFile),
    FuzzTarget("suggestion", read: suggestMapping),
    FuzzTarget("json") { bytes in
        guard let value = try? JSONParser.parse(bytes[...]) else { return }
        let again = try? JSONParser.parse(Array(value.text.utf8)[...])
        try promise(again?.text == value.text, "a JSON value that is written again is another one")
    },
    FuzzTarget("push", read: readPushed),
]

/// CSV or JSON Lines, plain or packed: the content tells.
private func importFile(_ bytes: [UInt8]) throws {
    try withFile(bytes) { path in
        let mapping = try Mapping.parse(smallMapping, path: "x.yaml")
        let importer = try Importer(mapping: mapping, origin: Federation.city, path: path)
        var number = 0
        while let row = try importer.next() {
            number += 1
            try promise(row.number == number, "row \(row.number) comes as number \(number)")
            switch row.result {
            case .success(let source):
                let records = source.records
                try promise(!records.isEmpty, "a row that is accepted becomes nothing")
                try promise(records.allSatisfy { $0.key.hasPrefix(Federation.city.code) }, "a record of another node")
            case .failure(let rejection): try checkRefusal(rejection)
            }
        }
    }
}

/// Whatever is suggested for a file, that file can be imported by.
private func suggestMapping(_ bytes: [UInt8]) throws {
    try withFile(bytes) { path in
        let yaml = try MappingSuggestion(path: path, rowsMax: 1_000).yaml
        do {
            let mapping = try Mapping.parse(yaml, path: "suggested.yaml")
            _ = try Importer(mapping: mapping, origin: Federation.city, path: path)
        } catch {
            throw BrokenPromise("a mapping is suggested that import refuses: \(error)")
        }
    }
}

/// The body of a push: three bytes choose its packing, its format and the resource.
private func readPushed(_ bytes: [UInt8]) throws {
    guard bytes.count >= 3 else { return }
    let encodings = [BodyEncoding.identity, .gzip, .zstd]
    let encoding = encodings[Int(bytes[0]) % encodings.count]
    let format: PushFormat = bytes[1] % 2 == 0 ? .json : .jsonLines
    let resource = BuiltInResources.all[Int(bytes[2]) % BuiltInResources.all.count]
    let body = try encoding.unpack(Array(bytes.dropFirst(3)), bytesMax: 1 << 20)
    try promise(body.count <= 1 << 20, "a body is larger than allowed")
    let reader = PushedRecordReader(resource, origin: Federation.city)
    for row in try pushedRows(body, format: format, rowsMax: 100) {
        if case .failure(let rejection) = reader.record(body[row]).result { try checkRefusal(rejection) }
    }
}
