import FederationModel

/// The bytes of a file on their way into a reader, whatever they were packed in.
protocol ByteInput: AnyObject {
    /// Size of the file as it lies on disk.
    var bytesTotal: Int64 { get }
    /// Bytes of the file consumed so far, before decompression.
    var bytesRead: Int64 { get }

    /// - Returns: how many bytes were written into `buffer`, which is not empty; 0 at the end.
    /// - Throws: `E_IMPORT_READ` when the file is damaged or was cut short.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// An input without the mark that it begins with.
final class UnmarkedInput: ByteInput {
    private let base: any ByteInput
    private var mark: [UInt8]

    init(_ base: any ByteInput, mark: [UInt8]) {
        self.base = base
        self.mark = mark
    }

    var bytesTotal: Int64 { base.bytesTotal }
    var bytesRead: Int64 { base.bytesRead }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while !mark.isEmpty {
            var bytes = [UInt8](repeating: 0, count: mark.count)
            let count = try bytes.withUnsafeMutableBytes { try base.read(into: $0) }
            guard count > 0 else { return 0 }
            mark.removeFirst(count)
        }
        return try base.read(into: buffer)
    }
}

extension FederationError {
    /// A file that ends too early or is damaged: `E_IMPORT_READ`. What became of the rows before that, whoever takes them says.
    static func damagedFile(_ message: String) -> FederationError {
        FederationError(
            "E_IMPORT_READ", message,
            hint: "fetch the file again and import it whole; rows that were taken already are not taken twice")
    }
}
