import ArgumentParser
import NodeFiles

/// For commands that write a file.
struct ReplaceOptions: ParsableArguments {
    @Flag(help: "Replace a file that is there already.")
    var force = false

    var existing: OutputFile.Existing { force ? .isReplaced : .isKept }
}
