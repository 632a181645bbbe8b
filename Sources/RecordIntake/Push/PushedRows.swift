import FederationModel

/// How the records of a request's body are written.
package enum PushFormat: Sendable {
    /// `application/json`: an array of objects, or one object.
    case json
    /// `application/x-ndjson`: an object a line.
    case jsonLines
}

/// Finds the records of a body without reading them, so that a bad one is refused by itself and stops no other.
///
/// - Parameter rowsMax: most records of a body.
/// - Returns: where each record lies, in order.
/// - Throws: `E_BODY_INVALID` when the body has no such parts; `E_BATCH_TOO_LARGE`.
package func pushedRows(
    _ body: [UInt8], format: PushFormat, rowsMax: Int
) throws(FederationError) -> [Range<Int>] {
    let start = body.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    let rows =
        switch format {
        case .json: try elements(of: body, from: start, rowsMax: rowsMax)
        case .jsonLines: lines(of: body, from: start, rowsMax: rowsMax)
        }
    guard rows.count <= rowsMax else {
        throw FederationError(
            "E_BATCH_TOO_LARGE", "the body has more than \(rowsMax) records", hint: "send smaller batches")
    }
    return rows
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

/// Stops soon after `rowsMax`.
private func lines(of body: [UInt8], from start: Int, rowsMax: Int) -> [Range<Int>] {
    var rows: [Range<Int>] = []
    var position = start
    while position < body.count, rows.count <= rowsMax {
        let end = body[position...].firstIndex(of: UInt8(ascii: "\n")) ?? body.count
        if !body[position..<end].allSatisfy(isBlank) { rows.append(position..<end) }
        position = end + 1
    }
    return rows
}

private func elements(
    of body: [UInt8], from start: Int, rowsMax: Int
) throws(FederationError) -> [Range<Int>] {
    let malformed = FederationError(
        "E_BODY_INVALID", "the body is not a JSON array of records",
        hint: "send [{…}, {…}], or an object a line as application/x-ndjson")
    var position = body[start...].firstIndex { !isBlank($0) } ?? body.count
    guard position < body.count else { throw malformed }
    guard body[position] == UInt8(ascii: "[") else {
        guard body[position] == UInt8(ascii: "{") else { throw malformed }
        return [position..<body.count]
    }
    var rows: [Range<Int>] = []
    position += 1
    var first = position
    var depth = 0
    while position < body.count {
        switch body[position] {
        case UInt8(ascii: "\""):
            guard let end = endOfString(body, from: position) else { throw malformed }
            position = end
        case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "]") where depth == 0:
            guard body[(position + 1)...].allSatisfy(isBlank) else { throw malformed }
            let isEmpty = body[first..<position].allSatisfy(isBlank)
            if isEmpty && !rows.isEmpty { throw malformed }
            return isEmpty ? rows : rows + [first..<position]
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            depth -= 1
            if depth < 0 { throw malformed }
        case UInt8(ascii: ",") where depth == 0:
            if body[first..<position].allSatisfy(isBlank) { throw malformed }
            rows.append(first..<position)
            if rows.count > rowsMax { return rows }
            first = position + 1
        default: break
        }
        position += 1
    }
    throw malformed
}

/// Where the closing quote of the string that begins at `start` stands.
private func endOfString(_ body: [UInt8], from start: Int) -> Int? {
    var position = start + 1
    while position < body.count {
        switch body[position] {
        case UInt8(ascii: "\""): return position
        case UInt8(ascii: "\\"): position += 2
        default: position += 1
        }
    }
    return nil
}
