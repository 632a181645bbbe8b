/// Where a chain of 并单 ends. Nodes may merge tickets into each other at the same time; then the ticket with the lowest
/// global id is the head (主单), the same at every node (domain model 6.4).
package enum MergeChain {
    /// - Parameter target: the ticket into which one was merged, as its own thread says.
    /// - Returns: the head of `ticket`'s chain, which may be itself, and whether the chain ends in a cycle.
    package static func head(of ticket: ExactText, target: (ExactText) -> ExactText?) -> (
        head: ExactText, isCycle: Bool
    ) {
        var path = [ticket]
        var seen: Set<ExactText> = [ticket]
        while let next = target(path[path.count - 1]) {
            if !seen.insert(next).inserted {
                let cycle = path[(path.firstIndex(of: next) ?? 0)...]
                return (cycle.min() ?? next, true)
            }
            path.append(next)
        }
        return (path[path.count - 1], false)
    }
}
