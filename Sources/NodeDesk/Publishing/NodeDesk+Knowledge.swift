import FederationModel
import LocalStore

/// A knowledge article (知识库条目): what whoever answers citizens may say.
package struct KnowledgeArticle: Hashable, Sendable {
    package let key: String
    package let origin: NodeID
    package let question: String
    package let answer: String
    package let source: String?
    package let publishedAt: UnixMilliseconds
    package let validUntil: UnixMilliseconds?
    package let region: String?
    package let category: String?
    package let withdrawnAt: UnixMilliseconds?

    package func isValid(at now: UnixMilliseconds) -> Bool {
        withdrawnAt == nil && (validUntil ?? .max) > now
    }
}

/// One before it has an identity.
package struct KnowledgeText: Hashable, Sendable {
    package var question: String
    package var answer: String
    package var source: String?
    package var validUntil: UnixMilliseconds?
    package var region: String?
    package var category: String?

    package init(question: String, answer: String) {
        self.question = question
        self.answer = answer
    }
}

extension NodeDesk {
    /// Publishes an article, which all nodes below see, and those above and beside it by the topology's modes.
    ///
    /// - Parameter key: of an article of this node that it takes the place of; nil for a new one.
    /// - Throws: `E_RECORD_INVALID` where a field breaks a rule of the catalog; `E_KNOWLEDGE_UNKNOWN`.
    package func publish(_ text: KnowledgeText, replacing key: String? = nil) async throws -> KnowledgeArticle {
        try await perform(.publishArticle) { now in
            if let key { _ = try await ownArticle(key) }
            let article = KnowledgeArticle(
                key: key ?? "\(id)-\(identity(now: now))", origin: id, question: text.question, answer: text.answer,
                source: text.source, publishedAt: now, validUntil: text.validUntil, region: text.region,
                category: text.category, withdrawnAt: nil)
            _ = try await commit(\.head) { try await store.intake([article.record], now: now) }
            return article
        }
    }

    /// Withdraws an article of this node; one that is withdrawn already stays as it is.
    ///
    /// - Throws: `E_KNOWLEDGE_UNKNOWN`.
    package func withdraw(article key: String) async throws -> KnowledgeArticle {
        try await perform(.withdrawArticle) { now in
            let own = try await ownArticle(key)
            let article = KnowledgeArticle(
                key: own.key, origin: own.origin, question: own.question, answer: own.answer, source: own.source,
                publishedAt: own.publishedAt, validUntil: own.validUntil, region: own.region, category: own.category,
                withdrawnAt: own.withdrawnAt ?? now)
            _ = try await commit(\.head) { try await store.intake([article.record], now: now) }
            return article
        }
    }

    /// Articles of this node and of others, the newest first.
    ///
    /// - Parameters:
    ///   - text: only those that have it in question or answer.
    ///   - includesPast: also those that have run out or were withdrawn.
    package func articles(matching text: String? = nil, includesPast: Bool) async throws -> [KnowledgeArticle] {
        try await perform(.listArticles) { now in
            try await heldArticles().filter { article in
                (includesPast || article.isValid(at: now))
                    && (text.map { article.question.contains($0) || article.answer.contains($0) } ?? true)
            }
        }
    }

    /// - Throws: `E_KNOWLEDGE_UNKNOWN`.
    package func article(_ key: String) async throws -> KnowledgeArticle {
        try await perform(.listArticles) { _ in try await held(article: key) }
    }

    /// The situations that an article answers, and the findings whose measures it is or came of, as far as they are known here.
    package func uses(ofArticle key: String) async throws -> (situations: [String], findings: [String]) {
        try await perform(.listArticles) { _ in
            let steps = try await store.records(
                of: CaseResources.situationStep, where: ["step": SituationStep.answer.rawValue, "reference": key],
                newestBy: "occurred_at")
            let measures = try await store.records(
                of: CaseResources.measure, where: ["reference": key], newestBy: "occurred_at")
            func ids(_ records: [HeldRecord], _ column: String) -> [String] {
                Set(records.compactMap { $0.text(column) }).sorted()
            }
            return (ids(steps, "situation_id"), ids(measures, "finding_id"))
        }
    }

    /// - Throws: `E_KNOWLEDGE_UNKNOWN`.
    func held(article key: String) async throws -> KnowledgeArticle {
        guard let article = try await heldArticles().first(where: { $0.key.isSame(as: key) }) else {
            throw unknownArticle
        }
        return article
    }

    private func ownArticle(_ key: String) async throws -> KnowledgeArticle {
        guard let article = try await heldArticles().first(where: { $0.key.isSame(as: key) && $0.origin == id }) else {
            throw unknownArticle
        }
        return article
    }

    func heldArticles() async throws -> [KnowledgeArticle] {
        try await store.records(of: CaseResources.knowledgeArticle, newestBy: "published_at").compactMap { record in
            guard let question = record.text("question"), let answer = record.text("answer") else { return nil }
            return KnowledgeArticle(
                key: record.key, origin: record.origin, question: question, answer: answer,
                source: record.text("source"), publishedAt: record.integer("published_at") ?? 0,
                validUntil: record.integer("valid_until"), region: record.text("region_code"),
                category: record.text("service_code"), withdrawnAt: record.integer("withdrawn_at"))
        }
    }

    private var unknownArticle: FederationError {
        FederationError(
            "E_KNOWLEDGE_UNKNOWN", "there is no such article that node \(id) could show or change",
            hint: "see `federation-node knowledge list`; only the node that published one can change it")
    }
}

extension KnowledgeArticle {
    fileprivate var record: IntakeRecord {
        var fields: [String: FieldValue] = [
            "question": .text(question), "answer": .text(answer), "published_at": .integer(publishedAt),
        ]
        if let source { fields["source"] = .text(source) }
        if let validUntil { fields["valid_until"] = .integer(validUntil) }
        if let region { fields["region_code"] = .text(region) }
        if let category { fields["service_code"] = .text(category) }
        if let withdrawnAt { fields["withdrawn_at"] = .integer(withdrawnAt) }
        return IntakeRecord(resource: CaseResources.knowledgeArticle.name, key: key, fields: fields)
    }
}
