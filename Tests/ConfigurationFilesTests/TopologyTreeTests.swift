import ConfigurationFiles
import FederationModel
import Testing

@Suite struct `A picture of a topology` {
    @Test func `is a tree in the terminal`() throws {
        #expect(
            TopologyTree.text(try Examples.topology("qilu.yaml")) == """
                齐鲁演示(第 1 版,6 个节点)
                370000 山东省
                ├── 370100 济南市  物理汇聚  对等 370900  对等共享 service_request
                │   └── 370102 历下区  物理汇聚
                ├── 370200 青岛市  物理汇聚
                ├── 370300 淄博市  逻辑接入
                └── 370900 泰安市  物理汇聚  对等 370100

                """)
    }

    @Test func `names the resources that are gathered another way`() throws {
        let text = TopologyTree.text(try Examples.topology("shandong.yaml"))
        #expect(text.contains("371400 德州市  物理汇聚(call_record 逻辑接入,recording 逻辑接入)"))
    }

    @Test func `is a Mermaid flowchart`() throws {
        #expect(
            TopologyTree.mermaid(try hostile())
                == """
                flowchart BT
                    n370000["370000 a#34;]; #60;b#62;#92;"]
                    n370100["370100 甲"]
                    n370200["370200 乙"]
                    n370100 -->|"物理汇聚"| n370000
                    n370200 -.->|"逻辑接入(reply 物理汇聚)"| n370000
                    n370100 ---|"对等"| n370200

                """.replacing("];", with: "]#59;"))
    }

    @Test func `is a Graphviz graph`() throws {
        #expect(
            TopologyTree.dot(try hostile()) == #"""
                digraph "演示" {
                    rankdir=BT;
                    node [shape=box];
                    "370000" [label="370000\na\"]; <b>\\"];
                    "370100" [label="370100\n甲"];
                    "370200" [label="370200\n乙"];
                    "370100" -> "370000" [label="物理汇聚", style=solid];
                    "370200" -> "370000" [label="逻辑接入(reply 物理汇聚)", style=dashed];
                    "370100" -> "370200" [label="对等", dir=none, constraint=false];
                }

                """#)
    }

    /// A root whose name tries to end the label it stands in.
    private func hostile() throws -> Topology {
        try TopologyFile.read(
            text: yaml(
                #"""
                  - { code: "370000", name: "a\"]; <b>\\" }
                  - { code: "370100", name: 甲, parent: "370000" }
                  - { code: "370200", name: 乙, parent: "370000", mode: logical, modes: { reply: physical }, peers: ["370100"] }
                """#), file: "x.yaml")
    }
}
