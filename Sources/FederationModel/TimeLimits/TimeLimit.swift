/// The unit of a time limit (时限单位), with the codes of code list `limit_kind`.
package enum LimitKind: String, Sendable, CaseIterable {
    case workingDays = "working_days"
    case calendarDays = "calendar_days"
    case hours
}

/// How a limit is counted (domain model 3.4). Each of these differs from place to place, so a rule states it.
package struct LimitCounting: Hashable, Sendable {
    /// Whether a limit in days ends with its last day or at the start's time of day on it.
    package enum DueAt: String, Sendable, CaseIterable {
        case endOfDay = "end_of_day"
        case sameTimeOfDay = "same_time_of_day"
    }

    /// When the count starts for what is dispatched outside office hours.
    package enum AfterHours: Hashable, Sendable {
        /// At once: the clock of an emergency runs at night.
        case startsAtOnce
        /// At the next opening of the office. Minutes since midnight.
        case startsAtNextOpening(opens: Int, closes: Int)

        /// Reads the form that `text` has: `at_once`, or office hours, `08:30-17:30`.
        package init?(_ text: String) {
            if text == "at_once" {
                self = .startsAtOnce
                return
            }
            let times = text.split(separator: "-", omittingEmptySubsequences: false).map { time -> Int? in
                let parts = time.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
                    let minute = Int(parts[1]), (0...24).contains(hour), (0..<60).contains(minute)
                else { return nil }
                return hour * 60 + minute
            }
            guard times.count == 2, let opens = times[0], let closes = times[1], opens < closes, closes <= 1_440 else {
                return nil
            }
            self = .startsAtNextOpening(opens: opens, closes: closes)
        }

        package var text: String {
            switch self {
            case .startsAtOnce: "at_once"
            case .startsAtNextOpening(let opens, let closes): "\(Self.clock(opens))-\(Self.clock(closes))"
            }
        }

        private static func clock(_ minutes: Int) -> String {
            [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        }
    }

    package var startDayCounts: Bool
    package var dueAt: DueAt
    package var afterHours: AfterHours
    /// Whether waiting for the reporter (等待诉求人补充) stops the clock.
    package var suspensionStopsClock: Bool

    package init(startDayCounts: Bool, dueAt: DueAt, afterHours: AfterHours, suspensionStopsClock: Bool) {
        self.startDayCounts = startDayCounts
        self.dueAt = dueAt
        self.afterHours = afterHours
        self.suspensionStopsClock = suspensionStopsClock
    }
}

/// A time limit (时限): so many units.
package struct TimeLimit: Hashable, Sendable {
    package let count: Int
    package let kind: LimitKind

    /// - Parameter count: 0 to 87,600 (ten years in hours); what lies outside is taken as the nearest of these, because it
    ///   may come from a hostile row.
    package init(_ count: Int, _ kind: LimitKind) {
        self.count = min(max(count, 0), 87_600)
        self.kind = kind
    }

    /// Reads the form that `text` has, `5 working_days`.
    package init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let count = Int(parts[0]), (0...87_600).contains(count),
            let kind = LimitKind(rawValue: String(parts[1]))
        else { return nil }
        self.init(count, kind)
    }

    package var text: String { "\(count) \(kind.rawValue)" }

    /// When it is due.
    package func due(
        start: UnixMilliseconds, counting: LimitCounting, calendar: WorkCalendar
    ) -> UnixMilliseconds {
        let start = counting.afterHours.start(of: start, calendar: calendar)
        let startDay = ShanghaiTime.dayNumber(start)
        let lastDay: Int64
        switch kind {
        case .hours:
            return min(start, .max / 2) + Int64(count) * 3_600_000
        case .calendarDays:
            lastDay = startDay + Int64(counting.startDayCounts ? max(count - 1, 0) : count)
        case .workingDays:
            let countsToday = counting.startDayCounts && calendar.isWorkingDay(startDay)
            lastDay = calendar.workingDay(countsToday ? count - 1 : count, after: startDay)
        }
        switch counting.dueAt {
        case .endOfDay: return ShanghaiTime.end(ofDay: lastDay)
        case .sameTimeOfDay:
            return ShanghaiTime.midnight(ofDay: lastDay) + start - ShanghaiTime.midnight(ofDay: startDay)
        }
    }

    /// The new due date when this much is granted as an extension (延期). It counts from the *old* due date, whenever it
    /// was granted.
    package func extending(
        due oldDue: UnixMilliseconds, counting: LimitCounting, calendar: WorkCalendar
    ) -> UnixMilliseconds {
        var counting = counting
        counting.startDayCounts = false
        counting.afterHours = .startsAtOnce
        return due(start: oldDue, counting: counting, calendar: calendar)
    }

    /// The new due date after a suspension, if suspensions stop the clock: later by as many units of the limit as the
    /// suspension lasted. A suspension within one day moves no limit in days.
    package func due(
        _ oldDue: UnixMilliseconds, afterSuspensionFrom suspended: UnixMilliseconds, to resumed: UnixMilliseconds,
        counting: LimitCounting, calendar: WorkCalendar
    ) -> UnixMilliseconds {
        guard counting.suspensionStopsClock, suspended < resumed else { return oldDue }
        switch kind {
        case .hours: return min(oldDue, .max / 2) + min(max(resumed, 0) - max(suspended, 0), 87_600 * 3_600_000)
        case .calendarDays:
            let days = Int(ShanghaiTime.dayNumber(resumed) - ShanghaiTime.dayNumber(suspended))
            return TimeLimit(days, kind).extending(due: oldDue, counting: counting, calendar: calendar)
        case .workingDays:
            let days = calendar.workingDays(from: suspended, to: resumed)
            guard days > 0 else { return oldDue }
            return TimeLimit(days, kind).extending(due: oldDue, counting: counting, calendar: calendar)
        }
    }
}

extension LimitCounting.AfterHours {
    /// `time` itself when the office is open or the rule does not ask, else the next opening.
    fileprivate func start(of time: UnixMilliseconds, calendar: WorkCalendar) -> UnixMilliseconds {
        guard case .startsAtNextOpening(let opens, let closes) = self else { return time }
        let day = ShanghaiTime.dayNumber(time)
        let minute = (time - ShanghaiTime.midnight(ofDay: day)) / 60_000
        let isWorkingDay = calendar.isWorkingDay(day)
        if isWorkingDay, minute >= opens, minute < closes { return time }
        let openingDay = isWorkingDay && minute < opens ? day : calendar.workingDay(1, after: day)
        return ShanghaiTime.midnight(ofDay: openingDay) + Int64(opens) * 60_000
    }
}

/// The card of a ticket that is nearly or already late (黄牌, 红牌).
package enum WarningCard: String, Sendable, CaseIterable {
    case none
    /// From so many working days before the due date, usually one.
    case yellow
    /// From the first working day after the due date.
    case red

    /// - Parameter yellowDays: working days before the due date; see ``TicketLimits``.
    package init(due: UnixMilliseconds, now: UnixMilliseconds, calendar: WorkCalendar, yellowDays: Int = 1) {
        if now > due, calendar.workingDays(from: due, to: now) >= 1 {
            self = .red
        } else {
            self = calendar.workingDays(from: now, to: due) <= yellowDays ? .yellow : .none
        }
    }
}

/// What is left until a due date; negative when it has passed.
package struct RemainingTime: Hashable, Sendable {
    package let milliseconds: Int64
    /// Working days after today, up to and with the day of the due date.
    package let workingDays: Int

    package init(due: UnixMilliseconds, now: UnixMilliseconds, calendar: WorkCalendar) {
        let (difference, overflow) = due.subtractingReportingOverflow(now)
        milliseconds = overflow ? (due > now ? .max : .min) : difference
        workingDays = calendar.workingDays(from: now, to: due)
    }
}
