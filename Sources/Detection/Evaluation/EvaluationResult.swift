import FederationModel

/// Of somebody, how much of a criterion was met: a share with its sample, from the hotline's own data or from a source outside.
package struct EvaluationScore: Hashable, Sendable {
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
    package func results(_ scores: [EvaluationScore]) -> [EvaluationResult] {
        Dictionary(grouping: scores, by: { ExactText($0.evaluatee) }).sorted { $0.key < $1.key }
            .map { result(of: $0.key.text, $0.value) }
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

    private func result(of name: String, _ scores: [EvaluationScore]) -> EvaluationResult {
        let samples = criteria.map { criterion in
            scores.filter { $0.criterion.isSame(as: criterion.id) }
                .reduce(into: (hits: 0, tries: 0)) { $0 = ($0.hits + $1.hits, $0.tries + $1.tries) }
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
            missing: zip(criteria, isThere).filter { !$0.1 }.map(\.0.id))
    }
}
