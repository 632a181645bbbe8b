import FederationModel
import Foundation

/// The streams of a compound file ([MS-CFB]), the container of Excel's workbooks until 2003.
///
/// Every place in it comes from the file, so none is believed: chains are followed for as many sectors as there are, and
/// what lies beyond the end is missing.
struct CompoundFile {
    private let bytes: [UInt8]
    private let sectorSize: Int
    private var table: [UInt32] = []
    private var miniTable: [UInt32] = []
    private var miniStream: [UInt8] = []
    private var entries: [(name: String, start: UInt32, size: Int)] = []

    private static let miniSectorSize = 64
    /// Streams shorter than this lie in the mini stream.
    private static let miniStreamMax = 4_096

    /// - Returns: nil when its header or its directory is damaged.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.count >= 512, case let shift = bytes.u16(30), shift == 9 || shift == 12 else { return nil }
        sectorSize = 1 << shift
        let sectors = bytes.count / sectorSize + 1
        // The sectors of the allocation table: 109 in the header, the others in a chain of lists.
        var parts = (0..<109).map { bytes.u32(76 + $0 * 4) }
        var next = bytes.u32(68)
        var steps = 0
        while let place = offset(of: next), steps < sectors {
            let last = sectorSize / 4 - 1
            parts += (0..<last).map { bytes.u32(place + $0 * 4) }
            next = bytes.u32(place + last * 4)
            steps += 1
        }
        for part in parts.prefix(sectors) {
            guard let place = offset(of: part) else { continue }
            table += (0..<sectorSize / 4).map { bytes.u32(place + $0 * 4) }
        }
        let directory = chain(from: bytes.u32(48), in: table).bytes
        guard directory.count >= 128 else { return nil }
        for place in stride(from: 0, through: directory.count - 128, by: 128) {
            let length = min(Int(directory.u16(place + 64)), 64)
            let units = stride(from: 0, to: max(0, length - 2), by: 2).map { directory.u16(place + $0) }
            entries.append(
                (String(decoding: units, as: UTF16.self), directory.u32(place + 116), Int(directory.u32(place + 120))))
        }
        guard let root = entries.first else { return nil }
        miniStream = chain(from: root.start, in: table).bytes
        let miniBytes = chain(from: bytes.u32(60), in: table).bytes
        miniTable = stride(from: 0, to: miniBytes.count - 3, by: 4).map { miniBytes.u32($0) }
    }

    /// Whether its table has sectors in use that lie beyond its end.
    var isCut: Bool {
        let last = table.lastIndex { $0 != 0xFFFF_FFFF } ?? -1
        return (last + 2) * sectorSize > bytes.count
    }

    /// The bytes of a stream, as far as they are there; nil when there is no such stream.
    func stream(_ name: String) -> [UInt8]? {
        guard let entry = entries.first(where: { $0.name == name }) else { return nil }
        guard entry.size < Self.miniStreamMax else {
            return Array(chain(from: entry.start, in: table).bytes.prefix(entry.size))
        }
        var stream: [UInt8] = []
        var next = Int(entry.start)
        while stream.count < entry.size, next < miniTable.count, (next + 1) * Self.miniSectorSize <= miniStream.count {
            stream += miniStream[next * Self.miniSectorSize..<(next + 1) * Self.miniSectorSize]
            next = Int(miniTable[next])
        }
        return Array(stream.prefix(entry.size))
    }

    /// Where a sector lies; nil beyond the end, and for the marks that end chains.
    private func offset(of sector: UInt32) -> Int? {
        let place = (Int(sector) + 1) * sectorSize
        return sector < 0xFFFF_FFFA && place + sectorSize <= bytes.count ? place : nil
    }

    private func chain(from start: UInt32, in table: [UInt32]) -> (bytes: [UInt8], sectors: Int) {
        var stream: [UInt8] = []
        var next = start
        var sectors = 0
        while let place = offset(of: next), sectors <= bytes.count / sectorSize {
            stream += bytes[place..<place + sectorSize]
            sectors += 1
            guard Int(next) < table.count else { break }
            next = table[Int(next)]
        }
        return (stream, sectors)
    }
}

/// Numbers in the order of bytes that these files have, the least first; 0 beyond the end.
extension RandomAccessCollection<UInt8> where Index == Int {
    func u16(_ offset: Int) -> UInt16 {
        let place = startIndex + offset
        return place >= startIndex && place + 2 <= endIndex ? UInt16(self[place]) | UInt16(self[place + 1]) << 8 : 0
    }

    func u32(_ offset: Int) -> UInt32 { UInt32(u16(offset)) | UInt32(u16(offset + 2)) << 16 }

    func double(_ offset: Int) -> Double { Double(bitPattern: UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32) }
}
