/// The hours in which offices work on a working day (工作时间), each for as long as it is in force.
package struct WorkHours: Hashable, Sendable {
    /// Minutes since midnight, and the first and last day (days since 1970-01-01) on which they hold; nil has no end.
    package struct Span: Hashable, Sendable {
        package let opens: Int
        package let closes: Int
        package let validFrom: Int64?
        package let validTo: Int64?

        /// - Parameter code: `0830-1200`, as the code list of office hours has it; nil for anything else.
        package init?(code: String, validFrom: Int64? = nil, validTo: Int64? = nil) {
            let digits = Array(code.utf8)
            guard digits.count == 9, digits[4] == UInt8(ascii: "-"), let opens = Self.minutes(digits[0..<4]),
                let closes = Self.minutes(digits[5..<9]), opens < closes
            else { return nil }
            (self.opens, self.closes) = (opens, closes)
            (self.validFrom, self.validTo) = (validFrom, validTo)
        }

        private static func minutes(_ digits: ArraySlice<UInt8>) -> Int? {
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            let (hour, minute) = (number / 100, number % 100)
            return minute < 60 && hour * 60 + minute <= 1_440 ? hour * 60 + minute : nil
        }
    }

    package let spans: [Span]

    package init(_ spans: [Span]) { self.spans = spans }

    /// 08:30 to 17:30, where nobody has said otherwise.
    package static let standard = WorkHours([Span(code: "0830-1730")].compactMap(\.self))

    /// Those of the code list of office hours; the standard ones without it.
    package init(_ list: CodeList?) {
        let spans = (list?.entries ?? []).compactMap {
            Span(code: $0.code, validFrom: $0.validFrom, validTo: $0.validTo)
        }
        self = spans.isEmpty ? .standard : WorkHours(spans)
    }
}

extension WorkCalendar {
    /// The working time between two times in milliseconds: what of it lies in office hours of working days. Below 0 where `end` is earlier.
    package func workingTime(from start: UnixMilliseconds, to end: UnixMilliseconds) -> Int64 {
        guard start <= end else { return -workingTime(from: end, to: start) }
        let (first, last) = (ShanghaiTime.dayNumber(start), ShanghaiTime.dayNumber(end))
        return hours.spans.reduce(0) { sum, span in
            var sum = sum + part(of: first, from: start, to: end, span)
            if last > first { sum += part(of: last, from: start, to: end, span) }
            // Whole days in between.
            let before = max(first, (span.validFrom ?? .min + 1) - 1)
            let through = min(last - 1, span.validTo ?? .max)
            return sum + Int64(workingDays(after: before, through: through) * (span.closes - span.opens)) * 60_000
        }
    }

    /// What lies in `span` of one day.
    private func part(
        of day: Int64, from start: UnixMilliseconds, to end: UnixMilliseconds, _ span: WorkHours.Span
    ) -> Int64 {
        guard (span.validFrom ?? .min) <= day, day <= (span.validTo ?? .max), isWorkingDay(day) else { return 0 }
        let midnight = ShanghaiTime.midnight(ofDay: day)
        let opens = midnight + Int64(span.opens) * 60_000
        let closes = midnight + Int64(span.closes) * 60_000
        return max(0, min(end, closes) - max(start, opens))
    }
}
