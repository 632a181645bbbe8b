import Detection
import FederationModel
import Testing

@Suite struct `A topic` {
    @Test func `that is extreme in one of the four ways leads exactly that list`() {
        func figures(_ name: String) -> TopicFigures {
            TopicFigures(
                name, volume: 100, previousVolume: 100, evaluated: 60, satisfied: 55, closed: 90, days: 270,
                extended: 5,
                calledBack: 60, unresolved: 6, returned: 4, severalUnits: 3)
        }
        var (hot, painful, hard, blocked) = (figures("热"), figures("痛"), figures("难"), figures("堵"))
        hot.previousVolume = 25
        painful.satisfied = 10
        hard.days = 1_800
        blocked.severalUnits = 60
        let topics = [hot, painful, hard, blocked]
        let first = TopicIndicator.allCases.map { $0.ranking(of: topics).first?.topic.name }
        #expect(first == ["热", "痛", "难", "堵"])
        #expect(TopicIndicator.allCases.map(\.title) == ["热点", "痛点", "难点", "堵点"])
        #expect(TopicIndicator.blocked.ranking(of: [TopicFigures("空", volume: 0, previousVolume: 0)]).isEmpty)
    }

    @Test func `of water is explained by planned outages for 80 of 100 tickets`() {
        let outage = Outage(id: "O1", region: "370102", from: noon, to: noon + 8 * hour)
        let tickets = (0..<100).map {
            ticket("W\($0)", hours: $0 < 90 ? 2 : 30, region: $0 < 80 || $0 >= 90 ? "370102" : "370103", text: "停水")
        }
        let explanation = OutageExplanation(tickets, outages: [outage])
        #expect(explanation.explainedPercent == 80 && explanation.unexplained.count == 20)
        let area = Outage(id: "O2", region: "370102", area: "解放东路", from: noon, to: noon + hour)
        #expect(OutageExplanation([ticket("W")], outages: [area]).explainedPercent == 100)
        #expect(OutageExplanation([ticket("W", place: "370102/经十路8号")], outages: [area]).explainedPercent == 0)
        #expect(OutageExplanation([], outages: []).explainedPercent == nil)
    }

    @Test func `of illegal parking is a table of roads, areas, effects and causes`() {
        func parked(_ count: Int, _ region: String, _ text: String) -> [ObservedTicket] {
            (0..<count).map { ticket("\(text)\($0)", place: nil, region: region, text: text) }
        }
        let tickets =
            parked(9, "370102", "解放东路私家车停在消防通道，附近没有停车位") + parked(3, "370102", "解放东路有车占用人行道")
            + parked(6, "370102", "山大路违停无人管理") + parked(12, "370103", "马路上违停")
        let table = TopicTable(tickets, pack: .parking, roads: ["解放东路", "山大路"])
        #expect(table.roads.map { "\($0.value)(\($0.tickets))" } == ["解放东路(12)", "山大路(6)"])
        #expect(table.regions.map { "\($0.value)(\($0.tickets))" } == ["370102(18)", "370103(12)"])
        #expect(table.effects.first.map { "\($0.value)(\($0.tickets))" } == "占用消防通道(9)")
        #expect(table.causes.map { "\($0.value)(\($0.tickets))" } == ["停车位不足(9)", "管理缺失(6)"])
        #expect(TopicPack.parking.mainUnit == "交警" && TopicPack.parking.jointUnits == ["城管", "街道"])
    }
}
