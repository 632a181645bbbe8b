// swift-tools-version: 6.1

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// What tests themselves do is short, and to optimize it takes twice as long as to run it.
let tests = strict + [.unsafeFlags(["-Onone"])]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let swiftASN1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "federation-node",
    products: [
        .executable(name: "federation-node", targets: ["FederationNode"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // MARK: - Words (no I/O, no clock, standard library only)
        .target(name: "FederationModel", exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "LogicalQuery", dependencies: ["FederationModel"], exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "ChangeSetFormat", dependencies: ["FederationModel"], exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "SyncProtocol", dependencies: ["ChangeSetFormat", "FederationModel"], exclude: ["DESIGN.md"],
            swiftSettings: strict),
        .target(
            name: "Verification", dependencies: ["FederationModel"], exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "Detection", dependencies: ["FederationModel"], exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: ["FederationModel", "LogicalQuery", .product(name: "Mustache", package: "swift-mustache")],
            exclude: ["DESIGN.md"], swiftSettings: strict),
        /// What the tests of several targets need; no product holds it.
        .target(
            name: "TestSupport", dependencies: ["FederationModel", "PeerTransport"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "FederationModelTests", dependencies: ["FederationModel", "TestSupport"], swiftSettings: tests),
        .testTarget(
            name: "LogicalQueryTests",
            dependencies: ["FederationModel", "LocalStore", "LogicalQuery", "TestSupport", grdbSQLite],
            swiftSettings: tests),
        .testTarget(
            name: "ChangeSetFormatTests", dependencies: ["ChangeSetFormat", "FederationModel", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: tests),
        .testTarget(
            name: "VerificationTests", dependencies: ["FederationModel", "TestSupport", "Verification"],
            swiftSettings: tests),
        .testTarget(
            name: "DetectionTests", dependencies: ["Detection", "FederationModel", "TestSupport"],
            swiftSettings: tests),
        .testTarget(
            name: "ReportingTests", dependencies: ["FederationModel", "LogicalQuery", "Reporting", "TestSupport"],
            swiftSettings: tests),
        .testTarget(
            name: "SyncProtocolTests",
            dependencies: ["ChangeSetFormat", "FederationModel", "SyncProtocol", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: tests),

        // MARK: - Files and streams of the machine
        .target(name: "NodeFiles", dependencies: ["FederationModel"], swiftSettings: strict),
        .testTarget(
            name: "NodeFilesTests", dependencies: ["FederationModel", "NodeFiles"], swiftSettings: tests),

        // MARK: - Files people write
        .target(
            name: "ConfigurationFiles", dependencies: ["Detection", "FederationModel", "LogicalQuery", yams],
            exclude: ["DESIGN.md"],
            resources: [.embedInCode("Reference/shandong.yaml")], swiftSettings: strict),
        .testTarget(
            name: "ConfigurationFilesTests",
            dependencies: [
                "ConfigurationFiles", "Detection", "FederationModel", "LogicalQuery", "RecordIntake", "TestSupport",
            ],
            swiftSettings: tests),

        // MARK: - Bytes
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "Zstandard", dependencies: ["CZstd"], swiftSettings: strict),
        .testTarget(name: "ZstandardTests", dependencies: ["Zstandard"], swiftSettings: tests),

        // MARK: - The store
        .target(
            name: "LocalStore",
            dependencies: [
                "ChangeSetFormat", "Detection", "FederationModel", "LogicalQuery", "NodeFiles", "Verification",
                "Zstandard",
                crypto, grdb, grdbSQLite,
            ],
            exclude: ["DESIGN.md"], swiftSettings: strict
        ),
        .testTarget(
            name: "LocalStoreTests",
            dependencies: [
                "ChangeSetFormat", "Detection", "FederationModel", "LocalStore", "LogicalQuery", "TestSupport",
                "Verification", "Zstandard", grdb,
            ],
            exclude: ["Fixtures"], swiftSettings: tests),

        // MARK: - Simulation of whole federations
        .target(
            name: "Simulation",
            dependencies: [
                "ChangeSetFormat", "FederationModel", "LocalStore", "LogicalQuery", "NodeFiles", "SyncProtocol",
                "TestSupport", "Verification", "Zstandard",
            ],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "FederationModel", "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/SimulationRunner", swiftSettings: strict),
        .testTarget(name: "SimulationTests", dependencies: ["FederationModel", "Simulation"], swiftSettings: tests),

        // MARK: - Records from other systems
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMinizip", pkgConfig: "minizip", providers: [.apt(["libminizip-dev"])]),
        .systemLibrary(name: "CXLSXWriter", pkgConfig: "xlsxwriter", providers: [.apt(["libxlsxwriter-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(name: "CIconvShim"),
        .target(name: "CXMLShim", dependencies: ["CLibXML2"]),
        .target(
            name: "RecordIntake",
            dependencies: [
                "CIconvShim", "CMinizip", "CXMLShim", "CZlib", "ConfigurationFiles", "FederationModel", "NodeFiles",
                "Zstandard",
            ],
            exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "MappingSuggestions", dependencies: ["ConfigurationFiles", "FederationModel", "RecordIntake"],
            exclude: ["DESIGN.md"], swiftSettings: strict),
        .target(
            name: "TicketGeneration", dependencies: ["FederationModel"], exclude: ["DESIGN.md"], swiftSettings: strict),
        .testTarget(
            name: "RecordIntakeTests",
            dependencies: [
                "CZlib", "ConfigurationFiles", "FederationModel", "MappingSuggestions", "RecordIntake", "TestSupport",
                "Zstandard",
            ],
            exclude: ["Fixtures"], swiftSettings: tests),
        .testTarget(
            name: "MappingSuggestionsTests",
            dependencies: [
                "ConfigurationFiles", "FederationModel", "MappingSuggestions", "RecordIntake", "TestSupport",
            ],
            swiftSettings: tests),
        .testTarget(
            name: "TicketGenerationTests",
            dependencies: [
                "ConfigurationFiles", "FederationModel", "RecordIntake", "TestSupport", "TicketGeneration",
            ],
            swiftSettings: tests),

        // MARK: - Identity and transport
        .target(
            name: "NodeIdentity", dependencies: ["FederationModel", "NodeFiles", crypto, swiftASN1, x509],
            swiftSettings: strict),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(
            name: "CCurlShim", dependencies: ["CCurl"],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(
            name: "PeerTransport", dependencies: ["CCurl", "CCurlShim", "FederationModel"], exclude: ["DESIGN.md"],
            swiftSettings: strict),

        .testTarget(
            name: "NodeIdentityTests",
            dependencies: ["FederationModel", "NodeFiles", "NodeIdentity", "TestSupport", x509],
            swiftSettings: tests),

        // MARK: - What can be done at a node
        .target(
            name: "NodeDesk",
            dependencies: [
                "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "LocalStore", "LogicalQuery",
                "NodeFiles", "NodeIdentity", "PeerTransport", "RecordIntake", "Reporting", "SyncProtocol",
                "Verification", "Zstandard",
            ],
            exclude: ["DESIGN.md"], swiftSettings: strict),
        .testTarget(
            name: "NodeDeskTests",
            dependencies: [
                "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "LocalStore", "LogicalQuery",
                "NodeDesk", "NodeFiles", "NodeIdentity", "Reporting", "SyncProtocol", "TestSupport", "Zstandard",
            ],
            swiftSettings: tests),

        // MARK: - The running node
        .target(
            name: "NodeRuntime",
            dependencies: [
                "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "LocalStore", "LogicalQuery",
                "NodeDesk", "NodeFiles", "NodeIdentity", "PeerTransport", "RecordIntake", "Reporting", "SyncProtocol",
                "Verification",
                "Zstandard",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                logging,
            ],
            exclude: ["DESIGN.md"], swiftSettings: strict
        ),
        .testTarget(
            name: "NodeRuntimeTests",
            dependencies: [
                "ChangeSetFormat", "ConfigurationFiles", "FederationModel", "LocalStore", "LogicalQuery", "NodeDesk",
                "NodeIdentity", "NodeRuntime", "PeerTransport", "SyncProtocol", "TestSupport",
                "Zstandard",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                grdbSQLite, logging, yams,
            ],
            swiftSettings: tests),
        .executableTarget(
            name: "FederationNode",
            dependencies: [
                "CXLSXWriter", "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "LogicalQuery",
                "MappingSuggestions", "NodeDesk", "NodeFiles", "NodeIdentity", "NodeRuntime", "RecordIntake",
                "Reporting", "TicketGeneration", "Verification",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                logging,
            ],
            exclude: ["DESIGN.md"], swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["ConfigurationFiles", "FederationModel", "RecordIntake", "TestSupport"],
            swiftSettings: tests),
        .testTarget(
            name: "BorderTests",
            dependencies: [
                "ChangeSetFormat", "FederationModel", "NodeIdentity", "PeerTransport", "SyncProtocol", "TestSupport",
                "Zstandard",
            ],
            swiftSettings: tests),
        .testTarget(name: "TidyTests"),

        // MARK: - Bytes from outside
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ChangeSetFormat", "ConfigurationFiles", "FederationModel", "LocalStore", "LogicalQuery",
                "MappingSuggestions", "NodeIdentity", "RecordIntake", "SyncProtocol", "TestSupport", "Verification",
                "Zstandard",
            ],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: tests),

        // MARK: - Measurements
        .executableTarget(
            name: "SyncBenchmark",
            dependencies: [
                "ChangeSetFormat", "FederationModel", "LocalStore", "NodeDesk", "TicketGeneration",
                "Zstandard",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/SyncBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "IntakeBenchmark",
            dependencies: [
                "FederationModel", "LocalStore", "NodeDesk", "RecordIntake", "TicketGeneration",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/IntakeBenchmark",
            swiftSettings: strict),
        .executableTarget(
            name: "AnalysisBenchmark",
            dependencies: [
                "ConfigurationFiles", "FederationModel", "LocalStore", "LogicalQuery", "NodeDesk",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/AnalysisBenchmark",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer's program has no main of its own and links with `--sanitize fuzzer` alone: see scripts/fuzz.sh.
if Context.environment["FUZZER"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer", swiftSettings: strict))
}
