import ConfigurationFiles
import FederationModel
import LocalStore
import LogicalQuery

/// A data set that is known here.
package struct KnownDataset: Sendable {
    package let dataset: ExternalDataset
    /// The node that registered it.
    package let registeredBy: NodeID
    /// Rows of it that are here.
    package let rows: Int64
}

extension NodeDesk {
    /// Registers an external data set at this node, or a newer version of one. Neighbours hear of it as of everything else.
    ///
    /// - Throws: `E_DATASET_INVALID`, `E_DATASET_VERSION`.
    package func registerDataset(path: String) async throws -> ExternalDataset {
        try await perform(.registerDataset) { now in
            let read: (dataset: ExternalDataset, text: String)
            do throws(FileProblems) {
                read = try DatasetFile.read(path: path, lists: reference.lists)
            } catch {
                throw FederationError("E_DATASET_INVALID", "\(path) can't be used:\n\(error)")
            }
            let (dataset, text) = read
            if let known = try registrations().first(where: { $0.by == id && $0.dataset.name == dataset.name }),
                known.dataset.version >= dataset.version, known.text != text
            {
                throw FederationError(
                    "E_DATASET_VERSION",
                    "version \(known.dataset.version) of \(dataset.name) is registered and differs from this file",
                    hint: "give the file a `version` above \(known.dataset.version)")
            }
            let record = IntakeRecord(
                resource: ExternalResources.dataset.name, key: "\(dataset.name).\(dataset.version)",
                fields: [
                    "name": .text(dataset.name), "release": .integer(Int64(dataset.version)),
                    "title": .text(dataset.title), "provider": .text(dataset.provider), "text": .text(text),
                ])
            _ = try await commit(\.head) { try await store.intake([record], now: now) }
            return dataset
        }
    }

    /// The data sets that are known here, by name. Of one that several nodes have registered, this node's own counts, else that of the top
    /// node, else that of the node with the least code.
    package func datasets() async throws -> [KnownDataset] {
        try await perform(.listDatasets) { _ in
            let rows = try await store.datasetRows()
            return try registrations().map {
                KnownDataset(dataset: $0.dataset, registeredBy: $0.by, rows: rows[$0.dataset.name] ?? 0)
            }
        }
    }

    /// The newest version of each, by whoever counts.
    func registrations() throws -> [(dataset: ExternalDataset, by: NodeID, text: String)] {
        func rank(_ node: NodeID) -> Int { node == id ? 0 : node == standing.top ? 1 : 2 }
        var known: [String: (dataset: ExternalDataset, by: NodeID, text: String)] = [:]
        for (origin, record) in try store.publishedByAll(ExternalResources.dataset) {
            // One of a later program may say what this one can't read.
            guard let text = record.fields["text"]?.text,
                let dataset = try? DatasetFile.read(text: text, file: record.key, lists: reference.lists)
            else { continue }
            if let other = known[dataset.name],
                (rank(other.by), other.by.code, -other.dataset.version) <= (rank(origin), origin.code, -dataset.version)
            {
                continue
            }
            known[dataset.name] = (dataset, origin, text)
        }
        return known.values.sorted { $0.dataset.name < $1.dataset.name }
    }
}

extension Indicator {
    /// What every data set is counted by.
    static func count(of dataset: ExternalDataset) -> Indicator? {
        guard let term = try? Analysis.Measure.Term(Fact(dataset), base: "", numerator: "count"),
            let measure = try? Analysis.Measure(
                "\(dataset.name)_count", version: dataset.version, unit: .count, terms: [term])
        else { return nil }
        return Indicator(
            measure, title: "\(dataset.title)量", english: "rows of \(dataset.name)", clause: "5.1",
            numerator: "\(dataset.title)(\(dataset.provider))")
    }
}
