/// What a node keeps of questions, so that they are answered at once when they are asked again.
package struct RollupStatus: Hashable, Sendable {
    package let questions: Int
    /// Months and days, over all questions.
    package let blocks: Int
    package let bytes: Int64
    /// Blocks that are good; the others are found anew when they are asked for.
    package let good: Int

    package init(questions: Int, blocks: Int, bytes: Int64, good: Int) {
        self.questions = questions
        self.blocks = blocks
        self.bytes = bytes
        self.good = good
    }
}
