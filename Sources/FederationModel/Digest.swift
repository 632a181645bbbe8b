/// FNV-1a, 64 bits: ties a change-set's header to its payload, and tells two texts apart. It guards against accidents; TLS and
/// signatures guard against strangers.
package func fnv1a64(_ bytes: some Sequence<UInt8>) -> UInt64 {
    // Bytes that lie together, as nearly all do, cost no call each.
    bytes.withContiguousStorageIfAvailable { hash(of: $0) } ?? hash(of: bytes)
}

private func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
}
