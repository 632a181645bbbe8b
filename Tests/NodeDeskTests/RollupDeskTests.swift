import ConfigurationFiles
import FederationModel
import LogicalQuery
import NodeDesk
import Testing

@Suite struct `A question that is asked again` {
    @Test func `goes by the office hours of now, not by those under which it was kept`() async throws {
        let node = try TestNode("370000")
        func publish(_ version: Int, _ hours: String) async throws {
            try node.write(
                """
                version: \(version)
                title: test
                lists:
                  - name: office_hours
                    title: 工作时间
                    codes: [{code: "\(hours)", title: 工作时间}]
                """, to: "hours.yaml")
            _ = try await node.desk.publishReference(path: node.path("hours.yaml"))
        }
        try await publish(1, "0830-1730")
        let ticket = try await node.addTicket()
        node.clock.pass(3_600_000)
        try await node.record("dispatch", of: ticket.id, ["assignee_unit": "市住建局", "due_datetime": "2025-10-14"])
        var question = AnalysisQuestion()
        question.measures = ["mean_dispatch_work_hours"]
        question.from = ShanghaiTime.parseLocal("2025-09-01 00:00:00")
        question.to = ShanghaiTime.parseLocal("2025-10-01 00:00:00")
        /// By a desk that reads the reference data anew, as each command does.
        func answer() async throws -> [[FieldValue]] {
            let settings = try NodeSettings.load(path: node.path("node/node.yaml"), environment: [:])
            let desk = NodeDesk(
                try LocalNode(settings: settings), as: .system, clock: { [clock = node.clock] in clock.now },
                announce: { _ in })
            return try await desk.ask(question, deadlineMS: 60_000).table.rows.map(\.cells)
        }
        // It is kept beside the answer, so a later one than the first may be the one that finds it.
        for _ in 0..<100 where try await node.desk.rollupStatus().good == 0 {
            #expect(try await answer() == [[.real(1)]])
        }
        #expect(try await node.desk.rollupStatus().good > 0)
        #expect(try await answer() == [[.real(1)]])
        try await publish(2, "1300-1700")
        #expect(try await answer() == [[.real(0)]])
    }

    /// An upsert overrules `OR IGNORE` in the triggers that it fires.
    @Test func `leaves rows and states that change again and again before they are stamped as they are meant`()
        async throws
    {
        let node = try TestNode("370200")
        var question = AnalysisQuestion()
        question.dimensions = ["month"]
        let ticket = try await node.addTicket()
        for _ in 0..<2 { _ = try await node.desk.ask(question, deadlineMS: 60_000) }
        try node.write(
            "key: id\nzone: Asia/Shanghai\ntime_formats: [\"yyyy-MM-dd\"]\nrecords:\n" + """
                  - resource: service_request
                    fields: {service_request_id: id, requested_datetime: day, channel: {value: "01"}, request_type: {value: "2"}, urgency: {value: normal}, acceptance: {value: accepted}}

                """, to: "mapping.yaml")
        for day in ["2025-09-01", "2025-09-02", "2025-09-03"] {
            try node.write("id,day\n1,\(day)\n2,\(day)\n", to: "tickets.csv")
            let report = try await node.desk.importFile(
                ImportRequest(
                    path: node.path("tickets.csv"), mappingPath: node.path("mapping.yaml"), resource: "service_request")
            )
            #expect(report.failure == nil && report.report.counts.accepted == 2, "\(report)")
        }
        #expect(try await node.desk.ticket(ticket.id).thread.state != nil)
        question.dimensions = ["day"]
        let rows = try await node.desk.ask(question, deadlineMS: 60_000).table.rows.map { $0.cells[0] }
        #expect(rows == [.text("2025-09-03"), .text("2025-09-30")])
    }
}
