import CMinizip
import FederationModel

/// The parts of a zip file, unpacked one at a time in constant memory.
final class ZipArchive {
    let name: String
    private let file: unzFile
    /// Packed bytes of the part that is open, and bytes that it has given.
    private var packedBytes: Int64 = 0
    private var givenBytes: Int64 = 0
    private var isOpen = false

    /// - Throws: `E_IMPORT_READ` when it is cut or damaged: a zip file ends with its list of parts.
    init(_ source: SourceBytes) throws {
        guard let file = unzOpen64(source.path) else {
            throw FederationError.damagedFile(
                "\(source.name) is a zip file or workbook that is cut or damaged: its list of parts is missing")
        }
        name = source.name
        self.file = file
    }

    deinit { unzClose(file) }

    /// Names of the parts, at most so many.
    func names(max: Int) -> [String] {
        var names: [String] = []
        var code = unzGoToFirstFile(file)
        while code == UNZ_OK, names.count < max {
            var name = [CChar](repeating: 0, count: 1_024)
            guard unzGetCurrentFileInfo64(file, nil, &name, UInt(name.count - 1), nil, 0, nil, 0) == UNZ_OK else {
                break
            }
            names.append(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            code = unzGoToNextFile(file)
        }
        return names
    }

    /// Opens a part; its name is compared without regard to case, as OPC wants (ECMA-376, part 2).
    ///
    /// - Returns: whether it is there.
    /// - Throws: `E_IMPORT_READ`, also when it is encrypted.
    func open(_ part: String) throws -> Bool {
        close()
        guard unzLocateFile(file, part, 2) == UNZ_OK else { return false }
        var facts = unz_file_info64()
        guard unzGetCurrentFileInfo64(file, &facts, nil, 0, nil, 0, nil, 0) == UNZ_OK, facts.flag & 1 == 0,
            unzOpenCurrentFile(file) == UNZ_OK
        else { throw damaged("has a part that can't be unpacked") }
        packedBytes = Int64(clamping: facts.compressed_size)
        givenBytes = 0
        isOpen = true
        return true
    }

    /// - Returns: how many bytes of the open part were written into `buffer`; 0 at its end.
    /// - Throws: `E_IMPORT_READ` when it is damaged, or unpacks to far more than it should.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = unzReadCurrentFile(file, buffer.baseAddress, UInt32(clamping: buffer.count))
        guard count >= 0 else { throw damaged("is damaged from here on") }
        givenBytes += Int64(count)
        if count == 0 {
            isOpen = false
            guard unzCloseCurrentFile(file) == UNZ_OK else { throw damaged("is damaged: a checksum is wrong") }
        }
        let allowed = max(Int64(WorkbookLimits.partBytes), packedBytes * WorkbookLimits.packingFactor)
        guard givenBytes <= min(allowed, WorkbookLimits.sheetBytes) else {
            throw damaged("unpacks to more than any workbook does")
        }
        return Int(count)
    }

    /// Bytes of the open part that were read, before they were unpacked.
    var packedBytesRead: Int64 { isOpen ? Int64(clamping: unzGetCurrentFileZStreamPos64(file)) : 0 }

    private func close() {
        if isOpen { unzCloseCurrentFile(file) }
        isOpen = false
    }

    func damaged(_ what: String) -> FederationError {
        .damagedFile("\(name) \(what)")
    }
}
