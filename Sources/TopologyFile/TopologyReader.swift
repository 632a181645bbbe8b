import FederationModel
import Yams

/// A value with the line it stands in.
struct Located<Value> {
    let value: Value
    let line: Int
}

/// A node as the file says it, before the nodes are held against each other. What was written wrongly is nil; its
/// problem is noted already.
struct NodeDraft {
    let line: Int
    var code: Located<NodeID>?
    var name = ""
    var parent: Located<NodeID>?
    /// Whether the file gives a parent at all, right or wrong: a node with a bad one is no root.
    var namesParent = false
    var peers: [Located<NodeID>] = []
    var region: Located<String>?
    var endpoint: Located<String>?
    var defaultMode = AggregationMode.physical
    var modes: [ResourceName: AggregationMode] = [:]
    var sharedWithPeers: Set<ResourceName> = []
    var grant = LinkGrant()
    var peerGrants: [NodeID: (grant: LinkGrant, line: Int)] = [:]
}

/// The whole file as it says it.
struct TopologyDraft {
    var name = ""
    var version: Int64 = 0
    var nodesLine = 1
    var nodes: [NodeDraft] = []
}

/// Reads the nodes of a YAML document, key by key, and notes what is wrong instead of stopping at it.
struct TopologyReader {
    let file: String
    private(set) var problems: [TopologyProblem] = []

    init(file: String) { self.file = file }

    var problemsByLine: [TopologyProblem] {
        problems.sorted { ($0.line, $0.code, $0.message) < ($1.line, $1.code, $1.message) }
    }

    mutating func note(_ code: String, line: Int, _ message: String, _ hint: String) {
        problems.append(
            TopologyProblem(code: "E_TOPOLOGY_\(code)", file: file, line: line, message: message, hint: hint))
    }

    mutating func draft(from root: Node) -> TopologyDraft {
        var draft = TopologyDraft()
        guard
            let entries = entries(
                of: root, in: "the topology", keys: ["version", "name", "nodes"],
                required: ["version", "name", "nodes"])
        else { return draft }
        if let entry = entries["version"] { draft.version = version(entry) ?? 0 }
        if let entry = entries["name"] { draft.name = name(entry) ?? "" }
        guard let nodes = entries["nodes"] else { return draft }
        draft.nodesLine = nodes.line
        guard let items = list(nodes) else { return draft }
        if items.isEmpty {
            note("NO_NODES", line: nodes.line, "there are no nodes", "list at least the root under `nodes`")
        }
        guard items.count <= TopologyFile.nodesMax else {
            note(
                "TOO_MANY_NODES", line: nodes.line, "\(items.count) nodes, the limit is \(TopologyFile.nodesMax)",
                "split the federation")
            return draft
        }
        draft.nodes = items.compactMap { node($0) }
        return draft
    }

    private mutating func node(_ node: Node) -> NodeDraft? {
        let keys = [
            "code", "name", "parent", "endpoint", "region", "mode", "modes", "peers", "shared-with-peers", "policy",
            "peer-policies",
        ]
        guard let entries = entries(of: node, in: "a node", keys: keys, required: ["code", "name"]) else { return nil }
        var draft = NodeDraft(line: node.mark?.line ?? 1)
        if let entry = entries["code"] { draft.code = code(entry) }
        if let entry = entries["name"] { draft.name = name(entry) ?? "" }
        if let entry = entries["parent"], !entry.isNull {
            draft.namesParent = true
            draft.parent = parent(entry)
        }
        if let entry = entries["endpoint"], !entry.isNull { draft.endpoint = endpoint(entry) }
        if let entry = entries["region"], !entry.isNull { draft.region = region(entry) }
        if let entry = entries["mode"] { draft.defaultMode = mode(entry) ?? .physical }
        if let entry = entries["modes"], !entry.isNull { draft.modes = modes(entry) }
        if let entry = entries["peers"], !entry.isNull {
            draft.peers = (list(entry) ?? []).compactMap { code(Entry(key: "peers", value: $0)) }
        }
        if let entry = entries["shared-with-peers"], !entry.isNull {
            draft.sharedWithPeers = Set(
                (list(entry) ?? []).compactMap { resource(Entry(key: "shared-with-peers", value: $0)) })
        }
        if let entry = entries["policy"], !entry.isNull { draft.grant = grant(entry) }
        if let entry = entries["peer-policies"], !entry.isNull { draft.peerGrants = peerGrants(entry) }
        return draft
    }

    // MARK: - Values

    private mutating func version(_ entry: Entry) -> Int64? {
        guard let text = text(entry) else { return nil }
        guard let version = Int64(text), version > 0 else {
            note(
                "BAD_VERSION", line: entry.line, "the version \(quoted(text)) is not a whole number from 1 up",
                "write for example `version: 1` and raise it with every change")
            return nil
        }
        return version
    }

    private mutating func name(_ entry: Entry) -> String? {
        guard let text = text(entry) else { return nil }
        guard !text.unicodeScalars.contains(where: \.isControl), !text.allSatisfy(\.isWhitespace),
            text.utf8.count <= 200
        else {
            note(
                "BAD_NAME", line: entry.line, "the name \(quoted(text)) is empty, too long or holds control characters",
                "give a name of up to 200 bytes for people to read")
            return nil
        }
        return text
    }

    mutating func code(_ entry: Entry) -> Located<NodeID>? {
        guard let text = text(entry) else { return nil }
        guard let id = NodeID(text) else {
            note(
                "BAD_CODE", line: entry.line, "\(quoted(text)) in `\(entry.key)` is not a node code",
                "write 6 to 12 digits in quotes, such as \"370100\"")
            return nil
        }
        return Located(value: id, line: entry.line)
    }

    private mutating func parent(_ entry: Entry) -> Located<NodeID>? {
        guard entry.value.sequence == nil else {
            note(
                "TWO_PARENTS", line: entry.line, "`parent` is a list, but a node has one parent",
                "name one parent, and give the others as `peers`")
            return nil
        }
        return code(entry)
    }

    private mutating func region(_ entry: Entry) -> Located<String>? {
        guard let text = text(entry) else { return nil }
        guard NodeID(text) != nil else {
            note(
                "BAD_REGION", line: entry.line, "\(quoted(text)) is not a region code",
                "write a code of GB/T 2260 with 6 to 12 digits in quotes, or leave `region` out")
            return nil
        }
        return Located(value: text, line: entry.line)
    }

    private mutating func endpoint(_ entry: Entry) -> Located<String>? {
        guard let text = text(entry) else { return nil }
        guard Endpoint.isValid(text) else {
            note(
                "BAD_ENDPOINT", line: entry.line, "the endpoint \(quoted(text)) is not https://HOST:PORT",
                "write host and port and nothing after them, such as https://12345.example.cn:7370")
            return nil
        }
        return Located(value: text, line: entry.line)
    }

    private mutating func mode(_ entry: Entry) -> AggregationMode? {
        guard let text = text(entry) else { return nil }
        guard let mode = AggregationMode(rawValue: text) else {
            note(
                "UNKNOWN_MODE", line: entry.line, "unknown mode \(quoted(text))",
                "use `physical` (rows are copied up) or `logical` (rows stay, queries travel)")
            return nil
        }
        return mode
    }

    private mutating func modes(_ entry: Entry) -> [ResourceName: AggregationMode] {
        let keys = BuiltInResources.all.map(\.name.text)
        var modes: [ResourceName: AggregationMode] = [:]
        for (key, entry) in entries(of: entry.value, in: "`modes`", keys: keys, kind: "resource") ?? [:] {
            modes[ResourceName(key)] = mode(entry)
        }
        return modes
    }

    private mutating func resource(_ entry: Entry) -> ResourceName? {
        guard let text = text(entry) else { return nil }
        let name = ResourceName(text)
        guard BuiltInResources.named(name) != nil else {
            note(
                "UNKNOWN_RESOURCE", line: entry.line, "unknown resource \(quoted(text)) in `\(entry.key)`",
                suggestion(for: text, among: BuiltInResources.all.map(\.name.text)))
            return nil
        }
        return name
    }

    // MARK: - Shapes

    /// A value and the key it belongs to.
    struct Entry {
        let key: String
        let value: Node
        var line: Int

        init(key: String, value: Node, line: Int? = nil) {
            self.key = key
            self.value = value
            self.line = line ?? value.mark?.line ?? 1
        }

        /// Written as nothing at all, which means the same as leaving the key out.
        var isNull: Bool {
            guard let scalar = value.scalar, scalar.style == .plain else { return false }
            return ["", "~", "null"].contains(scalar.string)
        }
    }

    mutating func text(_ entry: Entry) -> String? {
        if let scalar = entry.value.scalar { return scalar.string }
        note("WRONG_TYPE", line: entry.line, "`\(entry.key)` must be one value", "write it as `\(entry.key): …`")
        return nil
    }

    mutating func list(_ entry: Entry) -> [Node]? {
        if let sequence = entry.value.sequence { return Array(sequence) }
        note(
            "WRONG_TYPE", line: entry.line, "`\(entry.key)` must be a list",
            "write `\(entry.key): [ … ]`, or one line with `- ` for each")
        return nil
    }

    /// The entries of a mapping by their keys, which are of one `kind`; a key that is repeated counts once, as it is written first.
    ///
    /// - Parameter keys: those that there are; nil when they are checked by whoever asks.
    mutating func entries(
        of node: Node, in place: String, keys: [String]?, required: [String] = [], kind: String = "key"
    ) -> [String: Entry]? {
        let start = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            let known = (keys ?? ["\"370900\""]).prefix(3).map { "`\($0): …`" }.joined(separator: ", ")
            note("NOT_A_MAPPING", line: start, "\(place) is not a mapping", "write it as \(known)")
            return nil
        }
        var entries: [String: Entry] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? start
            let name = YAMLText.unmarked(key.scalar?.string ?? "")
            if let keys, !keys.contains(name) {
                note(
                    "UNKNOWN_\(kind.uppercased())", line: line, "unknown \(kind) \(quoted(name)) in \(place)",
                    suggestion(for: name, among: keys))
            } else if let first = entries[name] {
                let code = name == "parent" ? "TWO_PARENTS" : "DUPLICATE_KEY"
                note(
                    code, line: line, "`\(name)` was given in line \(first.line) already",
                    "keep one of the two")
            } else {
                entries[name] = Entry(key: name, value: value, line: line)
            }
        }
        for key in required where entries[key] == nil {
            note("MISSING_KEY", line: start, "\(place) lacks the key `\(key)`", "add `\(key): …`")
        }
        return entries
    }

    /// What the file says, short and harmless enough to be shown in a terminal.
    func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map { $0.isControl ? "\u{FFFD}" : Character($0) }
        return "\"\(String(shown))\(text.unicodeScalars.count > 60 ? "…" : "")\""
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { properties.generalCategory == .control || properties.generalCategory == .format }
}
