/// A word beside which something is hidden.
struct Cue {
    enum Kind {
        /// Before a name, whatever it is.
        case name
        /// Before a name that begins with a usual family name.
        case person
        /// Behind a name that begins with a usual family name.
        case title
        /// Before a telephone number of seven digits and more.
        case telephone
        /// Before an account of letters or digits.
        case account
        /// Before an address.
        case home
        /// Behind the number of a room.
        case room
        /// The province of a number plate.
        case plate
    }

    let word: [Unicode.Scalar]
    let kind: Kind

    private static let words: [(Kind, String)] = [
        (.name, "姓名 名字 我叫 他叫 她叫 名叫 叫做 户名 联系人 收件人 化名"),
        (
            .person,
            "本人 我是 市民 业主 居民 村民 住户 租户 户主 店主 患者 病人 学生 家长 叫 职工 员工 司机 车主 自称 "
                + "投诉人 举报人 来电人 反映人 当事人 申请人 负责人 法人 老板 经办人 承办人"
        ),
        (.title, "先生 女士 小姐 师傅 老师 医生 大夫 同志 阿姨 大爷 大妈 奶奶 爷爷 主任 经理 局长 科长 书记 队长 警官 校长 园长"),
        (.telephone, "电话 手机 座机 固话 致电 拨打 传真 号码 来电 回电 热线 联系方式 联系 ＴＥＬ ＰＨＯＮＥ"),
        (.account, "微信 微信号 威信 薇信 v信 扣扣 QQ VX WX 账号 帐号 支付宝 抖音号"),
        (.home, "家住 住址 地址 住在 现住 居住 户籍 租住"),
        (.room, "室 户 房间 房"),
        (.plate, "京 津 冀 晋 蒙 辽 吉 黑 沪 苏 浙 皖 闽 赣 鲁 豫 鄂 湘 粤 桂 琼 渝 川 贵 云 藏 陕 甘 青 宁 新 使 领"),
    ]

    /// By the first scalar, longer words first.
    static let all: [Unicode.Scalar: [Cue]] = {
        var all: [Unicode.Scalar: [Cue]] = [:]
        for (kind, list) in words {
            for word in list.split(separator: " ") {
                let plain = word.unicodeScalars.map { PlainScalar.plain($0).1 }
                if let first = plain.first { all[first, default: []].append(Cue(word: plain, kind: kind)) }
            }
        }
        return all.mapValues { $0.sorted { $0.word.count > $1.word.count } }
    }()

    /// Whether a cue begins with the scalar of `entry`, and what is beside it can be something to hide. For a text in which
    /// nothing is invisible.
    static func mayHide(
        _ entry: UInt32, before rest: String.UnicodeScalarView.Iterator, behind last: PlainScalar.Kind,
        _ table: [UInt32]
    ) -> Bool {
        guard let first = Unicode.Scalar(entry & 0x1f_ffff), let cues = all[first] else { return false }
        return cues.contains { cue in
            if cue.kind == .room, last != .digit { return false }
            var rest = rest
            for scalar in cue.word.dropFirst() {
                guard let next = rest.next(), PlainScalar.entry(next, table) & 0x1f_ffff == scalar.value else {
                    return false
                }
            }
            guard cue.kind == .plate else { return true }
            let next = rest.next().map { PlainScalar.kind(PlainScalar.entry($0, table)) }
            return next == .letter || next == .separator
        }
    }

    /// The usual family names: nine of ten people have one.
    static let families = Set(
        ("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊"
            + "秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚"
            + "符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁蓝骆路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简项连芦麦褚娄窦戚岑景党宫费卜"
            + "冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝").unicodeScalars)

    static let doubleFamilies = [
        "欧阳", "司马", "上官", "诸葛", "夏侯", "司徒", "皇甫", "东方", "尉迟", "公孙", "慕容", "令狐", "长孙", "宇文", "轩辕",
    ]
    .map { Array($0.unicodeScalars) }

    /// Words that begin like a name and are none.
    static let noNames = [
        "高新", "高速", "高层", "高中", "高峰", "金融", "常住", "任何", "方便", "关于", "安置", "江北", "万达", "农民", "和平", "成立", "全体", "全家",
        "明天", "文化", "武汉",
        "安全", "时间", "管理", "华为", "成都", "温州", "康复", "路口", "路边", "连续", "应该", "应急", "解决", "师生", "房屋", "房子", "单位", "单元",
        "车位", "车辆", "古城", "向您", "向你",
        "明确", "易地", "商户", "商铺", "小区", "东方", "白天", "包括", "许多", "何时", "余额", "石油", "钱款", "马上", "马路", "项目", "游客", "同意",
        "王府", "张贴", "周边", "周围", "周末", "周一",
        "周二", "周三", "周四", "周五", "周六", "周日", "沈阳", "郑州", "徐州", "苏州", "杭州", "广州", "温馨", "宋代", "黄色", "白色", "黄金", "田地",
        "林业", "林地", "水管", "雷雨",
    ].map { Array($0.unicodeScalars) }

    /// What follows a name of two characters more often than it is part of one.
    static let noGivenName = Set("反诉投称说住要在的电咨表认因是请被已未从到不打手身你您我他她它们就也都很".unicodeScalars)
}

extension FreeText {
    mutating func hideMailboxes() {
        for index in plain.indices where plain[index].kind == .at || plain[index].beginsAt && isWrittenAt(index) {
            var end = index - 1
            while end >= 0, plain[end].kind == .separator, index - end <= 2, plain[end].scalar.properties.isWhitespace {
                end -= 1
            }
            var start = end
            while start >= 0, isMailbox(plain[start]) { start -= 1 }
            start += 1
            if start <= end {
                hide(end - start >= 3 ? start + 1 : start, through: end)
            } else if kind(index + 1) == .letter || kind(index + 1) == .digit {
                // A mailbox in Chinese.
                start = end
                while start >= 0, end - start < 4, isLetterOfName(start) { start -= 1 }
                hide(start + 1, through: end)
            }
        }
    }

    private func isMailbox(_ scalar: PlainScalar) -> Bool {
        scalar.kind == .letter || scalar.kind == .digit && !scalar.isIdeographic
            || "._+-＿．－＋".unicodeScalars.contains(scalar.scalar)
    }

    /// `(at)`, or `#` before a host.
    private func isWrittenAt(_ index: Int) -> Bool {
        if "#＃".unicodeScalars.contains(plain[index].scalar) {
            var next = index + 1
            while kind(next) == .letter || kind(next) == .digit { next += 1 }
            return next > index + 1 && kind(next) == .separator && ".．。".unicodeScalars.contains(plain[next].scalar)
                && kind(next + 1) == .letter
        }
        return has(Self.at, at: index + 1) && kind(index + 3) != .letter
    }

    private static let at: [Unicode.Scalar] = ["A", "T"]

    mutating func hideBesideWords() {
        var index = 0
        while index < plain.count {
            guard plain[index].beginsCue,
                let cue = Cue.all[plain[index].scalar]?.first(where: { has($0.word, at: index) })
            else {
                index += 1
                continue
            }
            let next = index + cue.word.count
            switch cue.kind {
            case .name: hideName(from: next, isAny: true)
            case .person: hideName(from: next, isAny: false)
            case .title: hideName(before: index)
            case .telephone: hideTelephone(from: next)
            case .account: hideAccount(from: next)
            case .home: hideHouses(from: next)
            case .room: hideRoom(before: index)
            case .plate: hidePlate(from: next)
            }
            index += 1
        }
    }

    // MARK: - Names

    private func isFamily(_ index: Int) -> Int? {
        if Cue.doubleFamilies.contains(where: { has($0, at: index) }) { return 2 }
        guard kind(index) == .ideograph, Cue.families.contains(plain[index].scalar) else { return nil }
        return Cue.noNames.contains { has($0, at: index) } ? nil : 1
    }

    private func isTitle(_ index: Int) -> Bool {
        guard plain.indices.contains(index) else { return false }
        return Cue.all[plain[index].scalar]?.contains { $0.kind == .title && has($0.word, at: index) } == true
    }

    /// Leaves the first character of a name.
    private mutating func hideName(from cue: Int, isAny: Bool) {
        var start = cue
        while start - cue < 5,
            kind(start) == .separator || kind(start) == .comma && isAny || isJoint(start)
        {
            start += 1
        }
        let kind = kind(start)
        if kind == .end { return }
        if isAny, kind == .letter { return hideLatinName(from: start) }
        // A digit of Chinese can begin a name as well: 万, 伍, 陆.
        guard kind == .ideograph || isAny && plain[start].isIdeographic,
            let length = isAny ? isFamily(start) ?? 1 : isFamily(start)
        else { return }
        hideGivenName(from: start + length)
    }

    private mutating func hideGivenName(from start: Int) {
        var (hidden, index) = (0, start)
        while index < plain.count {
            if plain[index].kind == .separator, index + 1 < plain.count, isLetterOfName(index + 1),
                hidden == 0 || "·•・‧.．".unicodeScalars.contains(plain[index].scalar)
            {
                // 张 三, and the second part of 阿卜杜拉·买买提.
                if hidden > 0 { hidden = -Self.partMax }
                index += 1
                continue
            }
            guard isLetterOfName(index), hidden < 2, !isTitle(index) else { break }
            if hidden == 1, Cue.noGivenName.contains(plain[index].scalar), !hasDot(behind: index) { break }
            hide(index, through: index)
            hidden += 1
            if hidden == 2, hasDot(behind: index) { hidden = -Self.partMax }
            index += 1
        }
    }

    /// Characters of one part of a name that is written with dots.
    private static let partMax = 6

    private func isLetterOfName(_ index: Int) -> Bool {
        plain.indices.contains(index) && plain[index].isIdeographic
    }

    /// Whether a dot in a name follows within a few characters.
    private func hasDot(behind index: Int) -> Bool {
        var next = index + 1
        while next - index <= Self.partMax, isLetterOfName(next) { next += 1 }
        return kind(next) == .separator && "·•・‧".unicodeScalars.contains(plain[next].scalar)
            && isLetterOfName(next + 1)
    }

    private mutating func hideLatinName(from start: Int) {
        var index = start + 1
        var words = 1
        while index < plain.count {
            if plain[index].kind == .letter {
                hide(index, through: index)
            } else if plain[index].kind == .separator, kind(index + 1) == .letter, words < 4 {
                words += 1
            } else {
                break
            }
            index += 1
        }
    }

    private mutating func hideName(before title: Int) {
        for length in [3, 4, 2] where title >= length {
            let start = title - length
            guard (start..<title).allSatisfy(isLetterOfName), let family = isFamily(start), family < length,
                length < 4 || family == 2
            else { continue }
            return hide(start + family, through: title - 1)
        }
    }

    // MARK: - Numbers beside a word

    /// The first digit or letter behind a word, before its sentence ends.
    private func number(from cue: Int, within places: Int) -> Int? {
        var index = cue
        while index - cue <= places {
            let kind = kind(index)
            if kind == .star || kind == .end || isSentenceEnd(index) { return nil }
            if kind == .digit, !plain[index].isIdeographic || self.kind(index + 1) == .digit { return index }
            if kind == .letter { return index }
            index += 1
        }
        return nil
    }

    private mutating func hideTelephone(from cue: Int) {
        guard let start = number(from: cue, within: 8), plain[start].kind == .digit else { return }
        var digits: [Int] = []
        var index = start
        while true {
            if kind(index) == .digit {
                digits.append(index)
            } else if kind(index) != .separator || kind(index + 1) != .digit && kind(index + 2) != .digit {
                break
            }
            index += 1
        }
        guard (7...10).contains(digits.count) else { return }
        if kind(index) == .ideograph, "元万块吨米平年".unicodeScalars.contains(plain[index].scalar) { return }
        let year = digits.prefix(4).reduce(0) { $0 * 10 + Int(plain[$1].scalar.value - 0x30) }
        // A day, unless it stands where only a number can stand.
        if (1900...2099).contains(year), start - cue > 1 || digits[4] - digits[3] > 1 { return }
        hide(digits: digits, first: 0, last: 4)
    }

    private mutating func hideAccount(from cue: Int) {
        guard let start = number(from: cue, within: 6) else { return }
        var end = start
        while kind(end) == .letter || kind(end) == .digit || kind(end) == .separator && isWithinAccount(end) {
            end += 1
        }
        if end - start >= 5 { hide(start + 1, through: end - 1) }
    }

    private func isWithinAccount(_ index: Int) -> Bool {
        switch plain[index].scalar {
        case "_", "-", ".", "＿", "－": true
        default: kind(index - 1) == .digit && kind(index + 1) == .digit
        }
    }

    private func isSentenceEnd(_ index: Int) -> Bool {
        guard index < plain.count else { return false }
        return switch plain[index].scalar {
        case "。", "！", "？", "!", "?", "\n", ";", "；": true
        default: false
        }
    }

    /// What may stand between a word and the name that it announces.
    private func isJoint(_ index: Int) -> Bool {
        guard index < plain.count else { return false }
        return switch plain[index].scalar {
        case "是", "为", "叫", "做", "系", "=": true
        default: false
        }
    }

    // MARK: - Where somebody lives

    private static let houseWords = Set("号弄巷栋幢楼单室户门座排组房院".unicodeScalars)

    private func isHouseDigit(_ index: Int) -> Bool {
        kind(index) == .digit || plain.indices.contains(index) && "十百".unicodeScalars.contains(plain[index].scalar)
    }

    /// The numbers of houses, stairs and rooms in the rest of a sentence.
    private mutating func hideHouses(from cue: Int) {
        var index = cue
        while index < min(cue + Self.addressMax, plain.count) {
            if isSentenceEnd(index) { return }
            guard isHouseDigit(index) else {
                index += 1
                continue
            }
            var end = index
            while isHouseDigit(end) || kind(end) == .separator && isHouseDigit(end + 1) || kind(end) == .letter {
                end += 1
            }
            while kind(end) == .separator { end += 1 }
            if end < plain.count, Self.houseWords.contains(plain[end].scalar) || end - index >= 5 {
                for digit in index..<end where isHouseDigit(digit) { hide(digit, through: digit) }
            }
            index = max(end, index + 1)
        }
    }

    /// Scalars of the longest address.
    private static let addressMax = 60

    /// A room of three digits and more, or one that stands behind a house or a staircase.
    private mutating func hideRoom(before word: Int) {
        var start = word
        while start > 0, isHouseDigit(start - 1) { start -= 1 }
        guard start < word else { return }
        let isInHouse =
            start > 0
            && ("元楼栋幢座号".unicodeScalars.contains(plain[start - 1].scalar)
                || kind(start - 1) == .separator && isHouseDigit(start - 2))
        if word - start >= 3 || isInHouse { hide(start, through: word - 1) }
    }

    // MARK: - Plates

    /// A letter and five or six letters and digits, at least two of them digits.
    private mutating func hidePlate(from province: Int) {
        func skip(_ index: Int) -> Int { kind(index) == .separator ? index + 1 : index }
        let letter = skip(province)
        guard kind(letter) == .letter else { return }
        var (index, places, digits) = (skip(letter + 1), [Int](), 0)
        while places.count < 7, kind(index) == .letter || kind(index) == .digit && !plain[index].isIdeographic {
            if kind(index) == .digit { digits += 1 }
            places.append(index)
            index = skip(index + 1)
        }
        guard (4...6).contains(places.count), digits >= 2, let first = places.first, let last = places.last else {
            return
        }
        hide(first, through: last)
    }
}
