import ConfigurationFiles
import TestSupport

/// The settings in a `node.yaml` with this text.
func settings(
    _ text: String, environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> NodeSettings {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "node.yaml")
    return try NodeSettings.load(path: folder.path("node.yaml"), environment: environment, flags: flags)
}
