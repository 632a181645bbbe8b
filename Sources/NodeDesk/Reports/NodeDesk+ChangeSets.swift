import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import NodeFiles
import NodeIdentity
import Zstandard

import struct FederationModel.Cursor

extension NodeDesk {
    /// The change-set that a first contact with a neighbour would begin with. Nothing is sent, and no cursor moves.
    ///
    /// - Parameter neighbour: its code or the beginning of its name.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NOT_A_NEIGHBOUR`.
    package func firstChangeSet(
        to neighbour: String, rowsMax: Int
    ) async throws -> (header: ChangeSetHeader, bytes: [UInt8]) {
        try await perform(.exportChangeSet) { now in
            let receiver = try node(named: neighbour).id
            guard let policy = standing.outgoing[receiver] else {
                throw FederationError("E_NOT_A_NEIGHBOUR", "\(receiver) is no neighbour of \(id)")
            }
            let start = Cursor(
                epoch: store.epoch, seq: try await store.head(), revision: policy.revision, sweep: policy.sweepStart)
            let prepared = try await store.prepareChangeSet(
                from: start, policy: policy, rowsMax: min(max(1, rowsMax), SyncLimits.rowsMax), evenIfEmpty: true,
                now: now, compressor: ZstandardCompressor())
            guard case .changeSet(let outgoing) = prepared else {
                throw FederationError("E_NOT_A_NEIGHBOUR", "the link to \(receiver) grants nothing")
            }
            return (outgoing.header, outgoing.bytes)
        }
    }

    /// Opens a change-set that lies in a file: checked like any other, but against no policy, and never applied. It needs no node.
    ///
    /// - Parameters:
    ///   - database: where its rows are written as an SQLite database; nil for nowhere.
    ///   - existing: what becomes of a file that is there.
    /// - Throws: `E_FILE_MISSING`, `E_FILE_EXISTS`, and the codes of a change-set that can't be read.
    package static func inspectChangeSet(
        path: String, database: String?, existing: OutputFile.Existing = .isKept
    ) throws -> (header: ChangeSetHeader, blocks: [DecodedBlock], bytes: Int) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FederationError("E_FILE_MISSING", "\(path) can't be read")
        }
        let changeSet = try InspectedChangeSet(bytes: Array(data), resources: BuiltInResources.all)
        if let database { try OutputFile.write(changeSet.database(), to: database, existing: existing) }
        return (changeSet.header, changeSet.blocks, data.count)
    }

    /// What a ferry file says in clear; nil for a file of another kind. Its content can be read by its receiver alone. It needs no node, and
    /// nothing of it is checked.
    ///
    /// - Throws: the codes of `SealedFileReader`.
    package static func inspectFerry(path: String) throws -> (header: SealedFileHeader, bytes: Int64)? {
        guard SealedFileReader.isSealed(path: path) else { return nil }
        let file = try SealedFileReader(path: path)
        return (file.header, file.bytes)
    }
}
