import FederationModel

/// What one ticket adds to one criterion of whoever is evaluated.
package struct EvaluationItem: Hashable, Sendable {
    package var ticket: String
    package var evaluatee: String
    package var criterion: String
    package var isMet: Bool
    /// Why it does not count, by a word of the scheme; nil for a ticket that counts.
    package var exclusion: String?

    package init(ticket: String, evaluatee: String, criterion: String, isMet: Bool, exclusion: String? = nil) {
        self.ticket = ticket
        self.evaluatee = evaluatee
        self.criterion = criterion
        self.isMet = isMet
        self.exclusion = exclusion
    }
}

/// What a source outside of the hotline says of somebody: a share with its sample.
package struct ExternalScore: Hashable, Sendable {
    package var evaluatee: String
    package var criterion: String
    package var hits: Int
    package var tries: Int

    package init(evaluatee: String, criterion: String, hits: Int, tries: Int) {
        self.evaluatee = evaluatee
        self.criterion = criterion
        self.hits = hits
        self.tries = tries
    }
}

/// What somebody is worth by a scheme: a score with its interval, and a class rather than a rank (国办函〔2025〕66号).
package struct EvaluationResult: Hashable, Sendable {
    package struct Part: Hashable, Sendable {
        package let criterion: String
        package let hits: Int
        package let tries: Int
        /// The weight with which it counted; more than the scheme's where others were missing, 0 where it is missing itself.
        package let weight: Double

        /// In percent; nil for n/a.
        package var percent: Double? { tries == 0 ? nil : Double(hits) / Double(tries) * 100 }
    }

    package let evaluatee: String
    package let group: String?
    package let parts: [Part]
    /// 0 to 100; nil when nothing could be evaluated.
    package let score: Double?
    package let lower: Double?
    package let upper: Double?
    /// The name of the class.
    package let grade: String?
    /// Criteria for which there was no or too small a sample, so that the weights of the others were raised.
    package let missing: [String]
    /// Tickets that did not count, by reason.
    package let excluded: [String: Int]
}

/// An objection to a ticket that was counted, and what it changed. Both results are kept.
package struct EvaluationObjection: Hashable, Sendable {
    package let ticket: String
    package let before: EvaluationResult
    package let after: EvaluationResult
}

/// How the others did, without saying who.
package struct EvaluationQuartiles: Hashable, Sendable {
    package let others: Int
    package let lower: Double
    package let median: Double
    package let upper: Double
}

extension EvaluationScheme {
    /// Evaluates everybody of whom there is anything, by their names.
    ///
    /// - Parameter upheld: tickets that count for nobody, since an objection to them was upheld.
    package func results(
        _ items: [EvaluationItem], external: [ExternalScore] = [], upheld: Set<String> = []
    ) -> [EvaluationResult] {
        let names = Set(items.map { ExactText($0.evaluatee) } + external.map { ExactText($0.evaluatee) })
        return names.sorted().map { name in
            result(
                of: name.text, items.filter { $0.evaluatee.isSame(as: name.text) },
                external.filter { $0.evaluatee.isSame(as: name.text) }, upheld)
        }
    }

    /// Computes anew without a ticket to which an objection was upheld.
    package func uphold(
        objectionTo ticket: String, by evaluatee: String, _ items: [EvaluationItem], external: [ExternalScore] = [],
        alreadyUpheld: Set<String> = []
    ) -> EvaluationObjection? {
        func own(_ upheld: Set<String>) -> EvaluationResult? {
            results(items, external: external, upheld: upheld).first { $0.evaluatee.isSame(as: evaluatee) }
        }
        let isOwn = items.contains { $0.ticket.isSame(as: ticket) && $0.evaluatee.isSame(as: evaluatee) }
        guard isOwn, let before = own(alreadyUpheld), let after = own(alreadyUpheld.union([ticket])) else { return nil }
        return EvaluationObjection(ticket: ticket, before: before, after: after)
    }

    /// Quartiles of the others in somebody's group; nil when there are fewer than four, who could be guessed from them.
    package static func quartiles(
        besides evaluatee: String, in results: [EvaluationResult]
    ) -> EvaluationQuartiles? {
        guard let own = results.first(where: { $0.evaluatee.isSame(as: evaluatee) }) else { return nil }
        let others = results.filter { $0.group == own.group && !$0.evaluatee.isSame(as: evaluatee) }
            .compactMap(\.score).sorted()
        guard others.count >= 4 else { return nil }
        func quantile(_ share: Double) -> Double {
            let position = share * Double(others.count - 1)
            let index = Int(position)
            let next = others[min(index + 1, others.count - 1)]
            return others[index] + (next - others[index]) * (position - Double(index))
        }
        return EvaluationQuartiles(
            others: others.count, lower: quantile(0.25), median: quantile(0.5), upper: quantile(0.75))
    }

    private func result(
        of name: String, _ items: [EvaluationItem], _ external: [ExternalScore], _ upheld: Set<String>
    ) -> EvaluationResult {
        var excluded: [String: Int] = [:]
        var counted: [EvaluationItem] = []
        for item in items {
            if upheld.contains(where: { $0.isSame(as: item.ticket) }) {
                excluded["objection", default: 0] += 1
            } else if let reason = item.exclusion, exclusions.contains(where: { $0.isSame(as: reason) }) {
                excluded[reason, default: 0] += 1
            } else {
                counted.append(item)
            }
        }
        let samples = criteria.map { criterion -> (hits: Int, tries: Int) in
            let own = counted.filter { $0.criterion.isSame(as: criterion.id) }
            let outside = external.filter { $0.criterion.isSame(as: criterion.id) }
            return (
                own.count { $0.isMet } + outside.reduce(0) { $0 + $1.hits },
                own.count + outside.reduce(0) { $0 + $1.tries }
            )
        }
        let isThere = zip(criteria, samples).map { $1.tries >= $0.sampleMin && (0...$1.tries).contains($1.hits) }
        let known = zip(criteria, isThere).reduce(0) { $0 + ($1.1 ? $1.0.weight : 0) }
        let parts = criteria.indices.map { index in
            EvaluationResult.Part(
                criterion: criteria[index].id, hits: samples[index].hits, tries: samples[index].tries,
                weight: isThere[index] ? criteria[index].weight / known : 0)
        }
        let present = parts.filter { $0.weight > 0 }
        let score = present.isEmpty ? nil : present.reduce(0) { $0 + $1.weight * ($1.percent ?? 0) }
        // The parts err independently of each other, so the squares of their errors add up.
        func error(_ end: (WilsonInterval) -> Double) -> Double {
            present.reduce(0) { sum, part in
                guard let interval = WilsonInterval(part.hits, of: part.tries) else { return sum }
                let half = part.weight * (end(interval) * 100 - (part.percent ?? 0))
                return sum + half * half
            }.squareRoot()
        }
        return EvaluationResult(
            evaluatee: name, group: group(of: name), parts: parts, score: score,
            lower: score.map { max(0, $0 - error(\.lower)) }, upper: score.map { min(100, $0 + error(\.upper)) },
            grade: score.flatMap { score in classes.first { score >= $0.least }?.name },
            missing: zip(criteria, isThere).filter { !$0.1 }.map(\.0.id), excluded: excluded)
    }
}
