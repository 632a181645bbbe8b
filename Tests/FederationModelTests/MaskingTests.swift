import FederationModel
import Testing

@Suite struct `The masking of personal data` {
    @Test(arguments: [
        (Masking.name, "张三", "张*"), (.name, "张三丰", "张**"), (.name, "阿卜杜拉·买买提", "阿**"), (.name, "张", "*"),
        (.phone, "13812348000", "138****8000"), (.phone, "0531-12343456", "0531-****3456"),
        (.phone, "12343456", "****3456"), (.phone, "110", "****"), (.phone, "+8613812348000", "+86****8000"),
        (.identity, "370102199001010016", "370***********0016"), (.identity, "123", "***"),
        (.address, "济南市历下区解放路街道泉城路1号", "济南市历下区解放路街道***"), (.address, "章丘区刁镇某村", "章丘区刁镇***"),
        (.address, "历下区阳光小区3号", "历下区***"), (.address, "阳光小区3号", "***"),
    ])
    func `has the formats of the domain model`(kind: Masking, plain: String, masked: String) {
        #expect(kind.mask(plain) == masked)
    }

    @Test(arguments: [
        ("请回电13812348000谢谢", "请回电138****8000谢谢"), ("电话 138 1234 8000。", "电话 138******8000。"),
        ("座机0531-88881234", "座机053******1234"), ("身份证370102199001010016", "身份证370***********0016"),
        ("身份证37010219900101001X", "身份证370***********001X"), ("邮箱zhangsan@qq.com", "邮箱z*******@qq.com"),
        ("姓名:张三丰,求助", "姓名:张**,求助"), ("我叫李四", "我叫李*"),
        ("2025-09-30 10:02 反映 350 元", "2025-09-30 10:02 反映 350 元"), ("13812348000", "138****8000"),
        ("全角１３８１２３４８０００", "全角１３８****８０００"),
    ])
    func `finds what tells who somebody is in a text`(plain: String, masked: String) {
        #expect(Masking.freeText.mask(plain) == masked)
    }

    /// Nobody is recognised by another way of writing the same: width, style and alphabet of the digits, what stands between
    /// them, what can't be seen.
    @Test(arguments: [
        "座机(0531)86010000", "座机0531—86010000", "座机０５３１－８６０１００００", "(010)6512-3456", "021 6512 3456", "+86-531-86010000",
        "138.0000.0000", "138－0000－0000", "138  0000  0000", "138/0000/0000", "138，0000，0000", "138*0000*0000",
        "138_0000_0000",
        "138\n0000\n0000", "138----0000----0000", "1380000 0000", "13 800 000 000", "1 3 8 0 0 0 0 0 0 0 0",
        "138·0000·0000",
        "+86 138 0000 0000", "(+86)13800000000", "8613800000000", "008613800000000", "138\u{200b}0000\u{200b}0000",
        "138\u{ad}0000\u{feff}0000", "1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣0️⃣", "𝟏𝟑𝟖𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟎", "①③⑧⓪⓪⓪⓪⓪⓪⓪⓪", "一三八零零零零零零零零",
        "幺三八〇〇〇〇〇〇〇〇", "138零零零零0000", "138OOOO0000", "l38oooo0000", "手机13800000000/13900000000",
    ])
    func `finds a telephone number however it is written`(text: String) {
        let masked = Masking.freeText.mask(text)
        #expect(masked != text && masked.contains("****"), "\(masked)")
    }

    @Test(arguments: [
        ("身份证370102 19900101 0016", "身份证370*************0016"), ("370102-1990-0101-001x", "370**************001x"),
        ("37010219900101001ｘ", "370***********001ｘ"), ("３７０１０２１９９００１０１００１Ｘ", "３７０***********００１Ｘ"),
        ("370102 1990 0101 001 X", "370**************001 X"), ("37010219900101001×", "370***********001×"),
        ("370102900101001", "370********1001"), ("6222 0202 0000 1234 567", "622***************4 567"),
        ("6222-0202-0000-1234", "622************1234"), ("护照E12345678", "护照E******78"), ("E 1234 5678", "E *******78"),
        ("鲁A12345", "鲁A*****"), ("鲁A·12345", "鲁A·*****"), ("鲁 a d12345", "鲁 a ******"), ("鲁Ａ１２３４５", "鲁Ａ*****"),
        ("座机86010000", "座机****0000"), ("电话：8601-0000", "电话：*****0000"),
        ("邮箱abc＠example.invalid", "邮箱***＠example.invalid"),
        ("abcd(at)example.invalid", "a***(at)example.invalid"), ("abcd#example.invalid", "a***#example.invalid"),
        ("张三@example.invalid", "**@example.invalid"), ("微信号 abc_12345", "微信号 a********"),
        ("QQ：12345678", "QQ：1*******"),
        ("加vx:zhangsan88", "加vx:z*********"),
    ])
    func `finds other numbers and addresses however they are written`(plain: String, masked: String) {
        #expect(Masking.freeText.mask(plain) == masked)
    }

    @Test(arguments: [
        ("张三丰先生反映", "张**先生反映"), ("王小明女士", "王**女士"), ("市民张三反映噪音", "市民张*反映噪音"), ("本人王小明,住在", "本人王**,住在"),
        ("姓名 张 三", "姓名 张 *"), ("姓名：Zhang San", "姓名：Z**** ***"), ("姓名：阿卜杜拉·买买提", "姓名：阿***·***"),
        ("我叫欧阳娜娜", "我叫欧阳**"), ("民警刘强同志", "民警刘*同志"), ("3号楼2单元501室漏水", "3号楼2单元***室漏水"),
        ("住址：历下区泉城路12号3单元501室", "住址：历下区泉城路**号*单元***室"),
        ("家住阳光小区三号楼二单元五〇一室", "家住阳光小区*号楼*单元***室"),
    ])
    func `finds names and homes beside a word that announces them`(plain: String, masked: String) {
        #expect(Masking.freeText.mask(plain) == masked)
    }

    @Test(arguments: [
        "2025-09-30 13:30:00至2025-10-01 14:00", "二〇二五年九月三十日", "来电反映20250930停电", "13、14、15、16、17、18号楼",
        "1,2,3,4,5,6,7,8,9,10,11号楼", "补偿1234567元", "坐标36.651234, 117.120987", "济南市市中区八一立交桥", "12345热线", "李女士来电",
        "高新区居民", "业主周末反映", "3号楼东侧", "咨询公积金3500元 13号",
    ])
    func `leaves what tells of nobody`(text: String) { #expect(Masking.freeText.mask(text) == text) }

    @Test(arguments: [
        (Masking.phone, "13812348000、张三", "138****8000"), (.phone, "１３８１２３４８０００", "138****8000"),
        (.phone, "138 1234 8000", "138****8000"), (.phone, "(0531)86010000", "0531-****0000"),
        (.phone, "01065123456", "010-****3456"),
        (.phone, "张三", "****"), (.identity, "张三370102199001010016", "370***********0016"),
        (.identity, "E12345678", "E******78"),
        (.identity, "３７０１０２１９９００１０１００１ｘ", "370***********001X"), (.identity, "张三", "*"), (.name, " 张三", "张*"),
        (.name, "\u{200b}张三", "张*"), (.address, "泉城路1号3单元501室市民中心", "***"), (.address, "13800000000历下区解放路街道", "***"),
        (.address, "济南市，历下区，解放路街道2号", "济南市历下区解放路街道***"), (.address, "历下区解放路街\u{200b}道泉城路", "历下区解放路街道***"),
        (.address, "张三,历下区解放路街道", "***"),
    ])
    func `keeps nothing of a column but its own kind of value`(kind: Masking, plain: String, masked: String) {
        #expect(kind.mask(plain) == masked)
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `of what is masked changes nothing and never grows past the column`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let pieces = [
            "1", "3", "8", "0", "13812348000", "0531", "-", " ", "@", "qq.com", "张", "三", "叫", "我叫", "姓名", ":", "*",
            "X",
            "镇", "街道", "区", "小区", "市", "a", "370102199001010016", "７", "先生", "室", "鲁", "A", "12345", "电话", "86010000",
            "微信", "地址", "号", "楼", "·", "王", "一", "(", ")", "、", "市民", "的", "O", "l", "86", "\u{200b}", "(at)", "#",
        ]
        let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            pieces.randomElement(using: &random) ?? ""
        }.joined()
        for kind in Masking.allCases {
            let masked = kind.mask(text)
            #expect(kind.mask(masked) == masked, "\(kind) of \(text)")
            #expect(masked.utf8.count <= text.utf8.count + 5)
        }
    }
}
