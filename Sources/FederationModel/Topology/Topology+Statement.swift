extension Topology {
    /// What decides over links, as JSON that is the same text for topologies that decide the same: without names and addresses,
    /// without what equals a default, each set in the order of its bytes. No text that is shown to people is part of it, so it
    /// may change in no release: nodes keep its digest, and two of them compare it. A golden test holds it.
    package var statement: String {
        var json = CanonicalJSON()
        json.object { json in
            json.member("nodes", list: inByteOrder(nodes) { $0.id.code }) { node, json in
                json.member("id", node.id.code)
                if let parent = node.parent { json.member("parent", parent.code) }
                json.member("peers", set: node.peers.map(\.code))
                json.member("mode", node.defaultMode.rawValue)
                let modes = node.modes.filter { $0.value != node.defaultMode }
                json.member("modes", modes.map { ($0.key.text, $0.value.rawValue) })
                json.member("shared", set: node.sharedWithPeers.map(\.text))
                json.member("grant", grant: node.grant)
                json.member("peerGrants", grants: node.peerGrants.filter { $0.value != node.grant })
                if node.isDraining { json.member("draining", literal: "true") }
            }
            json.member("detached", list: inByteOrder(detached) { $0.id.code }) { node, json in
                json.member("id", node.id.code)
                json.member("parent", node.parent.code)
            }
        }
        return json.text
    }
}

/// Writes JSON whose text depends on the values alone.
private struct CanonicalJSON {
    private(set) var text = ""
    private var isFirst = true

    private mutating func separate() {
        if !isFirst { text += "," }
        isFirst = false
    }

    private mutating func array<Element>(_ elements: [Element], _ write: (Element, inout CanonicalJSON) -> Void) {
        text += "["
        isFirst = true
        for element in elements {
            separate()
            write(element, &self)
            isFirst = false
        }
        text += "]"
        isFirst = false
    }

    /// Left out when empty.
    mutating func member<Element>(
        _ name: String, list elements: [Element], _ write: (Element, inout CanonicalJSON) -> Void
    ) {
        guard !elements.isEmpty else { return }
        self.name(name)
        array(elements) { element, json in json.object { write(element, &$0) } }
    }

    mutating func object(_ write: (inout CanonicalJSON) -> Void) {
        text += "{"
        isFirst = true
        write(&self)
        text += "}"
        isFirst = false
    }

    private mutating func name(_ name: String) {
        separate()
        appendJSONString(name, to: &text)
        text += ":"
    }

    mutating func member(_ name: String, _ value: String) {
        self.name(name)
        appendJSONString(value, to: &text)
    }

    mutating func member(_ name: String, literal: String) {
        self.name(name)
        text += literal
    }

    /// Left out when empty.
    mutating func member(_ name: String, set values: [String]) {
        let values = inByteOrder(values) { $0 }
        guard !values.isEmpty else { return }
        self.name(name)
        array(values.indices.filter { $0 == 0 || !values[$0].utf8.elementsEqual(values[$0 - 1].utf8) }) { index, json in
            appendJSONString(values[index], to: &json.text)
        }
    }

    /// Left out when empty.
    mutating func member(_ name: String, _ pairs: [(String, String)]) {
        guard !pairs.isEmpty else { return }
        self.name(name)
        object { json in for (key, value) in inByteOrder(pairs, { $0.0 }) { json.member(key, value) } }
    }

    /// Left out when it restricts nothing.
    mutating func member(_ name: String, grant: LinkGrant) {
        let treatments = grant.treatments.mapValues { $0.filter { $0.value != .keep } }.filter { !$0.value.isEmpty }
        guard
            !grant.tickets.isEmpty || !treatments.isEmpty || !grant.rowQueries.isEmpty || grant.minCell > 0
        else { return }
        self.name(name)
        object { json in
            json.member("regions", set: grant.tickets.regions.map { RegionRange($0).prefix })
            json.member("serviceCodes", set: grant.tickets.serviceCodes)
            json.member("requestTypes", set: grant.tickets.requestTypes)
            json.member("units", set: grant.tickets.units)
            if let confidential = grant.tickets.confidential { json.member("confidential", literal: "\(confidential)") }
            if let from = grant.tickets.from { json.member("from", literal: "\(from)") }
            if !treatments.isEmpty {
                json.name("treatments")
                json.object { json in
                    for (resource, columns) in inByteOrder(Array(treatments), { $0.key.text }) {
                        json.member(resource.text, columns.map { ($0.key, $0.value.rawValue) })
                    }
                }
            }
            json.member("rowQueries", set: grant.rowQueries.map(\.text))
            if grant.minCell > 0 { json.member("minCell", literal: "\(grant.minCell)") }
        }
    }

    /// Left out when empty.
    mutating func member(_ name: String, grants: [NodeID: LinkGrant]) {
        guard !grants.isEmpty else { return }
        self.name(name)
        object { json in
            for (peer, grant) in inByteOrder(Array(grants), { $0.key.code }) {
                // One that restricts nothing still differs from the node's own.
                if grant.isWhole { json.member(peer.code, literal: "{}") } else { json.member(peer.code, grant: grant) }
            }
        }
    }
}

/// By bytes: the order of Swift's strings looks through Unicode's equivalences.
private func inByteOrder<Element>(_ elements: [Element], _ text: (Element) -> String) -> [Element] {
    elements.sorted { text($0).utf8.lexicographicallyPrecedes(text($1).utf8) }
}
