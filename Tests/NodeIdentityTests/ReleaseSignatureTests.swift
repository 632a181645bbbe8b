import FederationModel
import NodeIdentity
import Testing

@Suite struct `A release's signature` {
    private let now: UnixMilliseconds = 1_790_000_000_000
    private let text = "version: 2\nname: 联邦\n"

    private func signed(
        by code: String, of authority: CertificateAuthority, validityDays: Int = 30
    ) throws -> TopologyRelease.Signature {
        let node = try #require(NodeID(code))
        let credentials = try authority.makeCredentials(for: node, validityDays: validityDays, now: now)
        return try ReleaseSignature.sign(
            TopologyRelease.signedBytes(version: 2, publishedAt: now, text: text), with: credentials)
    }

    private func code(_ body: () throws -> NodeID) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? FederationError)?.code
        }
    }

    @Test func `says who signed, and holds for these bytes, this number and this time alone`() throws {
        let authority = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        let signature = try signed(by: "370000", of: authority)
        func verify(version: Int64 = 2, publishedAt: UnixMilliseconds? = nil, text: String? = nil) throws -> NodeID {
            try ReleaseSignature.verify(
                signature,
                of: TopologyRelease.signedBytes(
                    version: version, publishedAt: publishedAt ?? now, text: text ?? self.text),
                at: now, trustRootsPEM: authority.certificatePEM)
        }
        #expect(try verify().code == "370000")
        #expect(code { try verify(version: 3) } == "E_TOPOLOGY_SIGNATURE")
        #expect(code { try verify(publishedAt: now + 1) } == "E_TOPOLOGY_SIGNATURE")
        #expect(code { try verify(text: text + "#") } == "E_TOPOLOGY_SIGNATURE")
    }

    @Test func `of another federation is refused`() throws {
        let (ours, theirs) = (
            try CertificateAuthority(name: "甲", validityDays: 10, now: now),
            try CertificateAuthority(name: "乙", validityDays: 10, now: now)
        )
        let signature = try signed(by: "370000", of: theirs)
        let bytes = TopologyRelease.signedBytes(version: 2, publishedAt: now, text: text)
        #expect(
            code { try ReleaseSignature.verify(signature, of: bytes, at: now, trustRootsPEM: ours.certificatePEM) }
                == "E_TOPOLOGY_SIGNATURE")
    }

    /// A node that was away for a year follows what was published meanwhile.
    @Test func `holds after its certificate has run out, if it was valid when it signed`() throws {
        let authority = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        let signature = try signed(by: "370000", of: authority, validityDays: 1)
        let bytes = TopologyRelease.signedBytes(version: 2, publishedAt: now, text: text)
        func verify(at time: UnixMilliseconds) throws -> NodeID {
            try ReleaseSignature.verify(signature, of: bytes, at: time, trustRootsPEM: authority.certificatePEM)
        }
        #expect(try verify(at: now).code == "370000")
        #expect(code { try verify(at: now + 2 * 86_400_000) } == "E_TOPOLOGY_SIGNATURE")
    }

    @Test(arguments: ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "令牌"])
    func `with anything else for a certificate is refused`(_ certificate: String) throws {
        let authority = try CertificateAuthority(name: "根", validityDays: 10, now: now)
        let signature = TopologyRelease.Signature(certificate: certificate, value: "AAAA")
        #expect(
            code {
                try ReleaseSignature.verify(signature, of: [1], at: now, trustRootsPEM: authority.certificatePEM)
            } == "E_TOPOLOGY_SIGNATURE")
    }
}
