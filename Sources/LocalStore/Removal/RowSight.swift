/// What of a removed record of this node receivers may still be told (`removed_row.sight`).
enum RowSight: Int64 {
    /// It is a tombstone, told like any other.
    case tombstone = 0
    /// It was recalled, so the scope log tells receivers that it is gone; also when it was deleted since, because the
    /// recall's order must not get ahead of that.
    case withdrawn = 1
    /// It was written while its ticket was recalled, so no receiver has ever heard of it, nor of its key.
    case neverSeen = 2
}
