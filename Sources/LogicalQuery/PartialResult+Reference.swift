import FederationModel

extension PartialResult {
    /// With units counted under those of the level that is asked for, and categories under the codes of the axis. Where people ask, after
    /// the last merge: so no other node needs the same reference data.
    ///
    /// - Throws: as `add`.
    package func rolledUp(
        for analysis: Analysis, _ reference: ReferenceData
    ) throws(FederationError) -> PartialResult {
        let rollups = analysis.dimensions.map { $0.rollup(reference) }
        guard rollups.contains(where: { $0 != nil }) else { return self }
        var result = PartialResult(for: analysis)
        for (key, group) in groups {
            let key = zip(key, rollups).map { value, rollup in
                guard let value, let rollup else { return value }
                return rollup(value.text).map { ExactText($0) }
            }
            try result.add(key: key, group)
        }
        return result
    }
}

extension Analysis.Dimension {
    /// What a finished row has as its value for a word that people write, where filters look for something else; nil where they don't.
    ///
    /// - Throws: `E_FILTER_VALUE`.
    package func countedValue(of word: String, _ reference: ReferenceData) throws(FederationError) -> String? {
        if case .axis(let list) = value {
            return try ServiceAxis(list, reference).codes(of: [word], on: self, .equals)[0]
        }
        return codes == .units ? UnitRegister(reference).code(of: word) ?? word : nil
    }

    /// What says of a value that rows have what it is counted under, nil for nothing; nil where that is the value itself.
    fileprivate func rollup(_ reference: ReferenceData) -> ((String) -> String?)? {
        if case .axis(let list) = value { return ServiceAxis(list, reference).code(of:) }
        if case .nodeOfUnit = value { return UnitRegister(reference).node(of:) }
        guard codes == .units, reference.lists.named(ReferenceData.unitList) != nil else { return nil }
        let level = if case .unit(let level) = value { level } else { CodeList.stepsMax }
        let register = UnitRegister(reference)
        return { register.unit(above: $0, level: level) }
    }
}
