import FederationModel

/// When a node was heard from: by it, silence is told from calm.
package struct ArrivalPattern: Hashable, Sendable {
    package let node: NodeID
    /// Minutes (since 1970) in which anything arrived from it, over the days that are looked back on.
    package let minutes: Set<Int64>
    /// The first minute that is looked back on, or the first of the node if that is later.
    package let start: Int64

    package init(node: NodeID, minutes: Set<Int64>, start: Int64) {
        self.node = node
        self.minutes = minutes
        self.start = start
    }
}

extension DetectionRule {
    /// Judges whether a node that normally reports has gone silent: as many of its normal gaps have passed since it was heard as a level
    /// says. A normal gap is that of the hour of the day, so a quiet night is no silence.
    ///
    /// - Parameter minute: now, in minutes since 1970.
    package func judge(silenceAt minute: Int64, of pattern: ArrivalPattern) -> Alert? {
        guard let last = pattern.minutes.filter({ $0 <= minute }).max() else { return nil }
        let known = last - pattern.start
        // Less than a day says nothing of the hours of a day.
        guard known >= 1_440, Double(minute - last) >= parameter(.silenceMinutes) else { return nil }
        var heard = [Double](repeating: 0, count: 24)
        for minute in pattern.minutes where minute <= last { heard[Self.hourOfDay(minute)] += 1 }
        guard Double(pattern.minutes.count) / (Double(known) / 60) >= parameter(.rateMin) else { return nil }
        let days = Double(known) / 1_440
        let gaps = (last + 1...minute).reduce(0) { $0 + heard[Self.hourOfDay($1)] / days / 60 }
        guard let level = level(of: gaps) else { return nil }
        return Alert(
            self, level: level, subject: AlertSubject(place: pattern.node.code),
            period: String(ShanghaiTime.minute(last * 60_000)), decidedAt: last * 60_000,
            evidence: AlertEvidence(figures: ["gaps": gaps, "silent_minutes": Double(minute - last)]))
    }

    private static func hourOfDay(_ minute: Int64) -> Int { Int(((minute / 60 + 8) % 24 + 24) % 24) }
}
