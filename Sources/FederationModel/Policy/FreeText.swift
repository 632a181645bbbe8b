/// Searches a text for what tells who somebody is: telephone and identity numbers, bank cards, passports, plates, e-mail
/// addresses and accounts, rooms, and names beside a word that announces one.
///
/// It reads what a person reads: width, style and alphabet of the digits, what is put between them and what can't be seen make
/// no difference. What it finds in the plain forms it hides in the text. `docs/operating.md` lists what it does not find.
struct FreeText {
    private(set) var text: [Unicode.Scalar]
    /// The text without what can't be seen.
    private(set) var plain: [PlainScalar] = []
    private var hasHidden = false

    /// - Returns: nil when there is nothing to hide.
    static func masked(_ text: String) -> String? {
        let table = PlainScalar.table
        guard isWorthReading(text, table) else { return nil }
        var reading = FreeText(text: Array(text.unicodeScalars))
        var isChanged = false
        // What is left of one number may make another with its neighbour.
        repeat {
            reading.read(table)
            reading.hideNumbers()
            reading.hideMailboxes()
            reading.hideBesideWords()
            isChanged = isChanged || reading.hasHidden
        } while reading.hasHidden
        guard isChanged else { return nil }
        var masked = String.UnicodeScalarView()
        masked.append(contentsOf: reading.text)
        return String(masked)
    }

    /// Whether there is anything at all to look for: found out without an array, because most texts of a row hold nothing of the
    /// kind and a link masks hundreds of thousands a second.
    private static func isWorthReading(_ text: String, _ table: [UInt32]) -> Bool {
        var digits = 0
        var last = PlainScalar.Kind.other
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            let entry = PlainScalar.entry(scalar, table)
            let kind = PlainScalar.kind(entry)
            switch kind {
            case .digit: digits += 1
            case .at, .invisible: return true
            case .letter:
                if entry & PlainScalar.lookAlikeFlag != 0 { digits += 1 }
                // `(at)`
                if last == .separator, scalar == "a" || scalar == "A" { return true }
            case .separator, .comma, .star, .ideograph, .other, .end: break
            }
            if digits == numberMin || scalar == "#" { return true }
            if entry & PlainScalar.cueFlag != 0, Cue.mayHide(entry, before: scalars, behind: last, table) {
                return true
            }
            last = kind
        }
        return false
    }

    /// Digits of the shortest number that is looked for without a word beside it.
    private static let numberMin = 7

    private mutating func read(_ table: [UInt32]) {
        hasHidden = false
        plain.removeAll(keepingCapacity: true)
        plain.reserveCapacity(text.count)
        for (index, scalar) in text.enumerated() {
            let form = PlainScalar(scalar, at: index, table: table)
            if form.kind != .invisible { plain.append(form) }
        }
        readLookAlikes()
    }

    /// O, I and L among many digits are read as digits.
    private mutating func readLookAlikes() {
        var start = 0
        while start < plain.count {
            var end = start
            var (digits, letters) = (0, 0)
            while end < plain.count {
                if plain[end].kind == .digit {
                    digits += 1
                } else if plain[end].looksLikeDigit {
                    letters += 1
                } else {
                    break
                }
                end += 1
            }
            if letters > 0, digits >= 5 {
                for index in start..<end where plain[index].kind == .letter { plain[index].readAsDigit() }
            }
            start = max(end, start + 1)
        }
    }

    /// Hides the scalars of the text from one place of `plain` to another, both included.
    mutating func hide(_ first: Int, through last: Int) {
        guard first <= last else { return }
        for index in plain[first].index...plain[last].index where text[index] != "*" {
            text[index] = "*"
            hasHidden = true
        }
    }

    /// Hides a number but for its first and last digits.
    ///
    /// - Parameter digits: the places of its digits in `plain`.
    mutating func hide(digits: [Int], first: Int, last: Int) {
        guard digits.count > first + last else { return }
        // Also what stands between the digits: a group of its own would tell where it was.
        let from = first == 0 ? plain[digits[0]].index : plain[digits[first - 1]].index + 1
        let upTo = last == 0 ? plain[digits[digits.count - 1]].index : plain[digits[digits.count - last]].index - 1
        for index in from...upTo where text[index] != "*" {
            text[index] = "*"
            hasHidden = true
        }
    }

    func kind(_ index: Int) -> PlainScalar.Kind { index >= 0 && index < plain.count ? plain[index].kind : .end }

    func has(_ word: [Unicode.Scalar], at index: Int) -> Bool {
        index >= 0 && index + word.count <= plain.count
            && word.indices.allSatisfy { plain[index + $0].scalar == word[$0] }
    }
}
