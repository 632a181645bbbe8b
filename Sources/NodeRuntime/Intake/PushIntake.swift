import FederationModel
import LocalStore
import NodeIdentity
import RecordIntake

/// Takes pushed records in: who may, what they say, and into the store. It knows no HTTP.
package struct PushIntake: Sendable {
    private let store: NodeStore
    private let signal: ChangeSignal
    private let readers: [ResourceName: PushedRecordReader]

    /// - Parameter signal: rung after each commit, so that links carry it at once.
    package init(store: NodeStore, signal: ChangeSignal) {
        self.store = store
        self.signal = signal
        readers = Dictionary(
            uniqueKeysWithValues: store.resources.map { ($0.name, PushedRecordReader($0, origin: store.node)) })
    }

    /// Checks that who shows `token` may write records of `resource`. Read anew each time, so that a revocation holds from
    /// the next request on.
    ///
    /// - Throws: `E_TOKEN_INVALID`, `E_TOKEN_EXPIRED`, `E_TOKEN_RESOURCE`, `E_RESOURCE_UNKNOWN`.
    package func authorize(token: String, resource: ResourceName, now: UnixMilliseconds) async throws {
        let secret = APITokenSecret(token)
        guard let known = try await store.apiTokens().first(where: { secret.matches(digest: $0.digest) }) else {
            throw FederationError(
                "E_TOKEN_INVALID", "this node does not know the token",
                hint: "make one with `federation-node token create`")
        }
        guard known.revokedAt == nil else {
            throw FederationError("E_TOKEN_INVALID", "the token \(known.name) was revoked", hint: "make a new one")
        }
        if let expiresAt = known.expiresAt, expiresAt <= now {
            throw FederationError("E_TOKEN_EXPIRED", "the token \(known.name) has expired", hint: "make a new one")
        }
        guard readers[resource] != nil else {
            throw FederationError(
                "E_RESOURCE_UNKNOWN", "this node has no such resource", hint: "see `federation-node resource list`")
        }
        guard known.resources?.contains(resource) != false else {
            throw FederationError(
                "E_TOKEN_RESOURCE", "the token \(known.name) may not write records of \(resource)",
                hint: "make one that names this resource")
        }
    }

    /// Reads the records of a body and stores the good ones in one durable transaction.
    ///
    /// - Parameter rows: where the records lie in `body`.
    /// - Throws: `E_RESOURCE_UNKNOWN`, and what the store throws; nothing was stored then.
    package func take(
        _ rows: [Range<Int>], of body: [UInt8], resource: ResourceName, now: UnixMilliseconds
    ) async throws -> PushReport {
        guard let reader = readers[resource] else {
            throw FederationError("E_RESOURCE_UNKNOWN", "this node has no resource \(resource)")
        }
        var report = PushReport(resource: resource, results: [])
        report.results.reserveCapacity(rows.count)
        var records: [IntakeRecord] = []
        var positions: [Int] = []
        for (index, row) in rows.enumerated() {
            let (key, result) = reader.record(body[row])
            switch result {
            case .success(let record):
                records.append(record)
                positions.append(index)
                report.results.append(.init(key: record.key, outcome: .unchanged))
            case .failure(let rejection): report.results.append(.init(key: key, outcome: .rejected(rejection)))
            }
        }
        if !records.isEmpty {
            for (position, outcome) in zip(positions, try await outcomes(of: records, now: now)) {
                report.results[position].outcome = outcome
            }
        }
        return report
    }

    /// Pushed records are events that happen now, so the state machine guards them.
    private func outcomes(of records: [IntakeRecord], now: UnixMilliseconds) async throws -> [PushOutcome] {
        let report = try await store.intake(rows: records.map { [$0] }, isGuarded: true, now: now)
        if report.outcomes.contains(.accepted) { signal.ring(head: report.head) }
        return report.outcomes.map { outcome in
            switch outcome {
            case .accepted: .accepted
            case .unchanged: .unchanged
            case .refused(let refusal): .rejected(refusal)
            }
        }
    }
}
