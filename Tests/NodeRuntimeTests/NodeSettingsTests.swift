import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk
import NodeRuntime
import TestSupport
import Testing

@Suite struct `The settings of a node` {
    @Test func `have a default for everything but the node`() throws {
        let folder = try TemporaryFolder()
        try folder.write("node: \"370100\"\n", to: "node.yaml")
        let settings = try NodeSettings.load(path: folder.path("node.yaml"), environment: [:])
        #expect(settings.node.code == "370100")
        #expect(settings.topologyPath == folder.path("topology.yaml"))
        #expect(settings.databasePath == folder.path("node.db"))
        #expect(settings.credentialsPath == folder.path("credentials"))
        #expect(settings.listen == ListenAddress("127.0.0.1:7370"))
        #expect(settings.localListen == ListenAddress("127.0.0.1:7470"))
        #expect(settings.runsConsumers)
        #expect(settings.logLevel == "info")
        #expect(settings.diskFloor == 512 << 20)
    }

    @Test func `come from the file, over it the environment, over that the flags`() throws {
        let file = "node: 370100\nlog-level: debug\nlocal-listen: 127.0.0.1:1\nlisten: 127.0.0.1:1\n"
        let environment = [
            "FEDERATION_NODE_LOCAL_LISTEN": "127.0.0.1:2", "FEDERATION_NODE_LISTEN": "127.0.0.1:2",
            "LOG_LEVEL": "trace", "FEDERATION_NODE_LOG-LEVEL": "trace",
        ]
        let settings = try settings(file, environment: environment, flags: ["listen": "127.0.0.1:3"])
        #expect(settings.logLevel == "debug")
        #expect(settings.localListen.port == 2)
        #expect(settings.listen.port == 3)
    }

    @Test func `are found by the flag, else by the environment`() throws {
        let folder = try TemporaryFolder()
        try folder.write("node: 370100\n", to: "a.yaml")
        try folder.write("node: 370200\n", to: "b.yaml")
        let environment = ["FEDERATION_NODE_CONFIG": folder.path("a.yaml")]
        #expect(try NodeSettings.load(path: nil, environment: environment).node.code == "370100")
        #expect(try NodeSettings.load(path: folder.path("b.yaml"), environment: environment).node.code == "370200")
        let error = #expect(throws: FederationError.self) {
            try NodeSettings.load(path: folder.path("none.yaml"), environment: environment)
        }
        #expect(error?.code == "E_CONFIG_MISSING")
    }

    @Test func `keep absolute paths and take relative ones from the file's folder`() throws {
        let settings = try settings("node: 370100\ndatabase: /srv/data/node.db\ntopology: ../shared/t.yaml\n")
        #expect(settings.databasePath == "/srv/data/node.db")
        #expect(settings.topologyPath.hasSuffix("/shared/t.yaml"))
        #expect(!settings.topologyPath.contains(".."))
    }

    /// YAML would read the first as an octal number and the second as a time.
    @Test func `are read as they are written`() throws {
        #expect(try settings("node: 037010\n").node.code == "037010")
        #expect(try settings("node: 370100\nlisten: 12:30\n").listen == ListenAddress("12:30"))
        #expect(try settings("node: 370100\nconsumers: off\n").runsConsumers == false)
        #expect(try settings("node: 370100\nconsumers: true\n").runsConsumers)
        #expect(try settings("node: 370100\nverify-at: 03:05\n").comparisons?.time.description == "03:05")
        #expect(try settings("node: 370100\nverify-at: off\n").comparisons == nil)
        #expect(try settings("node: 370100\nsweep-retraction-percent: 0\n").retractionLimit.percent == 0)
    }

    @Test func `name an unknown setting and the one that was meant`() throws {
        let error = #expect(throws: FederationError.self) { try settings("node: 370100\nlitsen: 127.0.0.1:1\n") }
        #expect(error?.code == "E_CONFIG_INVALID")
        #expect(error?.message.contains("`litsen`") == true)
        #expect(error?.hint == "did you mean `listen`?")
    }

    @Test(arguments: [
        ("node", "37"), ("node", "abcdef"), ("node", "3701000000000"), ("node", "３７０１００"), ("listen", "localhost"),
        ("local-listen", "127.0.0.1:70000"), ("listen", ":7370"), ("consumers", "maybe"), ("consumers", "ON"),
        ("topology", ""), ("database", "[]"), ("log-level", ""), ("verify-at", "24:00"), ("verify-at", "2:00"),
        ("verify-at", "02:00:00"), ("sweep-retraction-percent", "101"), ("sweep-retraction-percent", "5 %"),
    ])
    func `that are not what they must be are refused by name`(name: String, value: String) throws {
        let node = name == "node" ? "" : "node: 370100\n"
        let error = #expect(throws: FederationError.self) { try settings("\(node)\(name): \(value)\n") }
        #expect(error?.code == "E_CONFIG_INVALID")
        #expect(error?.message.contains("`\(name)`") == true)
    }

    @Test(arguments: [
        "", "\n\n", "# only a comment\n", "[]", "- node: 370100", "370100", "node", "node: [370100]",
        "node: {code: 370100}", "node: 370100\nnode: 370200", "? [a, b]\n: c", "a: &a [*a]", "node: \"370100",
        "node: 370100\n\tlisten: x", "node: 370100\n--- \nnode: 370200", "\u{0}", "node: 370100\u{0}",
        "node: !!binary aGVsbG8=\nx: y", "%YAML 9.9\n---\nnode: 370100", String(repeating: "[", count: 20_000),
        String(repeating: "{a: ", count: 20_000),
    ])
    func `in YAML of another shape are refused without a crash`(text: String) {
        let error = #expect(throws: FederationError.self) { try settings(text) }
        #expect(error?.code == "E_CONFIG_INVALID")
    }

    @Test func `of a new node name its addresses and list the rest as comments`() throws {
        let text = NodeSettings.file(node: node("370100"), listen: "0.0.0.0:7370", localListen: nil)
        let settings = try settings(text)
        #expect(settings.node.code == "370100")
        #expect(settings.listen == ListenAddress("0.0.0.0:7370"))
        for (name, standard, _) in NodeSettings.names where standard != nil && name != "listen" {
            #expect(text.contains("\n# \(name): "))
        }
    }
}

@Suite struct `An address to listen on` {
    @Test(arguments: [
        ("127.0.0.1:7370", "127.0.0.1", 7_370), ("localhost:0", "localhost", 0), ("[::1]:80", "::1", 80),
        ("::1:80", "::1", 80), ("0.0.0.0:65535", "0.0.0.0", 65_535),
    ])
    func `is a host and a port`(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
    }

    @Test(arguments: [
        "", ":", ":80", "host", "host:", "host:x", "host:-1", "host:+1", "host:65536", "host: 80", "[]:80", "a b:80",
        "host:99999999999999999999", "a/b:80", "user@host:80", "[::1:80", "host\n:80", "host:８０",
    ])
    func `is nothing else`(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
