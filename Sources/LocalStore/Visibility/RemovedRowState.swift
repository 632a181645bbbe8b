/// What receivers may still be sent of a removed record of this node (`removed_row.state`).
enum RemovedRowState: Int64 {
    /// It is a tombstone, sent like any other.
    case tombstone = 0
    /// It was recalled, so the scope log lets receivers know that it is gone; also when it was deleted since, because the
    /// recall's order must not get ahead of that.
    case withdrawn = 1
    /// It was written while its ticket was recalled, so no receiver has ever heard of it, nor of its key.
    case neverSent = 2
}
