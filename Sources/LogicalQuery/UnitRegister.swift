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

    private func code(of unit: String) -> String? { codes[ExactText(CodeList.joinedLevels(unit))] }

    /// The unit that stands `level` levels from the top above `unit`, or is it; `unit` where it stands higher.
    func unit(above unit: String, level: Int) -> String {
        guard let list, let code = code(of: unit) else { return unit }
        let path = list.path(to: code)
        return path[min(level, path.count) - 1].code
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

extension PartialResult {
    /// With units counted under those of the level that is asked for. Where people ask, after the last merge: so no other node needs
    /// the same register.
    ///
    /// - Throws: as `add`.
    package func rolledUp(
        for analysis: Analysis, _ reference: ReferenceData
    ) throws(FederationError) -> PartialResult {
        let levels = analysis.dimensions.map { dimension in
            if case .unit(let level) = dimension.value { level } else { nil as Int? }
        }
        let register = UnitRegister(reference)
        let isRegistered =
            analysis.dimensions.contains { $0.codes == .units }
            && reference.lists.named(ReferenceData.unitList) != nil
        guard isRegistered else { return self }
        var result = PartialResult(for: analysis)
        for (key, group) in groups {
            let key = zip(key, analysis.dimensions).enumerated().map { index, part -> ExactText? in
                guard part.1.codes == .units, let unit = part.0?.text else { return part.0 }
                return ExactText(register.unit(above: unit, level: levels[index] ?? CodeList.stepsMax))
            }
            try result.add(key: key, group)
        }
        return result
    }
}
