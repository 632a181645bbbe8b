import FederationModel
import NodeDesk

extension PushReport {
    /// One JSON document. Written by hand: an encoder takes a fifth of the time that storing the records does.
    package var json: String {
        let names = results.map(\.outcome.name)
        func count(_ name: String) -> Int { names.count { $0 == name } }
        var json = "{\"resource\":"
        appendJSONString(resource.text, to: &json)
        json += ",\"read\":\(results.count),\"accepted\":\(count("accepted")),\"unchanged\":\(count("unchanged"))"
        let taken = results.filter { $0.outcome.name == "accepted" && !$0.isCollapsed }
        let new = taken.count { $0.outcome == .accepted(.new) }
        json += ",\"rejected\":\(count("rejected")),\"new\":\(new),\"changed\":\(taken.count - new)"
        json +=
            ",\"collapsed\":\(results.count(where: \.isCollapsed)),\"seconds\":\(Double(milliseconds) / 1_000),\"results\":["
        for (index, result) in results.enumerated() {
            if index > 0 { json += "," }
            json += "{\"index\":\(index)"
            if let key = result.key { Self.append("key", key, to: &json) }
            Self.append("status", result.outcome.name, to: &json)
            // Whoever repeats an older request must see that it took the place of something else.
            if case .accepted(let change) = result.outcome {
                Self.append(
                    "change", result.isCollapsed ? "collapsed" : change == .new ? "new" : "replaced", to: &json)
            }
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
