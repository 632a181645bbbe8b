import FederationModel
import Foundation
import GRDB

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
