import FederationModel

extension DetectionRule {
    /// The default set of domain model 3.6. Every number in it can be replaced by publishing a rule of the same id.
    static let builtIn: [DetectionRule] = [
        DetectionRule(
            id: "SURGE_HOUR", title: "话务量激增(小时)", method: .surgeHour, kind: .concentrated,
            levels: [.yellow: 1e-3, .orange: 1e-5, .red: 1e-8]),
        DetectionRule(
            id: "SURGE_DAY", title: "诉求量激增(日)", method: .surgeDay, kind: .concentrated,
            levels: [.yellow: 3, .orange: 5, .red: 8]),
        DetectionRule(
            id: "SURGE_SPARSE", title: "诉求量异常(小县)", method: .surgeSparse, kind: .concentrated, levels: [.yellow: 3]),
        DetectionRule(
            id: "TREND_STL", title: "诉求趋势异常", method: .trend, kind: .trend, levels: [.yellow: 4, .orange: 8]),
        DetectionRule(
            id: "REPEAT", title: "反复反映", method: .repeated, kind: .concentrated, levels: [.yellow: 3, .orange: 5]),
        DetectionRule(
            id: "GROUP", title: "群体诉求", method: .group, kind: .concentrated,
            levels: [.yellow: 5, .orange: 10, .red: 30]),
        DetectionRule(
            id: "CLUSTER", title: "相似诉求集中", method: .cluster, kind: .trend,
            levels: [.yellow: 5, .orange: 10, .red: 30]),
        DetectionRule(
            id: "SENSITIVE", title: "敏感诉求", method: .immediate, kind: .sensitive,
            words: [
                WordClass(
                    "极端行为", .red, words: ["跳楼", "自杀", "轻生", "自焚", "同归于尽", "不想活了", "报复社会"],
                    exclusions: ["跳楼价", "跳楼大甩卖", "防自杀"], receivers: ["110"]),
                WordClass(
                    "涉稳维权", .orange, words: ["集体上访", "越级上访", "拉横幅", "堵路", "聚众", "静坐示威"],
                    receivers: ["信访部门"]),
                WordClass("讨薪", .yellow, words: ["讨薪", "欠薪", "拖欠工资", "拖欠农民工工资"], receivers: ["人力资源和社会保障部门"]),
                WordClass(
                    "公共安全", .orange, words: ["爆炸", "持刀", "投毒", "纵火", "绑架"], exclusions: ["爆炸性新闻", "信息爆炸"],
                    receivers: ["110"]),
                WordClass(
                    "食品药品", .yellow, words: ["食物中毒", "假药", "毒奶粉", "地沟油", "过期疫苗"], receivers: ["市场监管部门"]),
                WordClass("校园", .orange, words: ["校园欺凌", "校园霸凌", "体罚学生", "虐童", "猥亵"], receivers: ["教育部门", "110"]),
                WordClass("涉军涉外", .yellow, words: ["退役军人上访", "领事馆", "外籍人员被"], receivers: ["外事部门"]),
            ]),
        DetectionRule(
            id: "EMERGENCY", title: "突发事件", method: .immediate, kind: .emergency,
            words: [
                WordClass(
                    "燃气泄漏", .red, words: ["燃气泄漏", "燃气泄露", "煤气泄漏", "煤气泄露", "天然气泄漏", "天然气泄露", "煤气味", "燃气味"],
                    receivers: ["119", "燃气"]),
                WordClass(
                    "人员伤亡", .red, words: ["有人晕倒", "有人昏迷", "煤气中毒", "一氧化碳中毒", "有人触电", "有人溺水", "有人坠楼"],
                    receivers: ["120"]),
                WordClass(
                    "火灾", .red, words: ["着火", "起火", "失火", "火灾", "明火浓烟"],
                    exclusions: ["火灾保险", "火灾隐患", "预防火灾", "着火点", "一起火锅"], receivers: ["119"]),
                WordClass(
                    "坍塌", .red, words: ["房屋倒塌", "楼房坍塌", "路面塌陷", "桥梁垮塌", "墙体倒塌", "山体滑坡"], receivers: ["119"]),
                WordClass("危险品", .red, words: ["危化品泄漏", "液氨泄漏", "液氯泄漏", "油罐车侧翻"], receivers: ["119"]),
            ]),
        DetectionRule(
            id: "DATA_SILENCE", title: "节点数据中断", method: .silence, kind: .emergency,
            levels: [.yellow: 3, .orange: 12]),
    ]
}
