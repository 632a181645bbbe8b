import Detection
import FederationModel
import Testing

@Suite struct `Texts` {
    @Test func `are alike by their pairs of characters, in whatever order they say it`() {
        let first = TextPairs("小区南门消防通道被私家车长期占用")
        #expect(isNear(first.similarity(to: TextPairs("私家车长期占用小区南门消防通道")), 0.812, 0.001))
        #expect(isNear(first.similarity(to: TextPairs("小区南门路灯不亮")), 0.158, 0.001))
        #expect(first.similarity(to: first) == 1 && TextPairs("").similarity(to: TextPairs("")) == 0)
        #expect(TextPairs("南 门，路灯").similarity(to: TextPairs("南门,路-灯")) == 1)
    }

    @Test func `cluster as a comparison of every pair would have it, in any order`() {
        var chance = SplitMix64(seed: 7)
        let stems = ["小区南门消防通道被私家车长期占用", "三号楼暖气不热室温只有十四度", "路口红绿灯坏了好几天没人修", "夜间工地施工噪声扰民严重"]
        for _ in 0..<20 {
            let tickets = (0..<40).map { index in
                var letters = Array(stems[Int.random(in: 0..<4, using: &chance)])
                for _ in 0..<Int.random(in: 0...4, using: &chance) {
                    letters[Int.random(in: 0..<letters.count, using: &chance)] = "某"
                }
                return ticket(
                    "T\(index)", hours: Int64.random(in: 0...90, using: &chance), text: String(letters))
            }
            let expected = bruteForce(tickets, window: 72 * hour)
            for _ in 0..<3 {
                let clusters = TextClusters.of(
                    tickets.shuffled(using: &chance), similarity: 0.6, window: 72 * hour)
                #expect(Set(clusters.map { Set($0.map(\.id)) }) == expected)
            }
        }
    }

    private func bruteForce(_ tickets: [ObservedTicket], window: UnixMilliseconds) -> Set<Set<String>> {
        var clusters = Set(tickets.map { Set([$0.id]) })
        for first in tickets {
            for second in tickets
            where abs(first.at - second.at) <= window
                && TextPairs(first.text).similarity(to: TextPairs(second.text)) >= 0.6
            {
                let touched = clusters.filter { $0.contains(first.id) || $0.contains(second.id) }
                clusters.subtract(touched)
                clusters.insert(touched.reduce(into: []) { $0.formUnion($1) })
            }
        }
        return clusters
    }

    @Test func `heat a topic by volume, growth and persons`() {
        #expect(TopicHeat(volume: 30, previousVolume: 10, persons: 20).value == 1_800)
        #expect(TopicHeat(volume: 4, previousVolume: 0, persons: 4).growth == 4)
    }
}

@Suite struct `A dictionary` {
    private let scanner = WordScanner([
        WordClass("极端行为", .red, words: ["跳楼", "自杀"], exclusions: ["跳楼价"]),
        WordClass("讨薪", .yellow, words: ["讨薪", "薪"]),
    ])

    private func words(_ text: String) -> [String] { scanner.hits(in: text).map(\.word) }

    @Test func `finds its words in one pass, also those within others`() {
        #expect(words("讨薪 跳楼") == ["讨薪", "薪", "跳楼"])
        #expect(words("家里没事").isEmpty)
    }

    @Test func `finds nothing where an exclusion covers the word, and finds it again beside that`() {
        #expect(words("商场跳楼价甩卖").isEmpty)
        #expect(words("跳楼价没买到要跳楼") == ["跳楼"])
    }

    @Test func `is not deceived by width, blanks and signs between the letters, and reads nothing across a sentence`() {
        #expect(words("他要跳 - 楼") == ["跳楼"] && words("跳*楼") == ["跳楼"])
        #expect(words("孩子又蹦又跳。楼下邻居投诉").isEmpty)
        let latin = WordScanner([WordClass("x", .red, words: ["sos"])])
        #expect(latin.hits(in: "ＳＯＳ").count == 1 && latin.hits(in: "S.o.S").count == 1)
    }

    @Test func `finds what a search for each word finds`() {
        var chance = SplitMix64(seed: 3)
        let letters = Array("甲乙丙")
        func text(_ length: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: length, using: &chance)).map { _ in letters[Int.random(in: 0..<3, using: &chance)] }
            )
        }
        for _ in 0..<200 {
            let words = Set((0..<6).map { _ in text(2...4) }).sorted()
            let body = text(0...40)
            let scanner = WordScanner([WordClass("a", .red, words: words)])
            let found = scanner.hits(in: body).map { "\($0.start) \($0.word)" }
            let array = Array(body)
            let expected = array.indices.flatMap { start in
                words.filter { array[start...].starts(with: $0) }.map { "\(start) \($0)" }
            }
            #expect(found.sorted() == expected.sorted())
        }
    }
}
