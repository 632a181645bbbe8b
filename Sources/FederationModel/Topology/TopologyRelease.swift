/// A topology as its top node published it: numbered, and signed so that it can be passed on from neighbour to neighbour.
///
/// The text is the file as the administrator wrote it, so what is signed is what people read, and `topology rollback` can publish
/// an earlier one again under a new number.
package struct TopologyRelease: Hashable, Sendable, Codable {
    /// Counts for the topology's version, whatever the text says: a rollback publishes an old text under a new number.
    package let version: Int64
    /// The topology file (YAML, UTF-8).
    package let text: String
    package let publishedAt: UnixMilliseconds
    /// nil for what a node was set up with: its own file, which nobody else takes from it.
    package let signature: Signature?

    package struct Signature: Hashable, Sendable, Codable {
        /// PEM: the certificate of the node that signed, issued by the federation's authority.
        package let certificate: String
        /// ECDSA with P-256 and SHA-256 over `signedBytes`, DER, Base64.
        package let value: String

        package init(certificate: String, value: String) {
            self.certificate = certificate
            self.value = value
        }
    }

    package init(version: Int64, text: String, publishedAt: UnixMilliseconds, signature: Signature? = nil) {
        self.version = version
        self.text = text
        self.publishedAt = publishedAt
        self.signature = signature
    }

    /// What the signature is about. The first line keeps it from being taken for a signature of anything else.
    package static func signedBytes(version: Int64, publishedAt: UnixMilliseconds, text: String) -> [UInt8] {
        Array("federation topology release\n\(version)\n\(publishedAt)\n\(text)".utf8)
    }

    package var signedBytes: [UInt8] {
        Self.signedBytes(version: version, publishedAt: publishedAt, text: text)
    }
}

/// By what two nodes know whether they stand on the same topology: said in each hello.
package struct TopologyStamp: Hashable, Sendable, Codable {
    package let version: Int64
    /// Tells two topologies of one number apart. Its beginning names how it was made; stamps made in different ways are not
    /// compared. nil from a node of an earlier release.
    package let digest: String?

    package init(version: Int64, digest: String?) {
        self.version = version
        self.digest = digest
    }

    /// Whether both have this number and say different things.
    package func contradicts(_ other: TopologyStamp) -> Bool {
        guard version == other.version, let digest, let theirs = other.digest,
            digest.prefix(while: { $0 != "-" }) == theirs.prefix(while: { $0 != "-" })
        else { return false }
        return digest != theirs
    }
}

extension Topology {
    package var stamp: TopologyStamp {
        // It finds an accident. Releases of a stranger are kept out by their signature.
        TopologyStamp(version: version, digest: "1-\(String(fnv1a64(statement.utf8), radix: 16))")
    }

    /// The same topology under the number of its release.
    package func numbered(_ version: Int64) -> Topology {
        version == self.version ? self : Topology(name: name, version: version, nodes: nodes, detached: detached)
    }
}
