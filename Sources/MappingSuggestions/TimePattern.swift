import ConfigurationFiles
import FederationModel

/// The ways of writing times that a suggestion knows, most usual first.
struct TimePattern {
    let text: String
    let format: TimeFormat
    /// The same with year, month and day in another order, as far as that may be meant.
    var reordered: [TimePattern] {
        for orders in dayOrders {
            guard let own = orders.first(where: text.hasPrefix) else { continue }
            return orders.filter { $0 != own }.compactMap { TimePattern($0 + text.dropFirst(own.count)) }
        }
        return []
    }

    init?(_ text: String) {
        guard let format = TimeFormat(text) else { return nil }
        self.text = text
        self.format = format
    }

    /// Whether it reads all of these. A plain number may be anything, so it must count to a time at which something can have happened.
    func reads(_ values: [String]) -> Bool {
        let isCount = Self.countNames.contains(text)
        return values.allSatisfy { value in
            guard let reading = format.read(value) else { return false }
            return !isCount || EventTimes.usual.contains(reading.faceMilliseconds)
        }
    }

    /// Whether it reads this as a time at which something can have happened.
    func readsEvent(_ value: String) -> Bool {
        format.read(value).map { !EventTimes.standsForNone($0.faceMilliseconds - ShanghaiTime.offset) } ?? false
    }

    /// Numbers that count to a time.
    static let counts: [TimePattern] = countNames.compactMap { TimePattern($0) }
    private static let countNames = ["serial", "epoch_seconds", "epoch_milliseconds"]

    static let all: [TimePattern] =
        dates.flatMap { date in clocks.compactMap { TimePattern(date + $0) } } + others.compactMap { TimePattern($0) }

    /// A time of day alone, read behind a made-up day.
    static let timesOfDay: [TimeOfDay] = ["H:mm", "H:mm:ss", "h:mm a", "h:mm:ss a", "ah:mm", "ah:mm:ss"].compactMap {
        TimeOfDay($0)
    }

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
        "yyyy-MM-dd", "yyyy/M/d", "yyyy-M-d", "M/d/yyyy", "M/d/yy", "d/M/yyyy", "d/M/yy", "yy/M/d", "yyyy年M月d日",
        "yyyy.M.d",
        "d.M.yyyy", "M-d-yyyy", "d-M-yyyy", "dd-MMM-yy", "d-MMM-yyyy", "d MMM yyyy", "MMM d, yyyy", "MMM d yyyy",
        "dd-M月 -yy", "dd-M月-yy", "yyyy/M/d E", "yyyy-M-d E", "yyyy年M月d日 E", "yyyy年M月d日E", "E, d MMM yyyy", "yyyyMMdd",
    ]
    private static let clocks = [
        " HH:mm:ss", " H:mm:ss", " H:mm", " H:m:s", " H:m", " h:mm:ss a", " h:mm a", "", "'T'HH:mm:ss", "'T'HH:mm:ssZ",
        "'T'HH:mm:ss.SSS",
        "'T'HH:mm:ss.SSSZ", " HH:mm:ss.SSS", " HH:mm:ssZ", " HH:mm:ss Z", " H时m分s秒", " H时m分", "H时m分s秒", "'T'HH:mm",
        " HH:mm:ss.S", " HH:mm:ss.SSSSSS", " HH:mm:ss.SSSSSSS", "'T'HH:mm:ss.SSSSSS", "'T'HH:mm:ss.SSSSSSS",
        "'T'HH:mm:ss.SSSSSSZ", "'T'HH:mm:ss.SSSSSSSZ", "'T'HH:mmZ", "H:mm:ss", "H:mm", "H时m分", " H点m分", "H点m分",
        " ah:mm:ss", " ah:mm", " a h:mm:ss", " a h:mm", "ah:mm:ss", "ah:mm", " ah时m分", "ah时m分", " ah点m分", "ah点m分",
        " ah时m分s秒", "ah时m分s秒", " ah点m分s秒", "ah点m分s秒", " H点m分s秒", "H点m分s秒",
        " hh:mm:ssa",
        " h:mma",
        " hh.mm.ss.SSSSSS a", " hh.mm.ss a", " HH.mm.ss.SSSSSS", " HH.mm.ss", " HH:mm:ss.SSSSSS Z",
        " HH:mm:ss.SSSSSSS Z",
        " HH:mm:ss.SS", " HHmmss",
    ]
    private static let others = [
        "yyyyMMddHHmmss", "yyyyMMddHHmm", "yyyyMMddHHmmssSSS", "yyyy-MM", "yyyy/M", "yyyy年M月", "yyyyMM",
    ]
}

private let dayOrders = [
    ["M/d/yyyy", "d/M/yyyy"], ["M-d-yyyy", "d-M-yyyy"], ["M/d/yy", "d/M/yy", "yy/M/d"],
]
