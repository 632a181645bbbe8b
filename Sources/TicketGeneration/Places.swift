/// Where invented tickets happen: counties with their streets (GB/T 2260 codes and names), roads of the city.
struct County: Sendable {
    let code: String
    let name: String
    let townships: [String]
}

struct City: Sendable {
    let code: String
    let name: String
    let roads: [String]
    let counties: [County]
}

/// What a generator of one region draws from.
struct Places: Sendable {
    let cityName: String
    let roads: [String]
    let counties: [County]

    /// - Parameter region: a city or a county of the table below; any other region stands for itself, with roads and
    ///   townships that every place has.
    init(region: String) {
        if let city = City.all.first(where: { $0.code == region }) {
            (cityName, roads, counties) = (city.name, city.roads, city.counties)
        } else if let city = City.all.first(where: { $0.counties.contains { $0.code == region } }) {
            (cityName, roads) = (city.name, city.roads)
            counties = city.counties.filter { $0.code == region }
        } else {
            (cityName, roads) = ("市", ["人民路", "建设路", "解放路", "文化路", "中山路"])
            counties = [County(code: region, name: "", townships: ["城关街道", "城东街道", "城西街道"])]
        }
    }

    static let communities = [
        "阳光花园", "锦绣家园", "泉景小区", "翠湖新城", "和平新村", "金色港湾", "绿地名苑", "学府花园", "惠民小区", "丽景苑",
        "东方明珠", "祥和家园", "世纪新城", "建设新村", "银座花园", "书香门第", "枫林绿洲", "幸福里小区", "龙泉山庄", "盛世佳苑",
    ]
}

extension City {
    static let all = [
        City(
            code: "370100", name: "济南市",
            roads: ["经十路", "泉城路", "解放东路", "历山路", "山大路", "工业南路", "北园大街", "英雄山路", "旅游路", "纬二路"],
            counties: [
                County("370102", "历下区", "解放路街道 千佛山街道 趵突泉街道 泉城路街道 大明湖街道 姚家街道 龙洞街道"),
                County("370103", "市中区", "大观园街道 杆石桥街道 四里村街道 七里山街道 舜耕街道 七贤街道"),
                County("370104", "槐荫区", "振兴街街道 中大槐树街道 道德街街道 西市场街道 五里沟街道"),
                County("370105", "天桥区", "无影山街道 堤口路街道 北坦街道 药山街道 北园街道 泺口街道"),
                County("370112", "历城区", "洪家楼街道 东风街道 全福街道 华山街道 王舍人街道 唐冶街道"),
                County("370113", "长清区", "文昌街道 崮云湖街道 平安街道 五峰山街道 归德街道"),
                County("370114", "章丘区", "明水街道 双山街道 枣园街道 龙山街道 埠村街道"),
                County("370115", "济阳区", "济阳街道 济北街道 崔寨街道 孙耿街道 回河街道"),
                County("370116", "莱芜区", "凤城街道 张家洼街道 高庄街道 鹏泉街道 口镇街道"),
                County("370117", "钢城区", "艾山街道 里辛街道 汶源街道 颜庄街道 辛庄街道"),
                County("370124", "平阴县", "榆山街道 锦水街道 东阿镇 孝直镇 孔村镇"),
                County("370126", "商河县", "许商街道 殷巷镇 怀仁镇 龙桑寺镇 郑路镇"),
            ]),
        City(
            code: "370200", name: "青岛市",
            roads: ["香港中路", "山东路", "延安三路", "台东三路", "重庆南路", "福州南路", "黑龙江中路", "长江中路", "辽阳东路"],
            counties: [
                County("370202", "市南区", "香港中路街道 八大峡街道 云南路街道 中山路街道 八大关街道"),
                County("370203", "市北区", "辽宁路街道 延安路街道 登州路街道 敦化路街道 台东街道"),
                County("370211", "黄岛区", "黄岛街道 辛安街道 薛家岛街道 灵珠山街道 长江路街道"),
                County("370212", "崂山区", "中韩街道 沙子口街道 王哥庄街道 北宅街道 金家岭街道"),
                County("370213", "李沧区", "振华路街道 沧口街道 兴华路街道 兴城路街道 李村街道"),
                County("370214", "城阳区", "城阳街道 夏庄街道 流亭街道 棘洪滩街道 上马街道"),
                County("370215", "即墨区", "环秀街道 潮海街道 通济街道 北安街道 龙山街道"),
                County("370281", "胶州市", "阜安街道 中云街道 三里河街道 九龙街道 胶东街道"),
                County("370283", "平度市", "东阁街道 李园街道 同和街道 凤台街道 白沙河街道"),
                County("370285", "莱西市", "水集街道 望城街道 沽河街道 姜山镇 夏格庄镇"),
            ]),
        City(
            code: "370300", name: "淄博市",
            roads: ["人民西路", "柳泉路", "金晶大道", "共青团路", "华光路", "昌国路", "西六路", "世纪路"],
            counties: [
                County("370302", "淄川区", "般阳路街道 松龄路街道 钟楼街道 将军路街道 昆仑镇"),
                County("370303", "张店区", "车站街道 公园街道 湖田街道 和平街道 科苑街道"),
                County("370304", "博山区", "城东街道 城西街道 山头街道 域城镇 白塔镇"),
                County("370305", "临淄区", "闻韶街道 雪宫街道 辛店街道 稷下街道 齐陵街道"),
                County("370306", "周村区", "丝绸路街道 大街街道 青年路街道 永安街道 城北路街道"),
                County("370321", "桓台县", "索镇街道 少海街道 起凤镇 田庄镇 荆家镇"),
                County("370322", "高青县", "田镇街道 芦湖街道 青城镇 高城镇 黑里寨镇"),
                County("370323", "沂源县", "历山街道 南麻街道 鲁村镇 东里镇 悦庄镇"),
            ]),
        City(
            code: "370900", name: "泰安市",
            roads: ["东岳大街", "岱宗大街", "泰山大街", "擂鼓石大街", "温泉路", "长城路", "迎春路", "望岳东路"],
            counties: [
                County("370902", "泰山区", "岱庙街道 财源街道 泰前街道 上高街道 徐家楼街道"),
                County("370911", "岱岳区", "粥店街道 天平街道 山口镇 范镇 满庄镇"),
                County("370921", "宁阳县", "文庙街道 八仙桥街道 泗店镇 东疏镇 伏山镇"),
                County("370923", "东平县", "东平街道 州城街道 彭集街道 沙河站镇 老湖镇"),
                County("370982", "新泰市", "青云街道 新汶街道 新甫街道 小协镇 翟镇"),
                County("370983", "肥城市", "新城街道 老城街道 王瓜店街道 仪阳街道 潮泉镇"),
            ]),
    ]
}

extension County {
    fileprivate init(_ code: String, _ name: String, _ townships: String) {
        self.init(code: code, name: name, townships: townships.split(separator: " ").map(String.init))
    }
}
