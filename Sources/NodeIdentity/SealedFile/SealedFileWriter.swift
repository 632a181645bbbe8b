import Crypto
import FederationModel
import Foundation
import NodeFiles

/// Writes a sealed file chunk by chunk. Under its name it is whole or not there.
package final class SealedFileWriter {
    private let file: OutputFile
    private let key: P256.Signing.PrivateKey
    private var sender: HPKE.Sender
    private let headerDigest: SHA256.Digest
    private var digest = SHA256()
    private var buffer: [UInt8] = []
    /// Of the file so far.
    package private(set) var bytes = 0

    /// - Parameter receiver: whose key can open it.
    /// - Throws: `E_FILE_EXISTS`, `E_FILE_WRITE`, `E_CREDENTIALS`, `E_FERRY_CERTIFICATE`.
    package init(
        path: String, existing: OutputFile.Existing, from credentials: NodeCredentials, to receiver: PeerCertificate,
        now: UnixMilliseconds
    ) throws(FederationError) {
        let point = receiver.key.x963Representation
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: credentials.privateKeyPEM)
            sender = try HPKE.Sender(
                recipientKey: P256.KeyAgreement.PublicKey(x963Representation: point),
                ciphersuite: SealedFile.ciphersuite,
                info: SealedFile.info(from: credentials.node, to: receiver.node))
        } catch {
            throw FederationError(
                "E_CREDENTIALS", "the keys of \(credentials.node) and \(receiver.node) can't be used",
                hint: "see `federation-node cert status`")
        }
        let header = SealedFileHeader(
            format: 1, sender: credentials.node, receiver: receiver.node, createdAt: now,
            certificates: credentials.certificateChainPEM, receiverKey: Data(SHA256.hash(data: point)),
            encapsulatedKey: sender.encapsulatedKey)
        guard let json = try? JSONEncoder().encode(header), json.count <= SealedFile.headerBytesMax else {
            throw FederationError(
                "E_CREDENTIALS", "the certificate chain of \(credentials.node) is too long",
                hint: "see `federation-node cert status`")
        }
        let head = SealedFile.magic + SealedFile.bigEndian(json.count) + json
        headerDigest = SHA256.hash(data: head)
        file = try OutputFile(path, existing: existing)
        try put(head)
    }

    /// - Throws: `E_FILE_WRITE`.
    package func write(_ more: [UInt8]) throws(FederationError) {
        buffer += more
        guard buffer.count > SealedFile.chunkBytes else { return }
        var start = 0
        // The last one is kept back: which it is shows only at the end.
        while buffer.count - start > SealedFile.chunkBytes {
            try seal(buffer[start..<start + SealedFile.chunkBytes], as: .chunk)
            start += SealedFile.chunkBytes
        }
        buffer.removeSubrange(..<start)
    }

    /// Signs the file and gives it its name.
    ///
    /// - Throws: `E_FILE_EXISTS`, `E_FILE_WRITE`, `E_CREDENTIALS`; then there is no file.
    package func finish() throws(FederationError) {
        try seal(buffer[...], as: .lastChunk)
        guard let signature = try? key.signature(for: digest.finalize()).derRepresentation else {
            throw FederationError(
                "E_CREDENTIALS", "the node's key can't sign", hint: "see `federation-node cert status`")
        }
        try put(SealedFile.prefix(.signature, signature.count) + signature)
        try file.commit()
    }

    private func seal(_ chunk: ArraySlice<UInt8>, as part: SealedFile.Part) throws(FederationError) {
        guard let sealed = try? sender.seal(chunk, authenticating: SealedFile.binding(headerDigest, part)) else {
            throw FederationError("E_CREDENTIALS", "a chunk of the file can't be sealed")
        }
        try put(SealedFile.prefix(part, sealed.count) + sealed)
    }

    private func put(_ more: [UInt8]) throws(FederationError) {
        digest.update(data: more)
        bytes += more.count
        try file.write(more)
    }
}
