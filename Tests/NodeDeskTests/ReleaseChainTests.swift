import FederationModel
import NodeDesk
import NodeIdentity
import TestSupport
import Testing

/// 9 of the topology as data: who may publish, seen by a node that is handed releases.
@Suite struct `A chain of releases` {
    private let now: UnixMilliseconds = 1_790_000_000_000
    private let authority: CertificateAuthority
    private let former: Topology

    init() throws {
        authority = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        former = try StandingSource.topology(
            of: TopologyRelease(version: 1, text: Self.text(top: "370000"), publishedAt: now))
    }

    /// Two nodes, the one above the other.
    private static func text(top: String) -> String {
        let below = top == "370000" ? "370100" : "370000"
        return """
            version: 1
            name: 联邦
            nodes:
              - {code: "\(top)", name: 上级, region: "370000"}
              - {code: "\(below)", name: 下级, parent: "\(top)", region: "370000"}

            """
    }

    private func release(
        _ version: Int64, by signer: String?, top: String = "370000", of authority: CertificateAuthority? = nil
    ) throws -> TopologyRelease {
        let text = Self.text(top: top)
        let signature = try signer.map { signer in
            let credentials = try (authority ?? self.authority).makeCredentials(
                for: try #require(NodeID(signer)), validityDays: 30, now: now)
            return try ReleaseSignature.sign(
                TopologyRelease.signedBytes(version: version, publishedAt: now, text: text), with: credentials)
        }
        return TopologyRelease(version: version, text: text, publishedAt: now, signature: signature)
    }

    private func chain(_ releases: [TopologyRelease]) throws -> [Int64] {
        try ReleaseChain(releases, after: former, trustRootsPEM: authority.certificatePEM).releases.map(
            \.release.version)
    }

    @Test func `holds what the top node has signed, in the order of the numbers, and nothing that is old`() throws {
        let releases = try [3, 1, 2].map { try release($0, by: "370000") }
        #expect(try chain(releases) == [2, 3])
    }

    @Test func `is refused when anybody but the top node has signed, or nobody, or another federation`() throws {
        #expect(errorCode { _ = try chain([release(2, by: "370100")]) } == "E_TOPOLOGY_SIGNER")
        #expect(errorCode { _ = try chain([release(2, by: nil)]) } == "E_TOPOLOGY_SIGNATURE")
        let other = try CertificateAuthority(name: "别的根", validityDays: 3_650, now: now)
        #expect(errorCode { _ = try chain([release(2, by: "370000", of: other)]) } == "E_TOPOLOGY_SIGNATURE")
    }

    @Test func `is refused as a whole for one foreign release in it`() throws {
        #expect(
            errorCode { _ = try chain([release(2, by: "370000"), release(3, by: "370100")]) } == "E_TOPOLOGY_SIGNER")
    }

    @Test func `is refused when its text or number is not what was signed`() throws {
        let signed = try release(2, by: "370000")
        let altered = TopologyRelease(
            version: 2, text: signed.text + "#", publishedAt: now, signature: signed.signature)
        #expect(errorCode { _ = try chain([altered]) } == "E_TOPOLOGY_SIGNATURE")
        let renumbered = TopologyRelease(
            version: 9, text: signed.text, publishedAt: now, signature: signed.signature)
        #expect(errorCode { _ = try chain([renumbered]) } == "E_TOPOLOGY_SIGNATURE")
    }

    /// The former top node signs the release that makes another one the top; from then on only that one publishes.
    @Test func `hands the right to publish on with a new top node`() throws {
        let handedOn = try release(2, by: "370000", top: "370100")
        #expect(try chain([handedOn, release(3, by: "370100", top: "370100")]) == [2, 3])
        #expect(errorCode { _ = try chain([handedOn, release(3, by: "370000")]) } == "E_TOPOLOGY_SIGNER")
        #expect(errorCode { _ = try chain([release(3, by: "370100", top: "370100")]) } == "E_TOPOLOGY_SIGNER")
    }
}
