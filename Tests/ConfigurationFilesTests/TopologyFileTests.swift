import ConfigurationFiles
import FederationModel
import Foundation
import TestSupport
import Testing

@Suite struct `A topology file` {
    @Test(arguments: Examples.valid)
    func `is read when it is an example`(path: String) throws {
        let topology = try TopologyFile.read(path: path)
        #expect(topology.root?.id.code == "370000")
    }

    @Test func `gives every key to the topology`() throws {
        let topology = try TopologyFile.read(
            text: yaml(
                """
                  - code: "370000"
                    name: 山东省
                    endpoint: https://[::1]:7370
                  - code: 370100
                    name: 济南市
                    parent: 370000
                    region: "370102"
                    mode: logical
                    modes: { recording: physical }
                    peers: ["370900"]
                    shared-with-peers: [service_request, reply]
                  - { code: "370900", name: 泰安市, parent: "370000", endpoint: ~, peers: }
                """), file: "x.yaml")
        #expect(topology.name == "演示")
        #expect(topology.version == 1)
        #expect(topology.nodes.map(\.name) == ["山东省", "济南市", "泰安市"])
        #expect(topology.root?.endpoint == "https://[::1]:7370")
        let city = try #require(topology.node(node("370100")))
        #expect(city.parent == topology.root?.id)
        #expect(city.region == "370102")
        #expect(city.mode(of: "recording") == .physical)
        #expect(city.mode(of: "reply") == .logical)
        #expect(city.sharedWithPeers == ["service_request", "reply"])
    }

    @Test func `grants row queries to the parent alone, a resource at a time`() throws {
        let nodes = """
              - { code: "370000", name: 山东省 }
              - code: "370100"
                name: 济南市
                parent: "370000"
                policy: { service_request: { row-queries: true, filter: { confidential: false, unit: [市住建局, 市城管局] } }, reply: { row-queries: false } }

            """
        let topology = try TopologyFile.read(text: yaml(nodes), file: "x.yaml")
        let grant = topology.grant(from: node("370100"), to: node("370000"))
        #expect(
            grant.rowQueries == ["service_request"] && grant.tickets.confidential == false
                && grant.tickets.units == ["市住建局", "市城管局"] && !grant.isWhole)
        #expect(grant.lines == ["工单: 承办单位 市住建局/市城管局,不含保密", "可查明细: service_request"])
        let peer = nodes + "    peer-policies: { \"370900\": { service_request: { row-queries: true } } }\n"
        #expect(problems(of: yaml(peer)).contains { $0.code == "E_TOPOLOGY_UNKNOWN_KEY" })
    }

    @Test func `keeps small groups back from the parent, by a number that stands under service_request`() throws {
        func file(_ policy: String) -> String {
            """
              - { code: "370000", name: 山东省 }
              - { code: "370100", name: 济南市, parent: "370000", policy: { \(policy) } }

            """
        }
        let topology = try TopologyFile.read(text: yaml(file("service_request: { min-cell: 5 }")), file: "x.yaml")
        let grant = topology.grant(from: node("370100"), to: node("370000"))
        #expect(grant.minCell == 5 && !grant.isWhole && grant.lines == ["小于 5 的分组不提供"])
        for policy in [
            "service_request: { min-cell: 1 }", "service_request: { min-cell: few }", "reply: { min-cell: 5 }",
        ] {
            #expect(problems(of: yaml(file(policy))).contains { $0.code == "E_TOPOLOGY_BAD_MIN_CELL" }, "\(policy)")
        }
    }

    @Test func `leaves keys out and gets the defaults`() throws {
        let topology = try TopologyFile.read(text: yaml("  - { code: \"370000\", name: 山东省 }\n"), file: "x.yaml")
        let root = try #require(topology.root)
        #expect(root == TopologyNode(id: root.id, name: "山东省", parent: nil, region: "370000", endpoint: nil))
    }

    @Test func `names a peer on one side and both have it`() throws {
        let topology = try Examples.topology("qilu.yaml")
        #expect(topology.peers(of: node("370100")) == [node("370900")])
        #expect(topology.peers(of: node("370900")) == [node("370100")])
    }

    @Test func `describes the demonstration federation`() throws {
        let topology = try Examples.topology("qilu.yaml")
        let modes = topology.nodes.map { "\($0.id) \($0.parent?.code ?? "-") \($0.mode(of: "service_request"))" }
        #expect(
            modes == [
                "370000 - physical", "370100 370000 physical", "370200 370000 physical", "370300 370000 logical",
                "370102 370100 physical", "370900 370000 physical",
            ])
        #expect(topology.nodes.compactMap(\.endpoint) == (7370...7375).map { "https://127.0.0.1:\($0)" })
    }

    @Test func `accepts 12-digit codes of towns and villages within their county`() {
        let text = yaml(
            """
              - { code: "370102", name: 历下区 }
              - { code: "370102001000", name: 解放路街道, parent: "370102" }
              - { code: "370102001005", name: 某社区, parent: "370102001000" }
              - { code: "370102002005", name: 别处社区, parent: "370102001000" }
            """)
        #expect(problems(of: text).map(\.code) == ["E_TOPOLOGY_REGION_OUTSIDE"])
        #expect(problems(of: text).map(\.line) == [7])
    }

    @Test(arguments: [
        "https://a.example.cn:1", "https://127.0.0.1:65535", "https://[::1]:443", "https://a:0", "https://a:65536",
        "https://a", "https://:7370", "https://a:7370/", "https://u:p@a:7370", "https://a:7370?x", "http://a:7370",
        "a:7370", "HTTPS://a:7370", "https://a b:7370", "https://a:07370",
    ])
    func `takes only https, host and port as an endpoint`(endpoint: String) {
        let isValid = ["https://a.example.cn:1", "https://127.0.0.1:65535", "https://[::1]:443"].contains(endpoint)
        let found = problems(of: yaml("  - { code: \"370000\", name: 山东省, endpoint: \"\(endpoint)\" }\n"))
        #expect(found.map(\.code) == (isValid ? [] : ["E_TOPOLOGY_BAD_ENDPOINT"]))
    }

    @Test func `is read the same with a byte order mark and Windows line ends`() throws {
        let text = try String(contentsOfFile: #require(Examples.valid.first), encoding: .utf8)
        let windows = "\u{FEFF}" + text.replacing("\n", with: "\r\n")
        let topology = try TopologyFile.read(text: text, file: "x.yaml")
        #expect(try TopologyFile.read(text: windows, file: "x.yaml").nodes == topology.nodes)
    }
}
