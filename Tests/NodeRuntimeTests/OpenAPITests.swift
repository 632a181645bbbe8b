import Foundation
import NodeDesk
import Testing
import Yams

/// docs/openapi.yaml is a promise to whoever writes a client: it must name every route, and describe what really comes.
@Suite struct `The description of the HTTP interface` {
    private let document: [String: Any]

    init() throws {
        let path = Self.repository.appending(path: "docs/openapi.yaml")
        document = try #require(try Yams.load(yaml: String(contentsOf: path, encoding: .utf8)) as? [String: Any])
    }

    @Test func `is OpenAPI 3.1 with every route of the servers and no other`() throws {
        #expect((document["openapi"] as? String)?.hasPrefix("3.1.") == true)
        var described: Set<String> = []
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            for method in item.keys { described.insert("\(method) \(path)") }
        }
        var served: Set<String> = []
        let folder = Self.repository.appending(path: "Sources/NodeRuntime/HTTP")
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            let source = try String(contentsOf: file, encoding: .utf8)
            for match in source.matches(of: /router\.(get|post|put|patch|delete|head)\(\s*"([^"]+)"/) {
                served.insert("\(match.1) \(match.2)")
            }
        }
        #expect(served.contains("post /v1/resources/{name}/records"))
        #expect(served.contains("post /v1/link/hello"))
        #expect(served.subtracting(described).sorted() == [], "routes that docs/openapi.yaml does not describe")
        #expect(described.subtracting(served).sorted() == [], "routes that no server has")
    }

    @Test func `has no reference that leads nowhere`() throws {
        func walk(_ value: Any) throws {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { _ = try resolve(reference) }
                for value in object.values { try walk(value) }
            } else if let list = value as? [Any] {
                for value in list { try walk(value) }
            }
        }
        try walk(document)
    }

    @Test func `describes real answers`() async throws {
        let report = try resolve("#/components/schemas/PushReport")
        let problem = try resolve("#/components/schemas/Problem")
        let example = try #require((try resolve("#/components/schemas/Record")["examples"] as? [Any])?.first)
        let record = String(decoding: try JSONSerialization.data(withJSONObject: example), as: UTF8.self)
        let good = try JSONCheck(document)
        try await withIntakeServer { server in
            let token = try await server.token()
            let answer = try await server.push("[\(record),{\"key\":\"x\"},5]", token: token)
            #expect(try answer.outcomes() == ["accepted", "rejected", "rejected"])
            #expect(good.faults(answer.body, "PushReport") == [])
            let refused = try await server.push("[", token: token)
            #expect(refused.status == 400)
            #expect(good.faults(refused.body, "Problem") == [])
            #expect(try await good.faults(server.push("[]", token: "x").body, "Problem") == [])
        }
        // The check itself can fail.
        #expect(good.faults("{\"resource\":1,\"more\":2}", "PushReport").count > 5)
        #expect(report["required"] is [Any] && problem["required"] is [Any])
    }

    private func resolve(_ reference: String) throws -> [String: Any] {
        var value: Any? = document
        for part in reference.dropFirst(2).split(separator: "/") { value = (value as? [String: Any])?[String(part)] }
        return try #require(value as? [String: Any], "\(reference) leads nowhere")
    }

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}

/// As much of JSON Schema as docs/openapi.yaml uses for answers.
private struct JSONCheck: @unchecked Sendable {
    private let schemas: [String: [String: Any]]

    init(_ document: [String: Any]) throws {
        let components = try #require(document["components"] as? [String: Any])
        schemas = try #require(components["schemas"] as? [String: [String: Any]])
    }

    func faults(_ json: String, _ schema: String) -> [String] {
        guard let value = try? JSONSerialization.jsonObject(with: Data(json.utf8)), let schema = schemas[schema] else {
            return ["not JSON: \(json)"]
        }
        return faults(value, schema, at: "$")
    }

    private func faults(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        if let reference = schema["$ref"] as? String, let name = reference.split(separator: "/").last {
            return schemas[String(name)].map { faults(value, $0, at: path) } ?? ["\(path): \(reference)"]
        }
        var found: [String] = []
        if let type = schema["type"] as? String, !isOfType(value, type) { found.append("\(path): is not \(type)") }
        if let constant = schema["const"] as? String, value as? String != constant {
            found.append("\(path): \(constant)")
        }
        if let allowed = schema["enum"] as? [String], !allowed.contains(value as? String ?? "") {
            found.append("\(path): not one of \(allowed)")
        }
        if let minimum = schema["minimum"] as? Int, let number = value as? Double, number < Double(minimum) {
            found.append("\(path): below \(minimum)")
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            found.append("\(path): does not match \(pattern)")
        }
        if let object = value as? [String: Any] {
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            for name in schema["required"] as? [String] ?? [] where object[name] == nil {
                found.append("\(path): has no \(name)")
            }
            for (name, value) in object {
                if let property = properties[name] {
                    found += faults(value, property, at: "\(path).\(name)")
                } else if schema["additionalProperties"] as? Bool == false {
                    found.append("\(path): has \(name)")
                }
            }
        }
        if let items = schema["items"] as? [String: Any], let list = value as? [Any] {
            for (index, value) in list.enumerated() { found += faults(value, items, at: "\(path)[\(index)]") }
        }
        return found
    }

    private func isOfType(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "integer": (value as? Double).map { $0 == $0.rounded() } ?? false
        case "number": value is Double
        default: false
        }
    }
}
