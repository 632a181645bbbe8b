/// The notice of one year (节假日安排): its days off and the weekend days that are worked; and days that are special in another way.
package struct HolidayNotice: Hashable, Sendable {
    package let year: Int
    /// Day numbers (days since 1970-01-01) with the name of the holiday.
    package let holidays: [Int64: String]
    package let workingDays: Set<Int64>
    /// Days that work as any, with what they are called (高考).
    package let specialDays: [Int64: String]

    package init(
        year: Int, holidays: [Int64: String], workingDays: Set<Int64>, specialDays: [Int64: String] = [:]
    ) {
        self.year = year
        self.holidays = holidays
        self.workingDays = workingDays
        self.specialDays = specialDays
    }
}

/// What the top node lays down for everybody: code lists, regions, service codes, the working-day calendar and the time
/// limits. One value, one version: everything in it was released together.
///
/// A node takes it from rows of the top node or from a file; without either it has the floor, ``builtIn``.
package struct ReferenceData: Hashable, Sendable {
    /// Names of the lists that have a meaning of their own.
    package static let regionList = "region"
    package static let serviceList = "service_code"
    /// See ``Population``.
    package static let populationList = "population"
    /// 承办单位, each with the one above it.
    package static let unitList = "unit"
    /// 政府职能 and 问题领域: the codes of another axis of categories, and categories with one of these above them.
    package static let functionList = "function"
    package static let domainList = "domain"
    /// Codes like `0830-1200`; see ``WorkHours``.
    package static let officeHoursList = "office_hours"
    /// 突发事件: beginnings of service codes of which one ticket is an alert.
    package static let emergencyList = "emergency_category"

    /// Counted from 1; 0 is the floor.
    package let version: Int64
    package let title: String
    /// What it adds to the floor.
    package let additions: [CodeList]
    package let notices: [HolidayNotice]
    package let limits: LimitRules

    /// The floor with the additions.
    package let lists: CodeLists
    package let calendar: WorkCalendar
    package let specialDates: SpecialDates
    package let population: Population

    /// - Parameters:
    ///   - additions: lists by their names, each once.
    ///   - notices: each year once.
    package init(
        version: Int64, title: String, additions: [CodeList], notices: [HolidayNotice], limits: LimitRules
    ) {
        self.version = version
        self.title = title
        self.additions = additions
        self.notices = notices
        self.limits = limits
        lists = CodeLists.builtIn.adding(additions)
        population = Population(lists.named(Self.populationList))
        calendar = WorkCalendar(
            years: notices.map(\.year), holidays: notices.flatMap(\.holidays.keys),
            workingWeekendDays: notices.flatMap(\.workingDays),
            hours: WorkHours(lists.named(Self.officeHoursList)))
        specialDates = SpecialDates(notices)
    }

    /// The codes that the program needs, weekends only, no limits: what a node knows that has no reference data.
    package static let builtIn = ReferenceData(
        version: 0, title: "built in", additions: [], notices: [], limits: LimitRules([]))

    /// 行政区划 by GB/T 2260.
    package var regions: CodeList { list(Self.regionList) }

    /// 问题分类, several levels with dots between them.
    package var services: CodeList { list(Self.serviceList) }

    private func list(_ name: String) -> CodeList {
        lists.named(name) ?? CodeList(name: name, title: name, entries: [])
    }
}
