import FederationModel
import GRDB

extension NodeStore {
    /// Gives out `count` own ticket numbers (工单编号) with adjoining sequences: one for a ticket, a block for an offline seat.
    ///
    /// The sequence is one for the whole node and starts again with each day. It is on disk before this returns, so no number
    /// is ever given twice, also after a kill; what is drawn and not used leaves a gap, which is legal.
    ///
    /// - Parameters:
    ///   - dayNumber: the day in Shanghai; see `ShanghaiTime.dayNumber`.
    ///   - count: 1 or more.
    ///   - channel: the channel that the numbers carry, 2 digits.
    /// - Throws: `E_NUMBERS_EXHAUSTED` when the day has fewer left; `E_NUMBER_INVALID` for a channel or a day that no number
    ///   can carry.
    package func drawTicketNumbers(count: Int, dayNumber: Int64, channel: String) async throws -> [TicketNumber] {
        let region = String(node.code.prefix(6))
        guard TicketNumber(region: region, dayNumber: dayNumber, channel: channel, sequence: 1) != nil else {
            throw FederationError(
                "E_NUMBER_INVALID", "no ticket number can carry that channel and day",
                hint: "a channel has two digits, see `federation-node resource show service_request`")
        }
        return try await writeDurably { db in
            let last =
                try db.cachedStatement(sql: "SELECT last FROM main.ticket_number WHERE day = ?").fetchInteger([
                    dayNumber
                ]) ?? 0
            let left = Int64(TicketNumber.sequences.upperBound) - last
            guard count >= 1, Int64(count) <= left else {
                throw FederationError(
                    "E_NUMBERS_EXHAUSTED",
                    "\(count) ticket numbers were asked for, and node \(self.node) has \(left) left on that day",
                    hint: "ask for fewer, or give the tickets local numbers")
            }
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.ticket_number VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET last = excluded.last
                    """
            ).execute(arguments: [dayNumber, last + Int64(count)])
            return (Int(last) + 1...Int(last) + count).compactMap {
                TicketNumber(region: region, dayNumber: dayNumber, channel: channel, sequence: $0)
            }
        }
    }

    /// Gives back a block that nobody was shown. Once others were drawn after it, it stays a gap.
    package func putBack(ticketNumbers: [TicketNumber], dayNumber: Int64) async throws {
        guard let first = ticketNumbers.first, let last = ticketNumbers.last else { return }
        try await writeDurably { db in
            try db.execute(
                sql: "UPDATE main.ticket_number SET last = ? WHERE day = ? AND last = ?",
                arguments: [first.sequence - 1, dayNumber, last.sequence])
        }
    }
}
