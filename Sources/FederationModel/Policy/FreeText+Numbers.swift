extension FreeText {
    /// Digits in a row, and what stands between them.
    private struct Run {
        /// Places in `plain`.
        var digits: [Int] = []
        /// How many digits stand before each group.
        var groups: [Int] = []
        /// Whether a comma stands before each group.
        var commas: [Bool] = []

        func end(of group: Int) -> Int { group + 1 < groups.count ? groups[group + 1] : digits.count }
        /// The group that begins with the digit at `position`, which is the end of the one before.
        func group(at position: Int) -> Int? {
            position == digits.count ? groups.count : groups.firstIndex(of: position)
        }
    }

    mutating func hideNumbers() {
        var index = 0
        while index < plain.count {
            guard plain[index].kind == .digit else {
                index += 1
                continue
            }
            let run = run(from: index)
            hideNumbers(of: run)
            index = run.digits[run.digits.count - 1] + 1
        }
    }

    private func run(from start: Int) -> Run {
        var run = Run(digits: [], groups: [0], commas: [false])
        var index = start
        while true {
            while kind(index) == .digit {
                run.digits.append(index)
                index += 1
            }
            var next = index
            var hasComma = false
            while next - index < Self.separatorsMax {
                let kind = kind(next)
                // One star is a separator like others; several hide something.
                guard
                    kind == .separator || kind == .comma
                        || kind == .star && self.kind(next + 1) != .star && self.kind(next - 1) != .star
                else { break }
                hasComma = hasComma || kind == .comma
                next += 1
            }
            guard kind(next) == .digit, next > index else { return run }
            run.groups.append(run.digits.count)
            run.commas.append(hasComma)
            index = next
        }
    }

    /// How many scalars may stand between two parts of one number.
    private static let separatorsMax = 4

    private mutating func hideNumbers(of run: Run) {
        var group = 0
        while group < run.groups.count {
            let start = run.groups[group]
            if let end = identityEnd(run, start) ?? telephoneEnd(run, group) {
                var digits = Array(run.digits[start..<end.position])
                if let check = end.check { digits.append(check) }
                hide(digits: digits, first: 3, last: 4)
                group = run.group(at: end.position) ?? run.groups.count
            } else if let next = dateEnd(run, group) {
                group = next
            } else if let end = passportEnd(run, group) {
                hide(digits: Array(run.digits[start..<end]), first: 0, last: 2)
                group = run.group(at: end) ?? run.groups.count
            } else {
                let next = longEnd(run, group)
                if let next { hide(digits: Array(run.digits[start..<run.end(of: next - 1)]), first: 3, last: 4) }
                group = next ?? group + 1
            }
        }
    }

    private func value(_ run: Run, _ range: Range<Int>) -> Int {
        range.reduce(0) { $0 * 10 + Int(plain[run.digits[$1]].scalar.value - 0x30) }
    }

    private typealias End = (position: Int, check: Int?)

    /// An identity card: 17 digits with a birthday in them and a check character, or the older 15 digits.
    private func identityEnd(_ run: Run, _ start: Int) -> End? {
        let left = run.digits.count - start
        func isDay(_ month: Int) -> Bool {
            (1...12).contains(value(run, month..<month + 2)) && (1...31).contains(value(run, month + 2..<month + 4))
        }
        if left >= 17, (1800...2099).contains(value(run, start + 6..<start + 10)), isDay(start + 10) {
            if left >= 18, run.group(at: start + 18) != nil { return (start + 18, nil) }
            if left == 17 {
                var next = run.digits[start + 16] + 1
                while kind(next) == .separator, next - run.digits[start + 16] <= 2 { next += 1 }
                if kind(next) == .letter, plain[next].scalar == "X" { return (start + 17, next) }
            }
        }
        if left >= 15, isDay(start + 8), run.group(at: start + 15) != nil { return (start + 15, nil) }
        return nil
    }

    /// A mobile or a landline number, with or without the country's code; the whole of the digits in a row.
    private func telephoneEnd(_ run: Run, _ group: Int) -> End? {
        let start = run.groups[group]
        let left = run.digits.count - start
        func begins(_ prefix: String) -> Bool {
            left > prefix.utf8.count
                && prefix.unicodeScalars.enumerated().allSatisfy { plain[run.digits[start + $0]].scalar == $1 }
        }
        for prefix in ["0086", "086", "86", "0", ""] where begins(prefix) {
            let number = start + prefix.utf8.count
            let rest = run.digits.count - number
            if rest >= 11, value(run, number..<number + 1) == 1, value(run, number + 1..<number + 2) >= 3,
                isOne(run, from: start, to: number + 11)
            {
                return (number + 11, nil)
            }
            guard prefix != "", rest >= 9 else { continue }
            // An area code without its 0: 10, 2x or three digits.
            let area = value(run, number..<number + 1) <= 2 ? 2 : 3
            guard value(run, number..<number + 1) > 0 else { continue }
            for length in [area + 8, area + 7] where rest >= length && isOne(run, from: start, to: number + length) {
                return (number + length, nil)
            }
        }
        return nil
    }

    /// Whether digits that begin a group and end one are one number and not the members of a list.
    private func isOne(_ run: Run, from start: Int, to end: Int) -> Bool {
        guard let first = run.groups.firstIndex(of: start), let last = run.group(at: end) else { return false }
        let groups = first..<last
        guard groups.dropFirst().contains(where: { run.commas[$0] }) else { return true }
        let lengths = groups.map { run.end(of: $0) - run.groups[$0] }
        return lengths.allSatisfy { $0 >= 3 } || lengths.allSatisfy { $0 == 1 }
    }

    /// The group behind a day, and the time of it: they are no part of a number.
    private func dateEnd(_ run: Run, _ group: Int) -> Int? {
        func part(_ group: Int, _ lengths: ClosedRange<Int>, _ range: ClosedRange<Int>) -> Bool {
            group < run.groups.count && lengths.contains(run.end(of: group) - run.groups[group])
                && range.contains(value(run, run.groups[group]..<run.end(of: group)))
        }
        guard part(group, 4...4, 1900...2099), part(group + 1, 1...2, 1...12), part(group + 2, 1...2, 1...31) else {
            return nil
        }
        var next = group + 3
        if part(next, 1...2, 0...24), part(next + 1, 2...2, 0...59) {
            next += 2
            if part(next, 2...2, 0...60) { next += 1 }
        }
        return next
    }

    /// A passport or a permit: one or two letters and seven to ten digits.
    private func passportEnd(_ run: Run, _ group: Int) -> Int? {
        guard group == 0 else { return nil }
        var letters = 0
        while kind(run.digits[0] - letters - 1) == .letter { letters += 1 }
        if letters == 0, kind(run.digits[0] - 1) == .separator, kind(run.digits[0] - 2) == .letter,
            kind(run.digits[0] - 3) != .letter
        {
            letters = 1
        }
        guard (1...2).contains(letters) else { return nil }
        var end = group
        while end < run.groups.count, !run.commas[end], run.end(of: end) <= 10 { end += 1 }
        let digits = end == 0 ? 0 : run.end(of: end - 1)
        return (7...10).contains(digits) ? digits : nil
    }

    /// The group behind eleven and more digits, in a row or in groups of three and more. They are never a date, a sum or a
    /// house.
    private func longEnd(_ run: Run, _ group: Int) -> Int? {
        if run.end(of: group) - run.groups[group] >= 11 { return group + 1 }
        var end = group
        while end < run.groups.count, run.end(of: end) - run.groups[end] >= 3, end == group || !run.commas[end] {
            end += 1
        }
        // The last group of a card may be short.
        if end > group + 1, end < run.groups.count, !run.commas[end] { end += 1 }
        return end > group && run.end(of: end - 1) - run.groups[group] >= 11 ? end : nil
    }
}
