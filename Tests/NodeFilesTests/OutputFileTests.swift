import FederationModel
import Foundation
import NodeFiles
import Testing

@Suite struct `A file for output` {
    private let folder: TemporaryFolder
    private var path: String { folder.path("out") }

    init() throws { folder = try TemporaryFolder() }

    @Test func `is whole or not there`() throws {
        let file = try OutputFile(path)
        try file.write(Array("half".utf8))
        #expect(!FileManager.default.fileExists(atPath: path))
        try file.write(Array(" and half".utf8))
        try file.commit()
        #expect(try folder.text("out") == "half and half")
        #expect(folder.names == ["out"], "nothing else is left")
    }

    @Test func `that is given up leaves nothing, and what was there before`() throws {
        try folder.write("before", to: "out")
        do {
            let file = try OutputFile(path, existing: .isReplaced)
            try file.write(Array("half".utf8))
        }
        #expect(try folder.text("out") == "before")
        #expect(folder.names == ["out"])
    }

    @Test func `is for its owner alone, whatever the umask says`() throws {
        let old = umask(0)
        defer { umask(old) }
        try OutputFile.write("a", to: path)
        #expect(try folder.mode(of: "out") == 0o600)
        try OutputFile.write("a", to: folder.path("certificate"), mode: .readableByAll)
        #expect(try folder.mode(of: "certificate") == 0o644)
    }

    @Test func `takes the place of another only where it is told so`() throws {
        try folder.write("by hand", to: "out")
        #expect(code { try OutputFile.write("new", to: path) } == "E_FILE_EXISTS")
        #expect(try folder.text("out") == "by hand")
        try OutputFile.write("new", to: path, existing: .isReplaced)
        #expect(try folder.text("out") == "new")
    }

    @Test func `does not replace a file that appears while it is written`() throws {
        let file = try OutputFile(path)
        try file.write(Array("late".utf8))
        try folder.write("first", to: "out")
        #expect(code { try file.commit() } == "E_FILE_EXISTS")
        #expect(try folder.text("out") == "first")
    }

    @Test(arguments: [("", true), ("row,line\n1,2\n", true), ("row", false), ("my data", false)])
    func `of one kind takes the place of its own kind and of nothing`(found: String, gives: Bool) throws {
        try folder.write(found, to: "out")
        let refusal = code { try OutputFile.write("new", to: path, existing: .isReplacedIf(beginning: "row,line\n")) }
        #expect(refusal == (gives ? nil : "E_FILE_EXISTS"))
        #expect(try folder.text("out") == (gives ? "new" : found))
    }

    @Test func `behind a symbolic link is written where the link points, and the link stays`() throws {
        try folder.write("old", to: "target")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "target")
        #expect(code { try OutputFile.write("new", to: path) } == "E_FILE_EXISTS")
        try OutputFile.write("new", to: path, existing: .isReplaced)
        #expect(try folder.text("target") == "new")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "target")
    }

    @Test func `is refused where a symbolic link points at nothing, and in place of a directory`() throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
        for existing in [OutputFile.Existing.isKept, .isReplaced] {
            #expect(code { try OutputFile.write("new", to: path, existing: existing) } == "E_FILE_WRITE")
            #expect(code { try OutputFile.write("new", to: folder.path("."), existing: existing) } == "E_FILE_WRITE")
        }
        #expect(folder.names == ["out"])
    }

    @Test(arguments: [OutputFile.Existing.isKept, .isReplaced])
    func `writes to a pipe and leaves it a pipe`(existing: OutputFile.Existing) throws {
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try OutputFile.write("through", to: path, existing: existing)
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(reader, &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "through")
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect(folder.names == ["out"])
    }

    @Test func `behind the number of an open file goes on where that file stands`() throws {
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        try #require(write(descriptor, "first ", 6) == 6)
        try OutputFile.write("second", to: "/dev/fd/\(descriptor)")
        #expect(try folder.text("out") == "first second")
    }

    @Test func `in a folder that is not there is refused with a code`() {
        #expect(code { try OutputFile.write("a", to: folder.path("no/such/file")) } == "E_FILE_WRITE")
    }
}

@Suite struct `Private folders` {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `are made for their owner alone, and an empty one that is there is closed`() throws {
        try PrivateFiles.makeFolder(folder.path("new"))
        #expect(try folder.mode(of: "new") == 0o700)
        try #require(mkdir(folder.path("there"), 0o755) == 0 && chmod(folder.path("there"), 0o755) == 0)
        try PrivateFiles.makeFolder(folder.path("there"))
        #expect(try folder.mode(of: "there") == 0o700)
    }

    @Test func `that hold something are left as they are, and named`() throws {
        try #require(mkdir(folder.path("shared"), 0o755) == 0 && chmod(folder.path("shared"), 0o755) == 0)
        try folder.write("", to: "shared/other")
        try PrivateFiles.makeFolder(folder.path("shared"))
        #expect(try folder.mode(of: "shared") == 0o755)
        #expect(PrivateFiles.openness(of: folder.path("shared"))?.code == "E_READABLE_BY_OTHERS")
        #expect(PrivateFiles.close(folder.path("shared")))
        #expect(PrivateFiles.openness(of: folder.path("shared")) == nil)
    }
}

/// The code of what `body` throws.
private func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? FederationError)?.code
    }
}

/// A folder that goes away with its owner.
private final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: url.appending(path: name)) }

    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: url.appending(path: name)), as: UTF8.self)
    }

    func mode(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
        return try #require(attributes[.posixPermissions] as? Int)
    }
}
