import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import LogicalQuery

extension NodeDesk {
    /// What this node can measure: what every node can, the number of rows of each external data set, what the top node has
    /// published, and its own file (setting `indicators`).
    ///
    /// - Throws: `E_INDICATORS_INVALID` when the own file can't be used, `E_INDICATORS_TAKEN` when it redefines what everybody means.
    package func indicators() async throws -> IndicatorLibrary {
        try await perform(.showIndicators) { _ in try indicatorLibrary() }
    }

    func indicatorLibrary() throws -> IndicatorLibrary {
        var library = IndicatorLibrary.builtIn
        let datasets = try registrations().map(\.dataset)
        library.adopt(datasets.compactMap(Indicator.count), from: .dataset)
        // One of a later program may say what this one can't read; then it has what it had.
        if let published = try publishedIndicators() {
            library.adopt(published.indicators + published.remade, from: .published)
        }
        guard FileManager.default.fileExists(atPath: settings.indicatorsPath) else {
            guard settings.indicatorsPath == settings.standardIndicatorsPath else {
                throw FederationError("E_INDICATORS_INVALID", "\(settings.indicatorsPath) is missing")
            }
            return library
        }
        let own = try readIndicators(path: settings.indicatorsPath).file
        // At the top node the file is what was, or will be, published.
        if standing.top != id, let taken = own.indicators.first(where: { library.has($0) }) {
            throw FederationError(
                "E_INDICATORS_TAKEN", "\(settings.indicatorsPath) defines \(taken.name), which everybody has already",
                hint: "give it a name and a title of its own")
        }
        library.adopt(own.indicators + own.remade, from: .own)
        return library
    }

    /// - Throws: `E_INDICATORS_INVALID` with every problem and its line.
    package func readIndicators(path: String) throws -> (file: IndicatorFile, text: String) {
        let facts = try facts
        do throws(FileProblems) {
            let (file, text) = try IndicatorFile.read(path: path, facts: facts)
            return (file, text)
        } catch {
            throw FederationError("E_INDICATORS_INVALID", "\(path) can't be used:\n\(error)")
        }
    }

    /// Publishes a file of indicators to every node below, as a row of this node, which must be the top one.
    ///
    /// - Throws: `E_INDICATORS_INVALID`, `E_INDICATORS_NOT_OWNER`, `E_INDICATORS_VERSION`.
    package func publishIndicators(path: String) async throws -> IndicatorFile {
        try await perform(.publishIndicators) { now in
            let (file, text) = try readIndicators(path: path)
            guard standing.top == id else {
                throw FederationError(
                    "E_INDICATORS_NOT_OWNER", "node \(id) is not the top node, which publishes indicators",
                    hint: "publish it at \(standing.top), or use it here alone by the setting `indicators`")
            }
            for indicator in file.indicators {
                guard let known = IndicatorLibrary.builtIn.all.first(where: { $0.name == indicator.name }),
                    indicator.measure.version <= known.measure.version
                else { continue }
                throw FederationError(
                    "E_INDICATORS_VERSION",
                    "\(indicator.name) is version \(known.measure.version) in the program",
                    hint: "give it a version above that, or a name of its own")
            }
            if let newest = try newestIndicatorRow(), newest.version >= Int64(file.version), newest.text != text {
                throw FederationError(
                    "E_INDICATORS_VERSION", "version \(newest.version) is published and differs from this file",
                    hint: "give the file a `version` above \(newest.version)")
            }
            let record = IntakeRecord(
                resource: ReferenceResources.indicatorFile.name, key: "\(file.version)",
                fields: [
                    "release": .integer(Int64(file.version)), "title": .text(file.title), "text": .text(text),
                ])
            _ = try await commit(\.head) { try await store.intake([record], now: now) }
            return file
        }
    }

    /// What can be counted here.
    private var facts: [Fact] { get throws { Fact.all + (try registrations().map { Fact($0.dataset) }) } }

    /// The newest file that the top node has published and this program can read.
    private func publishedIndicators() throws -> IndicatorFile? {
        try newestIndicatorRow().flatMap {
            try? IndicatorFile.read(
                text: $0.text, file: "indicators \($0.version) of \(standing.top)", facts: facts)
        }
    }

    private func newestIndicatorRow() throws -> (version: Int64, text: String)? {
        try store.published(ReferenceResources.indicatorFile, by: standing.top)
            .compactMap { record in
                guard let version = record.fields["release"]?.integer, let text = record.fields["text"]?.text else {
                    return nil
                }
                return (version, text)
            }
            .max { $0.version < $1.version }
    }
}
