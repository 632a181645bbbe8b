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

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `of what is masked changes nothing and never grows past the column`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let pieces = [
            "1", "3", "8", "0", "13812348000", "0531", "-", " ", "@", "qq.com", "张", "三", "叫", "我叫", "姓名", ":", "*",
            "X",
            "镇", "街道", "区", "小区", "市", "a", "370102199001010016", "７",
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
