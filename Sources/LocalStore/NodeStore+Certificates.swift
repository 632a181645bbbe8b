import FederationModel
import Foundation
import GRDB

/// What the running service last said of a certificate that it shows.
package struct CertificateNote: Codable, Hashable, Sendable {
    package enum Use: String, Codable, Hashable, Sendable {
        /// To other nodes.
        case node
        /// To local systems, on `intake-listen`.
        case intake
    }

    package let use: Use
    package let serial: String?
    package let notBefore: UnixMilliseconds
    package let notAfter: UnixMilliseconds
    /// Why the one on the disk is not in use; nil when it is.
    package let problem: String?

    package init(
        use: Use, serial: String?, notBefore: UnixMilliseconds, notAfter: UnixMilliseconds, problem: String?
    ) {
        self.use = use
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.problem = problem
    }
}

extension NodeStore {
    private static let certificates = "certificates"

    /// Keeps what the service says; nothing is written when it says the same again.
    package func save(_ notes: [CertificateNote]) async throws {
        guard try await certificateNotes() != notes else { return }
        let text = String(decoding: try JSONEncoder().encode(notes), as: UTF8.self)
        try await pool.write { db in
            try db.execute(sql: "INSERT OR REPLACE INTO main.node VALUES (?, ?)", arguments: [Self.certificates, text])
        }
    }

    package func certificateNotes() async throws -> [CertificateNote] {
        try await pool.read { db in
            guard let text = try NodeValue.text(Self.certificates, db) else { return [] }
            return (try? JSONDecoder().decode([CertificateNote].self, from: Data(text.utf8))) ?? []
        }
    }
}
