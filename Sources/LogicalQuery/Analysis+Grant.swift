import FederationModel

extension Analysis {
    /// The same question over what a link's filter gives, as the nodes below are asked, who do not know that filter.
    ///
    /// - Returns: nil when that can't be asked: regions are counted by the tree of a day, and what a thread decides is known to its
    ///   origin's node alone. Then what lies below does not count.
    package func within(_ filter: GrantFilter) -> Analysis? {
        // A link's filter is about tickets; calls are given or not.
        guard !filter.isEmpty, facts != [.call] else { return self }
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
