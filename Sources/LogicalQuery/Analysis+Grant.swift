import FederationModel

extension Analysis {
    /// The same question over what a link's filter gives, as the nodes below are asked, who do not know that filter.
    ///
    /// - Returns: nil when that can't be asked: regions are counted by the tree of a day, and what a thread decides is known to its
    ///   origin's node alone. Then what lies below does not count.
    package func within(_ filter: GrantFilter) -> Analysis? {
        // A link's filter is about tickets; calls and external data are given or not.
        guard !filter.isEmpty, facts.contains(where: \.isOfTickets) else { return self }
        guard filter.regions.isEmpty, !filter.isFolded else { return nil }
        var filters = filters
        do throws(FederationError) {
            if !filter.requestTypes.isEmpty { filters.append(try Filter(.requestType, .equals, filter.requestTypes)) }
            if !filter.serviceCodes.isEmpty {
                filters.append(try Filter(.acceptedService, .hasPrefix, filter.serviceCodes))
            }
            return try with(filters: filters, from: filter.from.map { max($0, from ?? $0) } ?? from, to: to)
        } catch {
            return nil
        }
    }
}

extension Analysis {
    /// The fields that the question reads and that a link does not give as they are: whoever asks over it may not count by them, nor
    /// find them out by selecting. Persons may be counted where one of the fields that says who they are is given, also as a token.
    package func withheld(by grant: LinkGrant) -> [Fact.Field] {
        guard !grant.treatments.isEmpty else { return [] }
        var read: Set<Fact.Field> = []
        for term in measures.flatMap(\.terms) {
            let fact = term.fact
            let columns =
                term.columns.compactMap { fact.columns[$0] }
                + (dimensions + filters.map(\.field)).compactMap { fact.column(for: $0) }
            read.formUnion(columns.flatMap { fact.fields(of: $0) })
            if term.aggregates.contains(where: { $0.function == .persons }), fact.person(within: grant).isEmpty {
                read.formUnion(fact.person.flatMap { fact.fields(of: Fact.Column(name: "", kind: .text, source: $0)) })
            }
        }
        return read.filter { grant.treatment(of: $0) != .keep }.sorted { $0.description < $1.description }
    }
}

extension LinkGrant {
    fileprivate func treatment(of field: Fact.Field) -> FieldTreatment {
        treatments[field.resource]?[field.column] ?? .keep
    }
}

extension Fact {
    /// Those of `person` that a link gives, or gives as tokens.
    func person(within grant: LinkGrant) -> [Source] {
        person.filter { source in
            fields(of: Column(name: "", kind: .text, source: source)).allSatisfy {
                [.keep, .token].contains(grant.treatment(of: $0))
            }
        }
    }
}
