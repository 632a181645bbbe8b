import FederationModel

/// The units (承办单位) that the top node has registered, with who stands above whom. Rows name a unit by its code or by its name, so both mean
/// the same; one that is not registered stands for itself.
package struct UnitRegister: Sendable {
    private let list: CodeList?
    private let codes: [ExactText: String]

    package init(_ reference: ReferenceData) {
        list = reference.lists.named(ReferenceData.unitList)
        codes = list?.codesByName(within: nil) ?? [:]
    }

    func code(of unit: String) -> String? { codes[ExactText(CodeList.joinedLevels(unit))] }

    /// The unit that stands `level` levels from the top above `unit`, or is it; `unit` where it stands higher.
    func unit(above unit: String, level: Int) -> String {
        guard let list, let code = code(of: unit) else { return unit }
        let path = list.path(to: code)
        return path[min(level, path.count) - 1].code
    }

    /// The node that a unit belongs to: its own, or that of the nearest unit above it that has one; nil where nobody says it.
    func node(of unit: String) -> String? {
        code(of: unit).flatMap { list?.path(to: $0).last { $0.node != nil }?.node }
    }

    /// What a filter on the nodes of units means to rows.
    ///
    /// - Throws: `E_FILTER_VALUE` for nodes that no registered unit belongs to, or for more units than a filter may name.
    package func filter(onNodes filter: Analysis.Filter) throws(FederationError) -> Analysis.Filter {
        let wanted = filter.comparison == .hasPrefix ? FilterOperator.hasPrefix : .equals
        let units = Set(list?.entries.map(\.code) ?? []).sorted().filter { unit in
            node(of: unit).map { wanted.accepts($0, filter.values) } ?? false
        }
        guard !units.isEmpty else {
            throw FederationError(
                "E_FILTER_VALUE", "the filter on \(filter.field) names nodes that no registered unit belongs to",
                hint: "`reference show \(ReferenceData.unitList)` prints them")
        }
        return try Analysis.Filter(
            .unit, filter.comparison == .notEquals ? .notEquals : .equals, units.flatMap { names(of: $0) })
    }

    /// What a filter on units means to rows: each unit by its code and by its name, and on a level all units below it too.
    ///
    /// - Throws: `E_FILTER_VALUE` for a unit of a level that is not registered, or for more units than a filter may name.
    func filter(_ filter: Analysis.Filter) throws(FederationError) -> Analysis.Filter {
        guard case .unit = filter.field.value else {
            guard filter.comparison != .hasPrefix else { return filter }
            return try Analysis.Filter(.unit, filter.comparison, filter.values.flatMap { names(of: $0) })
        }
        guard filter.comparison != .hasPrefix, let list else {
            throw FederationError(
                "E_FILTER_VALUE", "the filter on \(filter.field) needs units of the register, whole",
                hint:
                    "the top node registers units in the list `\(ReferenceData.unitList)`; `unit=` takes what rows have"
            )
        }
        var below: [String] = []
        for unit in filter.values {
            guard let code = code(of: unit) else {
                throw FederationError(
                    "E_FILTER_VALUE",
                    "the filter on \(filter.field) has a unit that is not registered, or stands for several",
                    hint: "`reference show \(ReferenceData.unitList)` prints them")
            }
            below += list.entries.map(\.code).filter { entry in list.path(to: entry).contains { $0.code == code } }
        }
        return try Analysis.Filter(.unit, filter.comparison, Set(below).sorted().flatMap { names(of: $0) })
    }

    private func names(of unit: String) -> [String] {
        guard let code = code(of: unit), let title = list?.title(of: code) else { return [unit] }
        return code == title ? [code] : [code, title]
    }
}
