import Detection
import FederationModel
import Foundation
import LocalStore

/// An alert as people look at it.
package struct AlertReport: Sendable {
    package let id: String
    package let state: AlertState
    /// The record of the node that saw most: the merged view of what the others saw of it.
    package let rule: String
    package let ruleVersion: Int
    package let kind: String
    package let place: String?
    package let category: String?
    /// What it is about, for people.
    package let subject: String
    package let tickets: Int
    package let persons: Int
    package let raisedAt: UnixMilliseconds
    package let decidedAt: UnixMilliseconds
    package let period: String
    package let evidence: AlertEvidence
    /// Whom it concerns.
    package let audience: Set<NodeID>
    /// Whom to tell: what the rule recommends, then the units that its tickets lie with.
    package let receivers: [String]
    /// All records of the thread, by time.
    package let records: [TicketThread.Record]
}

extension NodeDesk {
    /// What lists show unless they are told otherwise.
    package struct AlertFilter: Sendable {
        package var state: AlertState.Status?
        package var rule: String?
        package var level: AlertLevel?
        /// Only those of a place within this region code.
        package var place: String?

        package init() {}

        fileprivate func takes(_ alert: AlertReport) -> Bool {
            (state == nil || alert.state.status == state) && (rule == nil || alert.rule == rule)
                && (level.map { alert.state.level >= $0 } ?? true)
                && (place.map { RegionRange($0).contains(alert.place ?? "") } ?? true)
        }
    }

    /// The alerts that concern this node, those that changed last first.
    package func alerts(_ filter: AlertFilter = AlertFilter(), limit: Int) async throws -> [AlertReport] {
        try await perform(.listAlerts) { now in
            try await catchUp(now: now)
            var found: [AlertReport] = []
            for summary in try await store.threads(of: AlertKind(), inState: filter.state?.rawValue, limit: limit) {
                if let alert = try await alert(read: summary.id), filter.takes(alert) { found.append(alert) }
            }
            return found
        }
    }

    /// - Throws: `E_ALERT_UNKNOWN`.
    package func alert(_ id: String) async throws -> AlertReport {
        try await perform(.showAlert) { now in
            try await catchUp(now: now)
            return try await known(alert: id)
        }
    }

    /// Says that somebody deals with it.
    ///
    /// - Throws: `E_ALERT_UNKNOWN`, `E_ALERT_STATE`.
    package func acknowledge(alert id: String, by person: String?) async throws -> AlertReport {
        try await perform(.acknowledgeAlert) { now in try await act(.acknowledge, on: id, by: person, now: now) }
    }

    /// Ends it as no matter to act on.
    ///
    /// - Throws: `E_ALERT_UNKNOWN`, `E_ALERT_STATE`.
    package func dismiss(alert id: String, reason: String, by person: String?) async throws -> AlertReport {
        try await perform(.dismissAlert) { now in
            try await act(.dismiss, on: id, by: person, ["reason": .text(reason)], now: now)
        }
    }

    func known(alert id: String) async throws -> AlertReport {
        guard let alert = try await alert(read: id) else {
            throw FederationError(
                "E_ALERT_UNKNOWN", "node \(self.id) knows no alert of that id",
                hint: "see `federation-node alert list`")
        }
        return alert
    }

    func act(
        _ action: AlertAction, on id: String, by person: String?, _ fields: [String: FieldValue] = [:],
        now: UnixMilliseconds
    ) async throws -> AlertReport {
        try await catchUp(now: now)
        let alert = try await known(alert: id)
        guard alert.state.allows(action) else {
            throw FederationError(
                "E_ALERT_STATE", "the alert is \(alert.state.word), which \(action.rawValue) does not follow",
                hint: "see `federation-node alert show \(id)`")
        }
        var fields = fields
        fields["alert_id"] = .text(id)
        fields["occurred_at"] = .integer(now)
        fields["action"] = .text(action.rawValue)
        fields["actor"] = person.map { .text($0) }
        let key = "\(self.id)-\(identity(now: now))"
        let record = IntakeRecord(resource: CaseResources.alertAction.name, key: key, fields: fields)
        _ = try await commit(\.head) { try await store.intake([record], now: now) }
        return try await known(alert: id)
    }

    func alert(read id: String) async throws -> AlertReport? {
        guard let thread = try await store.thread(id, of: AlertKind()) else { return nil }
        let raised = thread.records.filter { $0.resource.name == CaseResources.alert.name }
        guard let widest = raised.max(by: { size(of: $0) < size(of: $1) }) else { return nil }
        let fields = widest.fields
        let evidence = fields["evidence"]?.text.flatMap {
            try? JSONDecoder().decode(AlertEvidence.self, from: Data($0.utf8))
        }
        let rule = fields["rule"]?.text ?? ""
        let (place, category) = (fields["place"]?.text, fields["category"]?.text)
        let units = (evidence?.causes ?? []).filter { $0.dimension == .unit }.map(\.value)
        return AlertReport(
            id: id, state: thread.state, rule: rule, ruleVersion: Int(fields["rule_version"]?.integer ?? 0),
            kind: fields["kind"]?.text ?? "", place: place, category: category,
            subject: try subject(rule: rule, place: place, category: category),
            tickets: Int(fields["tickets"]?.integer ?? 0), persons: Int(fields["persons"]?.integer ?? 0),
            raisedAt: raised.map(\.occurredAt).min() ?? widest.occurredAt,
            decidedAt: fields["decided_at"]?.integer ?? widest.occurredAt, period: fields["period"]?.text ?? "",
            evidence: evidence ?? AlertEvidence(), audience: thread.audience,
            receivers: (evidence?.receivers ?? []) + units.filter { evidence?.receivers.contains($0) != true },
            records: thread.records.sorted { $0.occurredAt < $1.occurredAt })
    }

    private func size(of record: TicketThread.Record) -> Int64 { record.fields["tickets"]?.integer ?? 0 }

    /// 群体诉求 · 历下区 · 市政/停水.
    private func subject(rule: String, place: String?, category: String?) throws -> String {
        let names = [
            try rulesInForce().named(rule)?.title ?? rule,
            place.map { place in
                reference.regions.entry(place)?.title ?? NodeID(place).flatMap { topology.node($0)?.name } ?? place
            },
            category.map { reference.services.entry($0)?.title ?? $0 },
        ]
        return names.compactMap(\.self).joined(separator: " · ")
    }
}
