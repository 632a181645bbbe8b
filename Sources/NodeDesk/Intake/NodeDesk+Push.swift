import FederationModel
import LocalStore
import NodeIdentity
import RecordIntake

extension NodeDesk {
    /// The desk of the local system that shows `token`, if it may write records of `resource`, where one is given. Tokens are read anew each time, so
    /// that a revocation holds from the next request on.
    ///
    /// - Throws: `E_TOKEN_INVALID`, `E_TOKEN_EXPIRED`, `E_TOKEN_RESOURCE`, `E_RESOURCE_UNKNOWN`.
    package func authenticate(token: String, for resource: ResourceName? = nil) async throws -> NodeDesk {
        try await perform(.authenticate) { now in
            let known = try await known(token, now: now)
            guard known.department == nil else {
                throw FederationError(
                    "E_TOKEN_RESOURCE",
                    "the token \(known.name) is that of a department, which reads its tickets alone",
                    hint: "make another one for a system that pushes")
            }
            guard let resource else { return acting(as: .token(known.name)) }
            guard store.resources.contains(where: { $0.name == resource }) else {
                throw FederationError(
                    "E_RESOURCE_UNKNOWN", "this node has no such resource", hint: "see `federation-node resource list`")
            }
            guard known.resources?.contains(resource) != false else {
                throw FederationError(
                    "E_TOKEN_RESOURCE", "the token \(known.name) may not write records of \(resource)",
                    hint: "make one that names this resource")
            }
            return acting(as: .token(known.name))
        }
    }

    /// The desk of the department that shows `token`, and whose tickets it may see.
    ///
    /// - Throws: `E_TOKEN_INVALID`, `E_TOKEN_EXPIRED`, `E_TOKEN_RESOURCE` for a token that is none of a department.
    package func authenticateDepartment(token: String) async throws -> (desk: NodeDesk, department: Department) {
        try await perform(.authenticate) { now in
            let known = try await known(token, now: now)
            guard let department = known.department else {
                throw FederationError(
                    "E_TOKEN_RESOURCE", "the token \(known.name) is that of no department",
                    hint: "make one with `federation-node token create --unit UNIT`")
            }
            return (acting(as: .token(known.name)), department)
        }
    }

    private func known(_ token: String, now: UnixMilliseconds) async throws -> APIToken {
        let secret = APITokenSecret(token)
        guard let known = try await store.apiTokens().first(where: { secret.matches(digest: $0.digest) }) else {
            throw FederationError(
                "E_TOKEN_INVALID", "this node does not know the token",
                hint: "make one with `federation-node token create`")
        }
        switch TokenReport.State(known, now: now) {
        case .valid: break
        case .revoked:
            throw FederationError(
                "E_TOKEN_INVALID", "the token \(known.name) was revoked", hint: "make a new one")
        case .expired:
            throw FederationError("E_TOKEN_EXPIRED", "the token \(known.name) has expired", hint: "make a new one")
        }
        return known
    }

    /// Reads the records of a body and stores the good ones in one durable transaction. They are events that happen now, so the
    /// state machine guards them.
    ///
    /// - Parameter rows: where the records lie in `body`.
    /// - Throws: `E_RESOURCE_UNKNOWN`, and what the store throws; nothing was stored then.
    package func push(
        _ rows: [Range<Int>], of body: [UInt8], resource: ResourceName
    ) async throws -> PushReport {
        try await perform(.push) { now in
            guard let definition = store.resources.first(where: { $0.name == resource }) else {
                throw FederationError("E_RESOURCE_UNKNOWN", "this node has no resource \(resource)")
            }
            let reader = PushedRecordReader(definition, origin: id)
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
            guard !records.isEmpty else { return report }
            let taken = records.map { SourceRow([$0]) }
            let source: IntakeSource? = if case .token(let name) = actor.identity { .push(token: name) } else { nil }
            let stored = try await commit(\.head) {
                try await store.intake(taken, of: source, isGuarded: true, now: now)
            }
            var later: Set<ExactText> = []
            for (record, (position, outcome)) in zip(records, zip(positions, stored.outcomes)).reversed() {
                report.results[position].outcome = PushOutcome(outcome)
                guard outcome.isAccepted else { continue }
                report.results[position].isCollapsed = !later.insert(ExactText(record.key)).inserted
            }
            return report
        }
    }
}

extension PushOutcome {
    fileprivate init(_ outcome: IntakeOutcome) {
        self =
            switch outcome {
            case .accepted(let change): .accepted(change)
            case .unchanged: .unchanged
            case .refused(let refusal): .rejected(refusal)
            }
    }
}
