import FederationModel
import YAMLFile
import Yams

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
    var isDraining = false
}

/// The whole file as it says it.
struct TopologyDraft {
    var name = ""
    var version: Int64 = 0
    var nodesLine = 1
    var nodes: [NodeDraft] = []
    var detached: [DetachedDraft] = []
}

/// A node that was removed and whose records are kept.
struct DetachedDraft {
    let code: Located<NodeID>
    let name: String
    let parent: Located<NodeID>
}

/// What this kind of file adds to reading YAML key by key.
typealias TopologyReader = YAMLReader

extension TopologyReader {
    mutating func draft(from root: Node) -> TopologyDraft {
        var draft = TopologyDraft()
        guard
            let entries = entries(
                of: root, in: "the topology", keys: ["version", "name", "nodes", "detached"],
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
        if let entry = entries["detached"], !entry.isNull {
            draft.detached = (list(entry) ?? []).compactMap { detached($0) }
        }
        return draft
    }

    private mutating func detached(_ node: Node) -> DetachedDraft? {
        guard
            let entries = entries(
                of: node, in: "a detached node", keys: ["code", "name", "parent"],
                required: ["code", "name", "parent"]),
            let code = entries["code"].flatMap({ code($0) }), let name = entries["name"].flatMap({ name($0) }),
            let parent = entries["parent"].flatMap({ self.code($0) })
        else { return nil }
        return DetachedDraft(code: code, name: name, parent: parent)
    }

    private mutating func node(_ node: Node) -> NodeDraft? {
        let keys = [
            "code", "name", "parent", "endpoint", "region", "mode", "modes", "peers", "shared-with-peers", "policy",
            "peer-policies", "draining",
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
        if let entry = entries["draining"], !entry.isNull { draft.isDraining = draining(entry) ?? false }
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

    private mutating func draining(_ entry: Entry) -> Bool? {
        guard let text = text(entry) else { return nil }
        guard text == "true" || text == "false" else {
            note(
                "BAD_DRAINING", line: entry.line, "`draining` is neither `true` nor `false`",
                "write `draining: true` for a node that takes no new tickets before it is removed")
            return nil
        }
        return text == "true"
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
}
