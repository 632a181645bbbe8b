import ConfigurationFiles
import Detection
import FederationModel
import Foundation
import LocalStore

/// A rule as it is in force at a node, and whose it is.
package struct RuleReport: Sendable {
    package let rule: DetectionRule
    /// Who published it; nil for one that ships with the program.
    package let publisher: NodeID?
}

extension NodeDesk {
    /// The rules by which this node judges: those that ship, those of the nodes above, the topmost first, and its own; each replaces
    /// those before it that have its id.
    package func rules() async throws -> [RuleReport] {
        try await perform(.showRules) { _ in try ruleReports() }
    }

    private func ruleReports() throws -> [RuleReport] {
        let published = try publishedRules()
        return try rulesInForce().rules.map { rule in
            RuleReport(rule: rule, publisher: published.last { $0.rules.named(rule.id) != nil }?.node)
        }
    }

    /// - Throws: `E_RULE_UNKNOWN`.
    package func rule(_ id: String) async throws -> RuleReport {
        try await perform(.showRules) { _ in
            guard let found = try ruleReports().first(where: { $0.rule.id.isSame(as: id) }) else {
                throw FederationError(
                    "E_RULE_UNKNOWN", "no rule of that id is in force at node \(self.id)",
                    hint: "see `federation-node rule list`")
            }
            return found
        }
    }

    /// Reads a file of rules.
    ///
    /// - Throws: `E_RULE_INVALID` with every problem and its line.
    package static func readRules(path: String) throws -> DetectionRules {
        do throws(FileProblems) {
            return try RuleFile.read(path: path).rules
        } catch {
            throw FederationError("E_RULE_INVALID", "\(path) can't be used:\n\(error)")
        }
    }

    /// Publishes rules of a file: they hold here and at every node below. Rules that look for words are dictionaries, whose publishing is an
    /// act of its own: another role may keep them than the one that sets thresholds.
    ///
    /// - Returns: those that were not published as they are already.
    /// - Throws: `E_RULE_INVALID`; `E_RULE_VERSION` for a rule that differs from the one in force and has no higher version;
    ///   `E_RULE_DICTIONARY` for a dictionary that a node above keeps.
    package func publishRules(path: String) async throws -> [DetectionRule] {
        let rules = try Self.readRules(path: path).rules
        guard rules.contains(where: \.isDictionary) else {
            return try await perform(.publishRules) { now in try await publish(rules, now: now) }
        }
        return try await perform(.publishDictionary) { now in
            guard !rules.allSatisfy(\.isDictionary) else { return try await publish(rules, now: now) }
            return try await perform(.publishRules) { now in try await publish(rules, now: now) }
        }
    }

    private func publish(_ rules: [DetectionRule], now: UnixMilliseconds) async throws -> [DetectionRule] {
        let inForce = try rulesInForce()
        let keepers = try dictionaryKeepers()
        var new: [DetectionRule] = []
        for rule in rules {
            guard let known = inForce.named(rule.id) else {
                new.append(rule)
                continue
            }
            if known == rule { continue }
            if let keeper = keepers[rule.id], keeper != id {
                throw FederationError(
                    "E_RULE_DICTIONARY", "the words of \(rule.id) are kept by node \(keeper) for all nodes below it",
                    hint: "have them changed there, or give words of this node a rule with an id of its own")
            }
            guard rule.version > known.version else {
                throw FederationError(
                    "E_RULE_VERSION", "\(rule.id) is version \(known.version) and differs from this file",
                    hint: "give it a `version` above \(known.version): alerts say by which they were judged")
            }
            new.append(rule)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let records = try new.map { rule in
            IntakeRecord(
                resource: CaseResources.detectionRule.name, key: "\(rule.id)-\(rule.version)",
                fields: [
                    "rule": .text(rule.id), "rule_version": .integer(Int64(rule.version)),
                    "published_at": .integer(now),
                    "content": .text(String(decoding: try encoder.encode(rule), as: UTF8.self)),
                ])
        }
        if !records.isEmpty { _ = try await commit(\.head) { try await store.intake(records, now: now) } }
        return new
    }

    /// The node that keeps each dictionary: the topmost that has published it.
    private func dictionaryKeepers() throws -> [String: NodeID] {
        var keepers: [String: NodeID] = [:]
        for (node, rules) in try publishedRules() {
            for rule in rules.rules where rule.isDictionary { keepers[rule.id] = keepers[rule.id] ?? node }
        }
        return keepers
    }

    func rulesInForce() throws -> DetectionRules {
        let all = try publishedRules().reduce(DetectionRules.builtIn) { $0.adding($1.rules) }
        // 突发事件 by its category, as the reference data list them.
        guard let list = reference.lists.named(ReferenceData.emergencyList), var rule = all.named("EMERGENCY") else {
            return all
        }
        rule.scope.categories = Array(Set(rule.scope.categories + list.entries.map(\.code))).sorted()
        if rule.levels.isEmpty { rule.levels = [AlertLevel.red.rawValue: 1] }
        return all.adding(try DetectionRules([rule]))
    }

    /// What each node of the way from the top to here has published, the latest version of each rule; what this program can't read is
    /// left out. A dictionary is its topmost publisher's: nobody below takes a word out of it.
    private func publishedRules() throws -> [(node: NodeID, rules: DetectionRules)] {
        var kept: Set<String> = []
        return try topology.chain(from: id).reversed().map { node in
            var latest: [String: DetectionRule] = [:]
            for record in try store.published(CaseResources.detectionRule, by: node) {
                guard let content = record.fields["content"]?.text,
                    let rule = try? JSONDecoder().decode(DetectionRule.self, from: Data(content.utf8)),
                    rule.problems.isEmpty, rule.version > latest[rule.id]?.version ?? 0, !kept.contains(rule.id)
                else { continue }
                latest[rule.id] = rule
            }
            kept.formUnion(latest.values.filter(\.isDictionary).map(\.id))
            return (node, try DetectionRules(Array(latest.values)))
        }
    }
}

extension DetectionRule {
    /// Whether it looks for words.
    fileprivate var isDictionary: Bool { !words.isEmpty }
}

/// What rules would have raised over a time.
package struct BacktestReport: Sendable {
    package let tickets: Int
    package let scores: [Backtest.Score]
    /// Alerts by rule and level.
    package let levels: [String: [AlertLevel: Int]]
}

extension NodeDesk {
    /// Judges a past time by the rules in force, or by a file of others, as if it had just happened. Nothing is raised.
    ///
    /// It holds the observed tickets of the time in memory, some 500 bytes each.
    ///
    /// - Parameters:
    ///   - days: days since 1970.
    ///   - path: rules to try beside those in force, in the place of those that have their ids; nil for none.
    ///   - events: what is known to have happened, by which recall and precision are found.
    /// - Throws: `E_RULE_INVALID`.
    package func backtest(
        _ days: Range<Int64>, rules path: String?, against events: [Backtest.Event],
        progress: @Sendable (String) -> Void = { _ in }
    ) async throws -> BacktestReport {
        try await perform(.backtestRules) { now in
            try await catchUp(now: now)
            let rules = try path.map { try rulesInForce().adding(Self.readRules(path: $0)) } ?? rulesInForce()
            let time = ShanghaiTime.midnight(ofDay: days.lowerBound)..<ShanghaiTime.midnight(ofDay: days.upperBound)
            let usual = rules.rules.map { Int64($0.parameter(.weeks)) * 7 + 8 }.max() ?? 0
            let earliest = time.lowerBound - max(usual * ShanghaiTime.day, rules.rules.map(\.pause).max() ?? 0)
            let tickets = try await store.observations(earliest..<time.upperBound)
            let region = topology.node(id)?.region ?? id.code
            var report: (scores: [Backtest.Score], levels: [String: [AlertLevel: Int]]) = ([], [:])
            for rule in rules.rules where rule.method != .silence {
                progress(rule.id)
                try Task.checkCancellation()
                let alerts =
                    rule.method.judgesTickets
                    ? rule.judge(tickets).filter { time.contains($0.decidedAt) }
                    : Backtest.alerts(
                        rule, counting: tickets, days: days, in: region, specialDates: reference.specialDates)
                report.scores.append(Backtest.score(rule, alerts, against: events))
                for alert in alerts { report.levels[rule.id, default: [:]][alert.level, default: 0] += 1 }
            }
            return BacktestReport(
                tickets: tickets.count { time.contains($0.at) }, scores: report.scores, levels: report.levels)
        }
    }
}
