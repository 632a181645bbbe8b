import FederationModel

extension Analysis {
    /// How an indicator is computed. It travels with the question, so a child computes what its parent means, whatever the releases of
    /// both say of the indicator of that name.
    ///
    /// It is made of integer sums that merge by addition, or of one state that merges in another way; a rate becomes a rate only after
    /// the last merge, so no rate is ever averaged (domain rule 2).
    package struct Measure: Hashable, Sendable, Codable, CustomStringConvertible {
        package static let termsMax = 8

        package let name: String
        /// Raised with every change of what it says.
        package let version: Int
        package let unit: Unit
        /// Its value is their sum, each by its weight.
        package let terms: [Term]

        package enum Unit: String, Hashable, Sendable, Codable, CaseIterable {
            /// A number of rows.
            case count
            case percent
            /// A mean of milliseconds, told in hours.
            case hours
            /// The same in minutes.
            case minutes
            /// A mean of seconds.
            case seconds
            /// A number of rows for each 10,000 people who live in the region.
            case perTenThousand = "per_10000"

            /// - Throws: `E_ANALYSIS_UNKNOWN`.
            package init(from decoder: any Decoder) throws {
                let name = try decoder.singleValueContainer().decode(String.self)
                guard let unit = Self(rawValue: name) else {
                    throw FederationError.unknownWord(
                        name, kind: "unit", known: Self.allCases.map(\.rawValue), code: "E_ANALYSIS_UNKNOWN")
                }
                self = unit
            }
        }

        /// A numerator over a denominator, or a count.
        package struct Term: Hashable, Sendable, Codable {
            package let fact: Fact
            /// The column whose time decides the period, and the day, week or month, of a row.
            package let period: String
            /// Which rows it is about at all; the others are excluded.
            package let base: Condition
            package let numerator: Aggregate
            package let denominator: Aggregate?
            package let weight: Double

            /// - Parameter period: nil for the fact's own.
            /// - Throws: `E_INDICATOR_INVALID`, `E_ANALYSIS_UNKNOWN`.
            package init(
                _ fact: Fact, period: String? = nil, base: String, numerator: String, denominator: String? = nil,
                weight: Double = 1
            ) throws(FederationError) {
                self.fact = fact
                self.period = period ?? fact.period
                guard fact.kind(of: self.period) == .number else {
                    throw FederationError("E_ANALYSIS_UNKNOWN", "an indicator's period is no time of its fact")
                }
                self.base = try Condition(base, on: fact)
                self.numerator = try Aggregate(numerator, on: fact)
                self.denominator = try denominator.map { text throws(FederationError) in
                    try Aggregate(text, on: fact)
                }
                self.weight = weight
            }

            var aggregates: [Aggregate] { [numerator] + (denominator.map { [$0] } ?? []) }

            /// Whether the period of a row has begun by the time of the question: it has where all of the time that is asked for is over.
            var hasCome: Criterion { .compare(.column(period), .atMost, .asOf) }

            /// The columns that it reads.
            var columns: [String] { [period] + base.criterion.columns + aggregates.flatMap(\.columns) }

            /// The resources whose rows it needs.
            var resources: [ResourceName] { fact.resources(for: columns.compactMap { fact.columns[$0] }) }

            private enum CodingKeys: String, CodingKey, CaseIterable {
                case fact, period, base, numerator, denominator, weight
            }

            package init(from decoder: any Decoder) throws {
                try decoder.refuseUnknownKeys(CodingKeys.self, kind: "part of an indicator")
                let container = try decoder.container(keyedBy: CodingKeys.self)
                try self.init(
                    container.decode(Fact.self, forKey: .fact),
                    period: container.decode(String.self, forKey: .period),
                    base: container.decode(String.self, forKey: .base),
                    numerator: container.decode(String.self, forKey: .numerator),
                    denominator: container.decodeIfPresent(String.self, forKey: .denominator),
                    weight: container.decode(Double.self, forKey: .weight))
            }

            package func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(fact, forKey: .fact)
                try container.encode(period, forKey: .period)
                try container.encode(base.text, forKey: .base)
                try container.encode(numerator.text, forKey: .numerator)
                try container.encodeIfPresent(denominator?.text, forKey: .denominator)
                try container.encode(weight, forKey: .weight)
            }
        }

        /// - Throws: `E_INDICATOR_INVALID` for no term or too many, a name that is none, or a part of a sum or rate that is neither count nor sum.
        package init(
            _ name: String, version: Int, unit: Unit, terms: [Term]
        ) throws(FederationError) {
            guard name.wholeMatch(of: /[a-z][a-z0-9_]{0,63}/) != nil, (1...Self.termsMax).contains(terms.count) else {
                throw FederationError(
                    "E_INDICATOR_INVALID",
                    "an indicator needs a name of small letters, digits and _, and 1 to \(Self.termsMax) terms")
            }
            let aggregates = terms.flatMap(\.aggregates)
            guard unit != .perTenThousand || aggregates.count == 1 && aggregates[0].function == .count else {
                throw FederationError("E_INDICATOR_INVALID", "what is counted for each 10,000 residents is one count")
            }
            guard aggregates.count == 1 || aggregates.allSatisfy({ $0.function.state == nil }) else {
                throw FederationError(
                    "E_INDICATOR_INVALID",
                    "a least or greatest value, a quantile or a number of persons is a figure of its own",
                    hint: "averages of averages can't be written down: sums and counts alone make rates and means")
            }
            self.name = name
            self.version = version
            self.unit = unit
            self.terms = terms
        }

        package var description: String { name }

        /// How many sums it takes.
        package var sumCount: Int { state == nil ? terms.reduce(0) { $0 + $1.aggregates.count } : 0 }

        /// The state that it is read from, in place of sums.
        var state: MergeableState.Kind? { terms[0].numerator.function.state }

        /// The measure from its merged sums: a count; a rate in percent or a mean, to two decimals; null (n/a) when a denominator is
        /// 0. Or from its merged state.
        ///
        /// - Precondition: `sums` has `sumCount` elements.
        /// - Parameter residents: how many people live there; nil when that is not known.
        package func value(
            of sums: ArraySlice<Int64>, _ state: MergeableState? = nil, residents: Int64? = nil
        ) -> FieldValue {
            if let state { return value(of: state) }
            guard self.state == nil else { return .null }
            if unit == .perTenThousand {
                guard let residents, let count = sums.first else { return .null }
                return .real((Double(count) * 1_000_000 / Double(residents)).rounded() / 100)
            }
            var value = 0.0
            var rest = sums
            for term in terms {
                let numerator = rest.removeFirst()
                guard term.denominator != nil else {
                    if terms.count == 1 { return .integer(numerator) }
                    value += term.weight * Double(numerator)
                    continue
                }
                let denominator = rest.removeFirst()
                guard denominator != 0 else { return .null }
                value += term.weight * Double(numerator) * scale / Double(denominator)
            }
            return .real((value * 100).rounded() / 100)
        }

        private func value(of state: MergeableState) -> FieldValue {
            let found: Double?
            switch state {
            case .distinct(let persons): return .integer(persons.estimate)
            case .least(let value), .greatest(let value):
                if unit == .count { return value.map { .integer($0) } ?? .null }
                found = value.map { Double($0) }
            case .distribution(let distribution):
                guard case .quantile(let percent, _) = terms[0].numerator.function else { return .null }
                found = distribution.quantile(percent: percent)
            }
            return found.map { .real(($0 * scale * 100).rounded() / 100) } ?? .null
        }

        private var scale: Double {
            switch unit {
            case .count, .seconds, .perTenThousand: 1
            case .percent: 100
            case .hours: 1.0 / 3_600_000
            case .minutes: 1.0 / 60_000
            }
        }

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case name, version, unit, terms
        }

        package init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.self, kind: "part of an indicator")
            let container = try decoder.container(keyedBy: CodingKeys.self)
            try self.init(
                container.decode(String.self, forKey: .name), version: container.decode(Int.self, forKey: .version),
                unit: container.decode(Unit.self, forKey: .unit), terms: container.decode([Term].self, forKey: .terms))
        }
    }
}

extension Fact {
    /// The resources that a node must hold to know the values of `columns`, and of the rows that have them.
    func resources(for columns: [Column]) -> [ResourceName] {
        let named = [resource] + (isThreadRecord ? [BuiltInResources.serviceRequest.name] : [])
        return named + columns.flatMap { resources(for: $0) }
    }
}
