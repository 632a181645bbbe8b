import ConfigurationFiles
import FederationModel
import LocalStore

extension NodeDesk {
    /// Publishes a file of reference data as rows of this node, which must be the top one.
    ///
    /// - Returns: the data, and how many of its rows were not here yet.
    /// - Throws: `E_REFERENCE_INVALID`, `E_REFERENCE_NOT_OWNER`, `E_REFERENCE_VERSION`.
    package func publishReference(path: String) async throws -> (data: ReferenceData, stored: Int) {
        try await perform(.publishReference) { now in
            let data = try readReference(path: path)
            guard standing.top == id else {
                throw FederationError(
                    "E_REFERENCE_NOT_OWNER", "node \(id) is not the top node, which owns the reference data",
                    hint: "load it at \(standing.top)")
            }
            if let published = try store.reference(of: id),
                data.version < published.version || data.version == published.version && data != published
            {
                throw FederationError(
                    "E_REFERENCE_VERSION", "version \(published.version) is published and differs from this file",
                    hint: "give the file a `version` above \(published.version)")
            }
            let report = try await commit(\.head) { try await store.intake(data.records, now: now) }
            return (data, report.outcomes.count(where: \.isAccepted))
        }
    }

    /// What the time limits of a request would be if this node dispatched it, and by which rules.
    ///
    /// - Parameter start: when it is dispatched.
    package func limits(
        requestType: String?, urgency: String?, category: String?, from start: UnixMilliseconds
    ) async throws -> LimitReport {
        try await perform(.showLimits) { _ in
            LimitReport(
                reference,
                LimitQuestion(requestType: requestType, urgency: urgency, category: category, node: id), start: start)
        }
    }
}

/// The time limits of one request, and the due dates that follow.
package struct LimitReport: Sendable {
    package enum Step: String, Sendable {
        case accept
        /// 退单.
        case `return`
        case handling
        /// As long as extensions may make it at most.
        case `extension`
    }

    package struct Line: Sendable {
        package let step: Step
        package let limit: TimeLimit
        package let due: UnixMilliseconds
    }

    /// The rules that decided, the most specific first.
    package let rules: [String]
    package let lines: [Line]
    /// Years of which no notice is known: their holidays were taken for working days.
    package let yearsWithoutNotice: [Int]

    init(_ reference: ReferenceData, _ question: LimitQuestion, start: UnixMilliseconds) {
        let limits = reference.limits.limits(for: question)
        let calendar = reference.calendar
        let steps: [(Step, TimeLimit?)] = [
            (.accept, limits.accept), (.return, limits.returning), (.handling, limits.handling),
        ]
        var lines: [Line] = []
        for case (let step, let limit?) in steps {
            let due = limit.due(start: start, counting: limits.counting, calendar: calendar)
            lines.append(Line(step: step, limit: limit, due: due))
        }
        if let handled = lines.first(where: { $0.step == .handling }), let most = limits.extensionTotal {
            let due = most.extending(due: handled.due, counting: limits.counting, calendar: calendar)
            lines.append(Line(step: .extension, limit: most, due: due))
        }
        rules = limits.rules
        self.lines = lines
        yearsWithoutNotice = calendar.yearsWithoutNotice(
            from: start, to: lines.map(\.due).reduce(start, max))
    }
}
