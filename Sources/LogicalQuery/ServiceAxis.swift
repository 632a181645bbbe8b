import FederationModel

/// An axis by which categories are counted beside their own levels: 政府职能, 问题领域 (domain 4.5). A list of the reference data has the
/// axis's codes, and categories with one of these above them; a category that is not in it follows the one that it lies in.
struct ServiceAxis {
    private let services: CodeList
    private let list: CodeList?

    init(_ name: String, _ reference: ReferenceData) {
        services = reference.services
        list = reference.lists.named(name)
    }

    /// What a category is counted under; nil for one that nobody has put anywhere, or that is not listed.
    func code(of category: String) -> String? {
        services.path(to: category).reversed().lazy.compactMap { list?.entry($0.code)?.parent }.first
    }

    /// What a filter on the axis means to rows: the categories that are counted under its codes.
    ///
    /// - Throws: `E_FILTER_VALUE` for a word that is no code of the axis, for codes that no category is counted under, or for more
    ///   categories than a filter may name.
    func filter(
        on dimension: Analysis.Dimension, _ comparison: FilterOperator, _ words: [String]
    ) throws(FederationError) -> Analysis.Filter {
        let codes = try self.codes(of: words, on: dimension, comparison)
        // One that is to be left out is looked for as one that is wanted.
        let wanted = comparison == .notEquals ? FilterOperator.equals : comparison
        let categories = Set(services.entries.map(\.code)).sorted().filter { category in
            code(of: category).map { wanted.accepts($0, codes) } ?? false
        }
        guard !categories.isEmpty else {
            throw FederationError(
                "E_FILTER_VALUE", "the filter on \(dimension) names what no category is counted under",
                hint: "`reference show \(dimension)` prints which are")
        }
        return try Analysis.Filter(.service(levels: nil), comparison == .notEquals ? .notEquals : .equals, categories)
    }

    /// The codes of the axis that people mean.
    ///
    /// - Throws: `E_FILTER_VALUE`.
    func codes(
        of words: [String], on dimension: Analysis.Dimension, _ comparison: FilterOperator
    ) throws(FederationError) -> [String] {
        let own = (list?.entries ?? []).filter { !services.contains($0.code) }
        let axis = CodeList(name: dimension.name, title: dimension.title, entries: own)
        return try FilterWords(axis, dimension).filter(comparison, words).values
    }
}
