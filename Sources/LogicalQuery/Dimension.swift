import FederationModel

extension Analysis {
    /// What rows are split by, or filtered on: a word that people type, a result column is called by, and that travels between nodes. A
    /// row without the value falls into the null group.
    ///
    /// A fact has a dimension if it, or its ticket, has the dimension's column. Times are those of Asia/Shanghai, of the column that
    /// decides a measure's period.
    ///
    /// Two of one name are the same: what explains a column of a data set is known where people ask alone.
    package struct Dimension: Hashable, Sendable, Codable, CustomStringConvertible {
        package let name: String
        package let title: String
        package let value: Value

        /// Where its value comes from.
        package enum Value: Hashable, Sendable {
            /// A column, with the code list that explains its values.
            case column(String, codes: Codes)
            /// Cut to a level, codes of the past counted under their successors.
            case region(RegionLevel)
            /// The first so many of the dot-separated parts of the category.
            case service(levels: Int)
            /// The unit as rows have it, to be counted under the one that stands so many levels below the top of the register
            /// (``UnitRegister``) once everything is merged.
            case unit(level: Int)
            /// The unit as rows have it, to be counted under the node that the register says it belongs to.
            case nodeOfUnit
            /// The category as rows have it, to be counted under what a list of the reference data puts it under (``ServiceAxis``) once
            /// everything is merged.
            case axis(list: String)
            /// A column of an external data set. Texts are cut to `fieldLengthMax` characters.
            case field(String, of: String, codes: Codes)
            case time(TimeCut)
        }

        /// What explains the values of a column.
        package enum Codes: Hashable, Sendable {
            case none
            /// Whole numbers, which explain themselves.
            case numbers
            case list(String)
            /// A list of a data set's own.
            case own(CodeList)
            case regions
            case services
            case units
            case nodes
        }

        /// A level of a GB/T 2260 region code.
        package enum RegionLevel: String, CaseIterable, Hashable, Sendable {
            case province, city, county, town
        }

        /// What is told of a time.
        package enum TimeCut: String, CaseIterable, Hashable, Sendable {
            /// `2025-09-30`
            case day
            /// The ISO 8601 week, `2025-W40`: the year is that of the week's Thursday.
            case week
            /// `2025-09`
            case month
            /// `2025-Q3`
            case quarter
            /// `2025`
            case year
            /// `09`: 09:00 to 09:59.
            case hour
            /// `1` (Monday) to `7`.
            case weekday
            /// `1-09`
            case hourOfWeek = "hour_of_week"
        }

        private init(_ name: String, _ title: String, _ value: Value) {
            (self.name, self.title, self.value) = (name, title, value)
        }

        package static func == (a: Dimension, b: Dimension) -> Bool { a.name == b.name }
        package func hash(into hasher: inout Hasher) { hasher.combine(name) }

        private static func column(
            _ name: String, _ title: String, _ column: String? = nil, _ codes: Codes = .none
        ) -> Dimension { Dimension(name, title, .column(column ?? name, codes: codes)) }

        // MARK: - The dimensions

        /// The node that took the ticket in (受理口径), or the call.
        package static let origin = column("origin", "来源", nil, .nodes)
        /// 事发地区划 as stored, or cut to a level.
        package static func region(_ level: RegionLevel?) -> Dimension {
            switch level {
            case nil: column("region", "事发地", "region_code", .regions)
            case .province?: Dimension("region:province", "省", .region(.province))
            case .city?: Dimension("region:city", "市", .region(.city))
            case .county?: Dimension("region:county", "区县", .region(.county))
            case .town?: Dimension("region:town", "街镇", .region(.town))
            }
        }
        /// A deeper cut has no name: the SQL for a level is twice as long as for the one above it.
        static let serviceLevelsMax = 4
        /// 问题分类, as the owner corrected it last, or the first so many of its parts.
        package static func service(levels: Int?) -> Dimension {
            levels.map { Dimension("service:\($0)", "\($0)级问题分类", .service(levels: $0)) }
                ?? column("service", "问题分类", "service_code", .services)
        }
        /// 问题分类 as the ticket was taken in.
        package static let acceptedService = column(
            "accepted_service", "受理时问题分类", "accepted_service_code", .services)
        /// 政府职能: the function of government that a category belongs to.
        package static let function = Dimension("function", "政府职能", .axis(list: ReferenceData.functionList))
        /// 问题领域: the part of life that a category is about.
        package static let domain = Dimension("domain", "问题领域", .axis(list: ReferenceData.domainList))
        package static let requestType = column("request_type", "诉求类型", nil, .list("request_type"))
        package static let channel = column("channel", "受理渠道", nil, .list("channel"))
        package static let urgency = column("urgency", "紧急程度", nil, .list("urgency"))
        /// The node that owns the handling (承办口径).
        package static let handlingOwner = column("handling_owner", "承办归属节点", "owner", .nodes)
        /// 承办单位: of an assignment the one that it went to, of a supervision the one that it is about.
        package static let unit = column("unit", "承办单位", nil, .units)
        static let unitLevelsMax = 4
        /// The unit's own, or the one above it that stands so many levels from the top.
        package static func unit(level: Int) -> Dimension {
            Dimension("unit:\(level)", "\(level)级承办单位", .unit(level: level))
        }
        /// The node that the unit belongs to, by the register.
        package static let nodeOfUnit = Dimension("unit:node", "承办单位所属节点", .nodeOfUnit)
        package static let status = column("status", "状态", nil, .list("status"))
        package static let held = column("held", "挂账", nil, .list("yes_no"))
        package static let day = Dimension("day", "日期", .time(.day))
        package static let week = Dimension("week", "周", .time(.week))
        package static let month = Dimension("month", "月份", .time(.month))

        package static let allCases: [Dimension] =
            [origin, region(nil)] + RegionLevel.allCases.map { region($0) } + [service(levels: nil)]
            + (1...serviceLevelsMax).map { service(levels: $0) }
            + (1...unitLevelsMax).map { unit(level: $0) }
            + [
                nodeOfUnit,
                acceptedService, function, domain, requestType, channel, urgency, handlingOwner, unit, status, held,
                column("closure_kind", "办结方式", nil, .list("closure_kind")),
                column("return_reason", "退单原因", nil, .list("return_reason")),
                column("acceptance", "受理结论", nil, .list("acceptance")),
                column("reporter_kind", "诉求人类型", nil, .list("reporter_kind")),
                column("round", "办理轮次", nil, .numbers),
                column("resolution", "解决情况", "resolved", .list("resolution")),
                column("supervision", "督办状态", nil, .list("supervision")),
                column("supervision_level", "督办级别", "level", .list("supervision_level")),
                column("supervision_trigger", "督办事由", "trigger", .list("supervision_trigger")),
                column("score", "满意度", "score5", .list("score")),
                column("verdict_source", "评价来源", nil, .list("verdict_source")),
                column("callback_method", "回访方式", "method", .list("callback_method")),
                column("reached", "接通情况", nil, .list("reached")),
                column("transfer_step", "流转步骤", "step", .list("transfer_step")),
                column("transfer_kind", "流转类型", "kind", .list("transfer_kind")),
                column("to_node", "流转至节点", nil, .nodes),
                column("seat", "坐席"),
                column("queue", "队列"),
                column("disposition", "话务结果", nil, .list("call_disposition")),
                column("direction", "呼叫方向", nil, .list("call_direction")),
                day, week, month,
                Dimension("quarter", "季度", .time(.quarter)), Dimension("year", "年份", .time(.year)),
                Dimension("hour", "小时", .time(.hour)), Dimension("weekday", "星期", .time(.weekday)),
                Dimension("hour_of_week", "周内小时", .time(.hourOfWeek)),
            ]

        // MARK: - External data sets

        /// So no value is longer than a filter may name.
        static let fieldLengthMax = Filter.valueBytesMax / 4

        /// The columns of a data set that split its rows, beside what they have in common with tickets. Not its times: periods do.
        package static func fields(of dataset: ExternalDataset) -> [Dimension] {
            dataset.columns.filter { column in
                ![.real, .timestamp].contains(column.type) && !dataset.roles.values.contains(column.name)
            }.map { column in
                let codes: Codes =
                    if let list = column.codeList {
                        dataset.lists.first { $0.name == list }.map { .own($0) } ?? .list(list)
                    } else if column.type == .boolean {
                        .list("yes_no")
                    } else {
                        column.type == .integer ? .numbers : .none
                    }
                return Dimension(
                    "\(dataset.name).\(column.name)", column.title, .field(column.name, of: dataset.name, codes: codes))
            }
        }

        /// As a peer names one: `planned_outage.kind`.
        private static func field(_ text: String) -> Dimension? {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy(ExternalDataset.isName) else { return nil }
            return Dimension(text, text, .field(parts[1], of: parts[0], codes: .none))
        }

        // MARK: - As people write them

        /// By its name, of a data set's column also without that of the data set; by its title, or a part of the title that no other one
        /// has: `渠道`.
        ///
        /// - Parameter known: among which it is.
        /// - Throws: `E_ANALYSIS_UNKNOWN` with the nearest name and all known ones.
        package init(_ text: String, among known: [Dimension] = Dimension.allCases) throws(FederationError) {
            let name = text.withUnderscores
            guard
                let dimension = known.first(where: { $0.name == name })
                    ?? Self.only(known.filter { if case .field(name, _, _) = $0.value { true } else { false } })
                    ?? Self.titled(text, known)
            else {
                throw .unknownWord(text, kind: "dimension", known: known.map(\.name), code: "E_ANALYSIS_UNKNOWN")
            }
            self = dimension
        }

        private static func titled(_ text: String, _ known: [Dimension]) -> Dimension? {
            guard !text.isEmpty else { return nil }
            return known.first { $0.title == text } ?? only(known.filter { $0.title.contains(text) })
        }

        private static func only(_ found: [Dimension]) -> Dimension? { found.count == 1 ? found[0] : nil }

        /// The column of a fact that it reads; nil for the time that decides the period.
        var column: String? {
            switch value {
            case .column(let name, _), .field(let name, _, _): name
            case .region: "region_code"
            case .service, .axis: "service_code"
            case .unit, .nodeOfUnit: "unit"
            case .time: nil
            }
        }

        var codes: Codes {
            switch value {
            case .column(_, let codes), .field(_, _, let codes): codes
            case .region: .regions
            case .service: .services
            case .unit: .units
            case .nodeOfUnit: .nodes
            case .axis(let list): .list(list)
            case .time(.weekday): .list("weekday")
            case .time: .none
            }
        }

        /// The list that explains its values; nil for nodes, and for what explains itself.
        package func list(_ reference: ReferenceData) -> CodeList? {
            switch codes {
            case .none, .numbers, .nodes: nil
            case .own(let list): list
            case .regions: reference.regions
            case .services: reference.services
            case .units: reference.lists.named(ReferenceData.unitList)
            case .list(let name): Self.ownLists[name] ?? reference.lists.named(name)
            }
        }

        /// Whether its values are codes of nodes.
        package var isNode: Bool { codes == .nodes }

        /// Whether tables print the code beside its title: where titles repeat.
        package var showsCode: Bool { codes == .regions || codes == .services }

        /// Lists that are not reference data: nobody adds to them.
        private static let ownLists: [String: CodeList] = {
            typealias Code = (code: String, title: String, english: String)
            func list(_ name: String, _ codes: [Code]) -> (String, CodeList) {
                let entries = codes.map { CodeList.Entry(code: $0.code, title: $0.title, english: $0.english) }
                return (name, CodeList(name: name, title: name, entries: entries))
            }
            let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
            return Dictionary(uniqueKeysWithValues: [
                list(
                    "status",
                    TicketStatus.allCases.map { ($0.rawValue, $0.title, $0.rawValue.replacing("_", with: " ")) }),
                list("yes_no", [("1", "是", "yes"), ("0", "否", "no")]),
                list(
                    "supervision",
                    [
                        ("none", "无督办", "no supervision"), ("open", "督办中", "open"),
                        ("closed", "督办已办结", "closed"),
                    ]),
                list("weekday", zip("一二三四五六日", days).enumerated().map { ("\($0 + 1)", "周\($1.0)", $1.1) }),
            ])
        }()

        // MARK: - Between nodes

        package init(from decoder: any Decoder) throws {
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let known = Self.allCases.first(where: { $0.name == text }) ?? Self.field(text) else {
                throw FederationError.unknownWord(
                    text, kind: "dimension", known: Self.allCases.map(\.name), code: "E_ANALYSIS_UNKNOWN")
            }
            self = known
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(name)
        }

        package var description: String { name }
    }
}

extension Fact {
    /// Whether its rows have a dimension: every row has times.
    package func has(_ dimension: Analysis.Dimension) -> Bool {
        dimension.column == nil || column(for: dimension) != nil
    }

    package func column(for dimension: Analysis.Dimension) -> Column? {
        if case .field(_, let dataset, _) = dimension.value, self.dataset != dataset { return nil }
        return dimension.column.flatMap { column(for: $0) }
    }
}
