/// A text as it is compared with others: letters, digits and ideographs in their plain form (``PlainScalar``), everything that
/// only separates left out, so that `跳-楼` and `跳 楼` read `跳楼`. Where a sentence ends, a break stays, so that nothing is read across it.
package enum ComparableText {
    /// Stands where a sentence or a clause ends; no plain form is one.
    package static let clauseEnd: Unicode.Scalar = "\n"

    package static func scalars(of text: String) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count / 3)
        let table = PlainScalar.table
        for scalar in text.unicodeScalars {
            if isClauseEnd(scalar) {
                if scalars.last != clauseEnd { scalars.append(clauseEnd) }
                continue
            }
            let plain = PlainScalar(scalar, at: 0, table: table)
            switch plain.kind {
            // A Chinese numeral stays the ideograph that it is: in a text it is more often a part of a word.
            case .digit: scalars.append(plain.isIdeographic ? scalar : plain.scalar)
            case .letter, .ideograph: scalars.append(plain.scalar)
            default: continue
            }
        }
        return scalars
    }

    private static func isClauseEnd(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "。", "！", "？", "；", "，", ",", ";", "!", "?", "\n", "\r": true
        default: false
        }
    }
}
