/// How much of a neighbour's rows one sweep may take away by not naming them. Beyond it they are kept, and a person is asked: a script
/// that emptied a table of the neighbour behind the program's back leaves no tombstones, and its silence must not empty this node too.
package struct RetractionLimit: Hashable, Sendable {
    /// Share of the rows of one resource that are here from the neighbour; 100 switches the limit off.
    package let percent: Int

    /// So many rows may go at any share, but for all that are here: one of ten is no disaster, an emptied table is.
    package static let rowsFree = 20
    package static let standard = RetractionLimit(percent: 5)

    package init(percent: Int) { self.percent = percent }

    /// - Parameters:
    ///   - rows: that a sweep did not name.
    ///   - held: those among them.
    package func isExceeded(by rows: Int, of held: Int) -> Bool {
        guard percent < 100, rows > 0 else { return false }
        if rows >= held { return true }
        return rows > Self.rowsFree && rows.multipliedReportingOverflow(by: 100).partialValue > held * percent
    }
}

/// Which rows of one resource a link grants, as far as topology and catalog decide that. A receiver keeps it from sweep to sweep: what is
/// no longer listed although this has not become narrower has gone another way.
package struct GrantScope: Hashable, Sendable {
    /// What it goes by, in one text; equal texts grant the same of a row.
    package let rules: String
    /// For whom a ticket's records go over the link; empty where all of them go anyway.
    package let nodesBehind: Set<NodeID>

    package init(rules: String, nodesBehind: Set<NodeID>) {
        self.rules = rules
        self.nodesBehind = nodesBehind
    }

    /// Whether a row that `former` granted may be none of it.
    package func mayLack(of former: GrantScope) -> Bool {
        rules != former.rules || !former.nodesBehind.isSubset(of: nodesBehind)
    }
}

extension LinkPolicy {
    /// - Parameter isRefused: whether the sender's catalog does not grant the resource.
    package func scope(of resource: ResourceName, isRefused: Bool) -> GrantScope {
        let filter = grant.tickets
        let isWhole = wholeResources.contains(resource)
        let rules = [
            isRefused || !grants(resource) ? "none" : isWhole ? "whole" : "audience",
            filter.regions.joined(separator: ","), filter.serviceCodes.joined(separator: ","),
            filter.requestTypes.joined(separator: ","), filter.units.joined(separator: ","),
            filter.confidential.map { "\($0)" } ?? "", filter.from.map { "\($0)" } ?? "",
            receiverNames.joined(separator: ","),
        ]
        return GrantScope(
            rules: rules.joined(separator: ";"), nodesBehind: isWhole && filter.isEmpty ? [] : nodesBehind)
    }
}
