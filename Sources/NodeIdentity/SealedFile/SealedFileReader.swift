import Crypto
import FederationModel
import Foundation
import NodeFiles

/// Reads a sealed file: first all of it for its signature, then chunk by chunk. Never more than one chunk is held.
///
/// Nothing that comes out is unsigned: the second time each chunk is opened with a secret that only the two nodes have, so a file that
/// is exchanged in between yields nothing.
package final class SealedFileReader {
    package let header: SealedFileHeader
    /// Of the whole file.
    package let bytes: Int64
    private let path: String
    private let file: FileHandle
    private let headBytes: [UInt8]
    private let headDigest: SHA256.Digest
    private var recipient: HPKE.Recipient?
    private var isOver = false
    /// Of the file, so far.
    package private(set) var bytesRead: Int64 = 0

    /// Opens a file and reads its header, which nobody has vouched for yet.
    ///
    /// - Throws: `E_FILE_MISSING`, `E_FERRY_FORMAT`, `E_FERRY_TRUNCATED`, `E_FERRY_TOO_LARGE`.
    package init(path: String) throws(FederationError) {
        guard FileFacts.isRegular(path), let size = FileFacts.size(of: path),
            let file = FileHandle(forReadingAtPath: path)
        else {
            throw FederationError(
                "E_FILE_MISSING", "\(path) can't be read, or is no regular file",
                hint: "copy it from the medium to a disk of this machine first")
        }
        self.path = path
        self.file = file
        bytes = size
        guard try Self.read(4, of: file, path) == SealedFile.magic else {
            throw .ferryFormat(path, "it does not begin with FSF1")
        }
        let length = Self.number(try Self.read(4, of: file, path))
        guard length <= SealedFile.headerBytesMax else {
            throw FederationError(
                "E_FERRY_TOO_LARGE",
                "\(path) announces a header of \(length) bytes, at most \(SealedFile.headerBytesMax) are accepted")
        }
        let json = try Self.read(length, of: file, path)
        guard let header = try? JSONDecoder().decode(SealedFileHeader.self, from: Data(json)) else {
            throw .ferryFormat(path, "its header can't be read")
        }
        guard header.format == 1 else {
            throw .ferryFormat(path, "it has layout \(header.format), this node knows 1; run the same release on both")
        }
        self.header = header
        headBytes = SealedFile.magic + SealedFile.bigEndian(length) + json
        headDigest = SHA256.hash(data: headBytes)
        bytesRead = Int64(headBytes.count)
    }

    deinit { try? file.close() }

    /// Whether a file begins as a sealed one.
    package static func isSealed(path: String) -> Bool {
        guard FileFacts.isRegular(path), let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 4)) == Data(SealedFile.magic)
    }

    /// Checks that the file is for this node, from a node of this federation, whole, and as that node wrote it.
    ///
    /// - Returns: the sender's certificate.
    /// - Throws: `E_FERRY_ADDRESS`, `E_FERRY_CERTIFICATE`, `E_FERRY_KEY`, `E_FERRY_ALTERED`, `E_FERRY_TRUNCATED`, `E_FERRY_TOO_LARGE`,
    ///   `E_FERRY_FORMAT`, `E_CREDENTIALS`.
    package func verify(
        for credentials: NodeCredentials, now: UnixMilliseconds
    ) throws(FederationError) -> PeerCertificate {
        guard header.receiver == credentials.node else {
            throw FederationError(
                "E_FERRY_ADDRESS", "\(path) is for \(header.receiver), this node is \(credentials.node)",
                hint: "carry it to \(header.receiver)")
        }
        let certificate = try PeerCertificate(
            pem: header.certificates, of: header.sender, trustRootsPEM: credentials.trustRootsPEM,
            validAt: [header.createdAt, now])
        try checkSignature(by: certificate)
        guard let key = try? P256.KeyAgreement.PrivateKey(pemRepresentation: credentials.privateKeyPEM) else {
            throw FederationError(
                "E_CREDENTIALS", "the node's key can't be used", hint: "see `federation-node cert status`")
        }
        guard header.receiverKey == Data(SHA256.hash(data: key.publicKey.x963Representation)) else {
            throw FederationError(
                "E_FERRY_KEY", "\(path) was sealed for another key of \(credentials.node) than it has now",
                hint: "carry a file of this node to \(header.sender), or its node.pem, and let it export again")
        }
        recipient = try? HPKE.Recipient(
            privateKey: key, ciphersuite: SealedFile.ciphersuite,
            info: SealedFile.info(from: header.sender, to: header.receiver), encapsulatedKey: header.encapsulatedKey)
        guard recipient != nil else { throw .ferryAltered(path, "its key can't be used") }
        return certificate
    }

    /// The next chunk; nil behind the last one.
    ///
    /// - Precondition: `verify` has returned.
    package func next() throws(FederationError) -> [UInt8]? {
        guard !isOver else { return nil }
        let (part, sealed) = try readPart()
        guard part != .signature, var recipient else { throw .ferryAltered(path, "it has no last chunk") }
        guard
            let opened = try? recipient.open(sealed, authenticating: SealedFile.binding(headDigest, part))
        else { throw .ferryAltered(path, "a chunk does not open") }
        self.recipient = recipient
        isOver = part == .lastChunk
        return Array(opened)
    }

    private func checkSignature(by certificate: PeerCertificate) throws(FederationError) {
        var digest = SHA256()
        digest.update(data: headBytes)
        var last = false
        while true {
            let (part, body) = try readPart()
            if part == .signature {
                guard last else { throw .ferryAltered(path, "it has no last chunk") }
                guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: body),
                    certificate.key.isValidSignature(signature, for: digest.finalize())
                else { throw .ferryAltered(path, "its signature does not hold") }
                break
            }
            guard !last else { throw .ferryAltered(path, "chunks follow its last one") }
            last = part == .lastChunk
            digest.update(data: SealedFile.prefix(part, body.count) + body)
        }
        guard bytesRead == bytes else { throw .ferryAltered(path, "bytes follow its signature") }
        do {
            try file.seek(toOffset: UInt64(headBytes.count))
        } catch {
            throw FederationError("E_FILE_READ", "\(path) can't be read")
        }
        bytesRead = Int64(headBytes.count)
    }

    private func readPart() throws(FederationError) -> (SealedFile.Part, [UInt8]) {
        let prefix = try Self.read(5, of: file, path)
        guard let part = SealedFile.Part(rawValue: prefix[0]) else {
            throw .ferryAltered(path, "a part of it has an unknown kind")
        }
        let length = Self.number(Array(prefix[1...]))
        let most =
            part == .signature ? SealedFile.signatureBytesMax : SealedFile.chunkBytes + SealedFile.tagBytes
        guard length <= most else {
            throw FederationError(
                "E_FERRY_TOO_LARGE", "\(path) announces a part of \(length) bytes, at most \(most) are accepted",
                hint: "copy it again, or let its sender export it again")
        }
        let body = try Self.read(length, of: file, path)
        bytesRead += Int64(prefix.count + length)
        return (part, body)
    }

    private static func number(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func read(_ count: Int, of file: FileHandle, _ path: String) throws(FederationError) -> [UInt8] {
        let data: Data?
        do {
            data = count == 0 ? Data() : try file.read(upToCount: count)
        } catch {
            throw FederationError("E_FILE_READ", "\(path) can't be read", hint: "copy it from the medium again")
        }
        guard let data, data.count == count else { throw .ferryTruncated(path) }
        return Array(data)
    }
}
