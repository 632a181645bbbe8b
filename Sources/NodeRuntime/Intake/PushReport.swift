import FederationModel

/// What became of one pushed record.
package enum PushOutcome: Hashable, Sendable {
    /// Stored: new, or other than before.
    case accepted
    /// Here already, field by field.
    case unchanged
    case rejected(RowRejection)

    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .unchanged: "unchanged"
        case .rejected: "rejected"
        }
    }
}

/// The answer to a push: the counts that `import` gives, and one result a record in the order of the body.
package struct PushReport: Sendable {
    package struct Result: Sendable {
        /// As it was stored; as it was sent for a record that was not.
        package var key: String?
        package var outcome: PushOutcome
    }

    package let resource: ResourceName
    package var results: [Result]
    package var milliseconds = 0

    /// One JSON document. Written by hand: an encoder takes a fifth of the time that storing the records does.
    package var json: String {
        let names = results.map(\.outcome.name)
        func count(_ name: String) -> Int { names.count { $0 == name } }
        var json = "{\"resource\":"
        appendJSONString(resource.text, to: &json)
        json += ",\"read\":\(results.count),\"accepted\":\(count("accepted")),\"unchanged\":\(count("unchanged"))"
        json += ",\"rejected\":\(count("rejected")),\"seconds\":\(Double(milliseconds) / 1_000),\"results\":["
        for (index, result) in results.enumerated() {
            if index > 0 { json += "," }
            json += "{\"index\":\(index)"
            if let key = result.key { Self.append("key", key, to: &json) }
            Self.append("status", result.outcome.name, to: &json)
            if case .rejected(let rejection) = result.outcome {
                Self.append("code", rejection.code, to: &json)
                if let field = rejection.field { Self.append("field", field, to: &json) }
                Self.append("reason", rejection.reason, to: &json)
            }
            json += "}"
        }
        return json + "]}\n"
    }

    private static func append(_ name: String, _ text: String, to json: inout String) {
        json += ",\"\(name)\":"
        appendJSONString(text, to: &json)
    }
}
