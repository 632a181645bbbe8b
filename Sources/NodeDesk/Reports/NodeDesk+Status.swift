import ConfigurationFiles
import FederationModel
import LocalStore

extension NodeDesk {
    /// Whether the node's service runs.
    package var isServing: Bool { Doorbell.isHeard(databasePath: settings.databasePath) }

    /// How the node stands, from local state alone: it works when a peer is down, and when the service is.
    ///
    /// - Parameter includesOrigins: also how fresh the copy of each node below is.
    package func status(includesOrigins: Bool) async throws -> StatusReport {
        try await perform(.showStatus) { now in
            StatusReport(
                node: id, name: local.name, epoch: store.epoch, schemaRevision: BuiltInResources.schemaRevision,
                isServing: isServing, storeProblem: store.fileProblem,
                certificates: try await certificatesInUse(), links: try await LinkReport.all(of: local, now: now),
                consumers: try await store.consumerStatus(),
                removals: RemovalFigures(try await RemovalStatus.all(of: local, now: now)),
                origins: includesOrigins ? try await origins() : nil)
        }
    }

    /// The figures that `/metrics` shows of what the node holds.
    package func figures() async throws -> NodeFigures {
        try await perform(.showFigures) { now in
            NodeFigures(
                head: try await store.head(), sizes: store.sizes, tokens: try await store.apiTokens(),
                links: try await LinkReport.all(of: local, now: now), consumers: try await store.consumerStatus(),
                removals: RemovalFigures(try await RemovalStatus.all(of: local, now: now)))
        }
    }

    /// Each direction of each link, from local state alone.
    package func links() async throws -> [LinkReport] {
        try await perform(.showStatus) { now in try await LinkReport.all(of: local, now: now) }
    }

    /// Lets go of rows that a neighbour once sent and no longer has; this can't be undone.
    ///
    /// - Parameters:
    ///   - peer: the code of a node or the beginning of its name.
    ///   - rows: how many there are, as the person who decides has seen.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_LOST_ROWS_COUNT`, and what the store throws.
    package func acceptLoss(of peer: String, rows: Int) async throws -> TopologyNode {
        try await perform(.acceptLoss) { now in
            let neighbour = try node(named: peer)
            _ = try await commit(\.self) { try await store.acceptLoss(of: neighbour.id, rows: rows, now: now) }
            return neighbour
        }
    }

    /// Ready is a node whose database can be written to.
    package func checkReady() async throws {
        try await perform(.checkReady) { _ in if let problem = await store.writeProblem() { throw problem } }
    }

    /// What certificates the running service shows; nil when none runs.
    package func certificates() async throws -> [CertificateNote]? {
        try await perform(.showCertificates) { _ in try await certificatesInUse() }
    }

    private func certificatesInUse() async throws -> [CertificateNote]? {
        isServing ? try await store.certificateNotes() : nil
    }

    /// Rows of neighbours that were put aside because they break a rule, the oldest first.
    package func quarantine(limit: Int) async throws -> [QuarantinedRow] {
        try await perform(.showQuarantine) { _ in try await store.quarantinedRows(limit: limit) }
    }

    /// Rows that went from here and are put aside at others.
    package func quarantineElsewhere() async throws -> [PutAsideRow] {
        try await perform(.showQuarantine) { _ in try await store.rowsPutAsideElsewhere() }
    }

    /// One of them, with its fields, which may be personal data.
    ///
    /// - Throws: `E_QUARANTINE_UNKNOWN`.
    package func quarantined(_ id: Int64) async throws -> (row: QuarantinedRow, fields: [String: FieldValue]) {
        try await perform(.showQuarantine) { _ in
            guard let found = try await store.quarantinedRow(id) else { throw FederationError.noQuarantinedRow(id) }
            return found
        }
    }

    /// Tries rows again that were put aside.
    ///
    /// - Parameter ids: nil for all.
    /// - Throws: `E_QUARANTINE_UNKNOWN` when one of them is not there; nothing is tried then.
    package func retryQuarantined(_ ids: [Int64]?) async throws -> QuarantineRetry {
        try await perform(.changeQuarantine) { now in
            try await requireQuarantined(ids ?? [])
            return try await commit(\.head) {
                try await store.retryQuarantined(ids, policies: standing.incoming, now: now)
            }
        }
    }

    /// Gives rows up that were put aside.
    ///
    /// - Throws: `E_QUARANTINE_UNKNOWN` when one of them is not there; nothing is given up then.
    package func dropQuarantined(_ ids: [Int64]) async throws -> Int {
        try await perform(.changeQuarantine) { _ in
            try await requireQuarantined(ids)
            return try await store.dropQuarantined(ids)
        }
    }

    private func requireQuarantined(_ ids: [Int64]) async throws {
        for id in ids where try await store.quarantinedRow(id) == nil { throw FederationError.noQuarantinedRow(id) }
    }

    /// Derives everything that is derived from the feed again, from the first record.
    package func rebuild() async throws -> [ConsumerStatus] {
        try await perform(.rebuild) { now in
            try await store.rebuildConsumers(now: now)
            return try await store.consumerStatus()
        }
    }

    private func origins() async throws -> [OriginReport] {
        let freshness = try await store.freshness()
        let rows = try await store.rowCounts(of: BuiltInResources.serviceRequest.name)
        return topology.subtree(of: id).map { origin in
            OriginReport(
                node: origin, name: topology.node(origin)?.name ?? "", tickets: rows[origin.code] ?? 0,
                asOf: freshness[origin]?.asOf, isComplete: origin == id || freshness[origin]?.complete == true)
        }
    }
}

/// What `status` says.
package struct StatusReport: Sendable {
    package let node: NodeID
    package let name: String
    package let epoch: Epoch
    package let schemaRevision: Int
    /// Whether the service runs.
    package let isServing: Bool
    /// What keeps this node from storing anything.
    package let storeProblem: FederationError?
    /// What the running service shows; nil when none runs.
    package let certificates: [CertificateNote]?
    package let links: [LinkReport]
    package let consumers: [ConsumerStatus]
    package let removals: RemovalFigures
    /// This node and those below it; nil when nobody asked for them.
    package let origins: [OriginReport]?
}

/// What `/metrics` says of what the node holds.
package struct NodeFigures: Sendable {
    /// The latest seq.
    package let head: Seq
    package let sizes: StoreSizes
    package let tokens: [APIToken]
    package let links: [LinkReport]
    package let consumers: [ConsumerStatus]
    package let removals: RemovalFigures
}

/// How many removal orders of this node wait for a confirmation.
package struct RemovalFigures: Hashable, Sendable {
    package let unconfirmed: Int
    /// Those of them that have waited too long.
    package let overdue: Int

    init(_ orders: [RemovalStatus]) {
        unconfirmed = orders.count { !$0.missing.isEmpty }
        overdue = orders.count(where: \.isOverdue)
    }
}

/// What is here of one node's tickets.
package struct OriginReport: Hashable, Sendable {
    package let node: NodeID
    package let name: String
    package let tickets: Int
    /// Nil when nothing has been heard of it.
    package let asOf: UnixMilliseconds?
    package let isComplete: Bool
}

extension FederationError {
    fileprivate static func noQuarantinedRow(_ id: Int64) -> FederationError {
        FederationError(
            "E_QUARANTINE_UNKNOWN", "no row with number \(id) is put aside here",
            hint: "see `federation-node quarantine list`; a later good version may have taken its place")
    }
}
