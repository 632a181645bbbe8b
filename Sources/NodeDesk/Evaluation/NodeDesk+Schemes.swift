import ConfigurationFiles
import Detection
import FederationModel
import LocalStore

/// A scheme that was published, here or above.
package struct PublishedScheme: Sendable {
    package let file: SchemeFile
    package let by: NodeID
    package let publishedAt: UnixMilliseconds

    package var scheme: EvaluationScheme { file.scheme }
}

extension NodeDesk {
    /// - Throws: `E_SCHEME_INVALID` with every problem and its line.
    package func readScheme(path: String) throws -> (file: SchemeFile, text: String) {
        let library = try indicatorLibrary()
        do throws(FileProblems) {
            return try SchemeFile.read(path: path, library: library)
        } catch {
            throw FederationError("E_SCHEME_INVALID", "\(path) can't be used:\n\(error)")
        }
    }

    /// Publishes an evaluation scheme, which goes to every node below. It holds for periods that begin later.
    ///
    /// - Throws: `E_SCHEME_INVALID`, `E_SCHEME_VERSION`.
    package func publishScheme(path: String) async throws -> PublishedScheme {
        try await perform(.publishScheme) { now in
            let (file, text) = try readScheme(path: path)
            let scheme = file.scheme
            let known = try await schemes(named: scheme.id).filter { $0.by == id }
            if let newest = known.first, newest.scheme.version >= scheme.version {
                if newest.scheme == scheme, newest.file.exclusions == file.exclusions { return newest }
                throw FederationError(
                    "E_SCHEME_VERSION",
                    "version \(newest.scheme.version) of \(scheme.id) is published and differs from this file",
                    hint: "give the file a `version` above \(newest.scheme.version)")
            }
            let record = IntakeRecord(
                resource: CaseResources.evaluationScheme.name, key: "\(scheme.id).\(scheme.version)",
                fields: [
                    "scheme": .text(scheme.id), "scheme_version": .integer(Int64(scheme.version)),
                    "title": .text(scheme.title), "published_at": .integer(now), "content": .text(text),
                ])
            _ = try await commit(\.head) { try await store.intake([record], now: now) }
            return PublishedScheme(file: file, by: id, publishedAt: now)
        }
    }

    /// The schemes that are here, the newest first.
    package func schemes() async throws -> [PublishedScheme] {
        try await perform(.listSchemes) { _ in try await schemes(named: nil) }
    }

    /// - Parameter name: nil for all.
    func schemes(named name: String?) async throws -> [PublishedScheme] {
        let library = try indicatorLibrary()
        return try await store.records(
            of: CaseResources.evaluationScheme, where: name.map { ["scheme": $0] } ?? [:], newestBy: "published_at"
        ).compactMap { record in
            // One of a later program may say what this one can't read.
            guard let text = record.text("content"), let publishedAt = record.integer("published_at"),
                let file = try? SchemeFile.read(text: text, file: record.key, library: library)
            else { return nil }
            return PublishedScheme(file: file, by: record.origin, publishedAt: publishedAt)
        }
    }
}
