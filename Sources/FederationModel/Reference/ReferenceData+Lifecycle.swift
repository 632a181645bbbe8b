extension LifecycleRules {
    /// The rules that the top node's reference data give. They are those of a ticket of `top` about which nothing is known:
    /// every node must fold by the same rules, whatever its own limits are.
    package init(_ reference: ReferenceData, top: NodeID, hierarchy: NodeHierarchy) {
        let limits = reference.limits.limits(
            for: LimitQuestion(requestType: nil, urgency: nil, category: nil, node: top))
        self.init(
            calendar: reference.calendar, suspensionStopsClock: limits.counting.suspensionStopsClock,
            hierarchy: hierarchy)
        if let limit = limits.returning, limit.kind == .workingDays { returnWorkingDays = limit.count }
        if let times = limits.extensionTimes { extensionsMax = Int64(times) }
    }
}
