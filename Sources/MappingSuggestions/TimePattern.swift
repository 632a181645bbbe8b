import ConfigurationFiles

/// The ways of writing times that a suggestion knows, most usual first.
struct TimePattern {
    let text: String
    let format: TimeFormat
    /// The same with day and month the other way round; nil where the year stands first.
    var swapped: TimePattern? {
        for (american, european) in dayMonthOrders {
            if text.hasPrefix(american) { return TimePattern(european + text.dropFirst(american.count)) }
            if text.hasPrefix(european) { return TimePattern(american + text.dropFirst(european.count)) }
        }
        return nil
    }

    init?(_ text: String) {
        guard let format = TimeFormat(text) else { return nil }
        self.text = text
        self.format = format
    }

    /// Whether it reads all of these.
    func reads(_ values: [String]) -> Bool { values.allSatisfy { format.read($0) != nil } }

    static let all: [TimePattern] =
        dates.flatMap { date in clocks.compactMap { TimePattern(date + $0) } } + others.compactMap { TimePattern($0) }

    /// A time of day alone, read behind a made-up day.
    static let timesOfDay: [TimeOfDay] = ["H:mm", "H:mm:ss", "h:mm a", "h:mm:ss a"].compactMap { TimeOfDay($0) }

    /// How a column tells the time of a day that another column names.
    struct TimeOfDay {
        let text: String
        private let format: TimeFormat

        init?(_ text: String) {
            guard let format = TimeFormat("yyyy-MM-dd " + text) else { return nil }
            self.text = text
            self.format = format
        }

        func reads(_ values: some Collection<String>) -> Bool {
            values.allSatisfy { format.read("2000-01-01 " + $0) != nil }
        }
    }

    private static let dates = [
        "yyyy-MM-dd", "yyyy/M/d", "yyyy-M-d", "M/d/yyyy", "M/d/yy", "d/M/yyyy", "d/M/yy", "yyyy年M月d日", "yyyy.M.d",
        "d.M.yyyy", "M-d-yyyy", "d-M-yyyy",
    ]
    private static let clocks = [
        " HH:mm:ss", " H:mm:ss", " H:mm", " h:mm:ss a", " h:mm a", "", "'T'HH:mm:ss", "'T'HH:mm:ssZ", "'T'HH:mm:ss.SSS",
        "'T'HH:mm:ss.SSSZ", " HH:mm:ss.SSS", " HH:mm:ssZ", " HH:mm:ss Z", " H时m分s秒", " H时m分", "H时m分s秒", "'T'HH:mm",
        " HH:mm:ss.S", " HH:mm:ss.SSSSSS",
    ]
    private static let others = [
        "yyyyMMddHHmmss", "yyyyMMdd HH:mm:ss", "yyyyMMdd", "yyyy-MM", "yyyy/M", "yyyy年M月", "yyyyMM",
    ]
}

private let dayMonthOrders = [("M/d/", "d/M/"), ("M-d-", "d-M-")]
