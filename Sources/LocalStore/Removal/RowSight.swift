/// What of a removed record of this node receivers may still be told (`removed_row.sight`).
enum RowSight: Int64 {
    /// It is a tombstone, told like any other.
    case tombstone = 0
    /// It is here, but nowhere else: receivers were told that it is gone.
    case withdrawn = 1
    /// It was written while its ticket was recalled, so no receiver has ever heard of it, nor of its key.
    case neverSeen = 2
}
