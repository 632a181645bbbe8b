/// A kind of matter that people bring to the hotline: its category (three levels), who answers for it, and its words.
struct Topic: Sendable {
    enum Unit: Sendable {
        /// A department of the county, such as 历下区城市管理局.
        case county(String)
        /// A department or company of the city, such as 济南市医疗保障局.
        case city(String)
    }

    /// `05.01.02`: one number a level.
    let code: String
    let name: String
    let unit: Unit
    let subject: String
    let details: [String]
    let demand: String
    let measures: [String]
    /// Water, power, gas, heat: short limits.
    var isLivelihood = false
    /// Months in which it occurs; empty for all year.
    var months: Set<Int> = []
}

extension Topic {
    /// Questions that a seat can mostly answer at once.
    static let questions = [
        Topic(
            code: "01.01.01", name: "劳动和社会保障/社会保险/养老保险转移", unit: .city("人力资源和社会保障局"),
            subject: "咨询养老保险关系转移", details: ["从外省回来工作，不清楚需要哪些材料", "想了解转移后缴费年限如何计算"],
            demand: "告知办理流程", measures: ["可通过国家社会保险公共服务平台网上申请，一般十五个工作日内办结"]),
        Topic(
            code: "01.01.02", name: "劳动和社会保障/社会保险/失业金申领", unit: .city("人力资源和社会保障局"),
            subject: "咨询失业保险金申领条件", details: ["上月与单位解除劳动合同", "单位未出具离职证明"],
            demand: "告知申领条件和所需材料", measures: ["参保满一年、非本人意愿中断就业并已登记失业的，可网上申领"]),
        Topic(
            code: "02.01.01", name: "卫生健康/医疗保障/异地就医备案", unit: .city("医疗保障局"), subject: "咨询异地就医备案",
            details: ["父母随子女在外地居住，需要住院", "备案后门诊能否直接结算"], demand: "说明备案方式和报销比例",
            measures: ["可在国家医保服务平台APP备案，备案后持社保卡直接结算"]),
        Topic(
            code: "02.01.02", name: "卫生健康/医疗保障/居民医保缴费", unit: .city("医疗保障局"), subject: "咨询居民医保缴费时间",
            details: ["不清楚今年的缴费标准", "错过集中缴费期，想知道能否补缴"], demand: "告知缴费时间和标准",
            measures: ["集中缴费期至年底，可通过税务公众号或社区代办点缴纳"]),
        Topic(
            code: "03.01.01", name: "城乡建设/住房公积金/提取", unit: .city("住房公积金中心"), subject: "咨询公积金租房提取",
            details: ["在本市无房，租住商品房", "想知道每年可以提取几次"], demand: "说明提取条件和额度",
            measures: ["无房职工可按季度线上提取，额度以当年公告为准"]),
        Topic(
            code: "03.01.02", name: "城乡建设/不动产登记/二手房过户", unit: .city("自然资源和规划局"), subject: "咨询二手房过户手续",
            details: ["房屋尚有贷款未还清", "买卖双方不在同一城市"], demand: "告知是否可以带押过户",
            measures: ["本市已开通带押过户，双方可在不动产登记大厅或线上共同申请"]),
        Topic(
            code: "04.01.01", name: "教育文体/义务教育/入学政策", unit: .county("教育和体育局"), subject: "咨询小学入学政策",
            details: ["户籍与居住地不在同一学区", "进城务工人员随迁子女需要哪些证明"], demand: "告知报名时间和材料",
            measures: ["报名平台七月开放，持居住证明和务工证明按片区登记"], months: [3, 4, 5, 6, 7, 8]),
        Topic(
            code: "05.01.01", name: "交通运输/驾驶人管理/驾驶证换领", unit: .city("公安局交通警察支队"),
            subject: "咨询驾驶证到期换证", details: ["驾驶证将在下月到期，人在外地", "想了解体检在哪里做"], demand: "告知网上换证办法",
            measures: ["可在交管12123提交换证申请，到期前九十日内均可办理"]),
        Topic(
            code: "06.01.01", name: "商贸旅游/市场主体/营业执照办理", unit: .county("行政审批服务局"),
            subject: "咨询个体工商户营业执照办理", details: ["打算开一家小型餐饮店", "经营场所为住宅底商"], demand: "告知办理流程",
            measures: ["可通过爱山东APP全程网办，材料齐全的当日发照"]),
        Topic(
            code: "07.01.01", name: "公安政法/户籍管理/居住证办理", unit: .county("公安分局"), subject: "咨询居住证办理",
            details: ["租住满半年，没有租赁备案", "居住证丢失需要补办"], demand: "告知所需材料",
            measures: ["携带身份证和租赁合同到居住地派出所办理，七个工作日领取"]),
    ]

    /// Matters that somebody must see to.
    static let problems = [
        Topic(
            code: "03.02.01", name: "城乡建设/供热/温度不达标", unit: .city("热力集团"), subject: "暖气不热",
            details: ["室内温度只有十四度，家中有老人和孩子", "维修人员来过一次，没有解决", "整栋楼都不热"], demand: "尽快恢复正常供热",
            measures: ["已上门测温并排气，更换堵塞的入户过滤器，复测室温达到十九度"], isLivelihood: true, months: [11, 12, 1, 2, 3]),
        Topic(
            code: "03.09.01", name: "城乡建设/排水防涝/道路积水", unit: .county("城乡水务局"), subject: "路口雨后积水严重",
            details: ["积水没过脚踝，行人无法通过", "雨水口被树叶堵塞"], demand: "尽快疏通排水管道",
            measures: ["已清掏雨水口六处并疏通管道，现场积水已排除"], months: [5, 6, 7, 8, 9]),
        Topic(
            code: "03.03.01", name: "城乡建设/供水/停水", unit: .city("水务集团"), subject: "停水",
            details: ["没有收到停水通知", "高层住户用水困难"], demand: "说明原因并恢复供水",
            measures: ["经查为加压泵故障，已抢修完毕并恢复供水"], isLivelihood: true),
        Topic(
            code: "03.03.02", name: "城乡建设/供水/水压水质", unit: .city("水务集团"), subject: "自来水水压低",
            details: ["早晚高峰六楼以上几乎没有水", "水有异味，颜色发黄"], demand: "检测水质并改善水压",
            measures: ["已取样检测，水质合格；二次供水设备已调高压力"], isLivelihood: true),
        Topic(
            code: "03.04.01", name: "城乡建设/供电/频繁停电", unit: .city("供电公司"), subject: "频繁停电",
            details: ["一周内停电三次，每次两小时以上", "电压不稳，家电受损"], demand: "查明原因并彻底解决",
            measures: ["已更换老化的低压电缆，并把该台区列入改造计划"], isLivelihood: true),
        Topic(
            code: "03.05.01", name: "城乡建设/燃气/通气报装", unit: .city("燃气集团"), subject: "天然气迟迟没有通气",
            details: ["交房两年仍未通气", "开户费已缴纳半年"], demand: "明确通气时间",
            measures: ["已与开发单位完成管道验收，安排分批上门点火通气"], isLivelihood: true),
        Topic(
            code: "03.06.01", name: "城乡建设/物业管理/服务不到位", unit: .county("住房和城乡建设局"), subject: "物业服务不到位",
            details: ["楼道卫生长期无人清扫", "电梯经常停运，物业不维修", "公共收益没有公示"], demand: "督促物业整改",
            measures: ["已约谈物业企业，下达整改通知书，要求七日内完成并公示"]),
        Topic(
            code: "03.07.01", name: "城乡建设/市政设施/路面破损", unit: .county("城市管理局"), subject: "路面坑洼破损",
            details: ["有一处约两米的坑，夜间容易发生事故", "井盖下沉，车辆经过响声很大"], demand: "尽快修补",
            measures: ["养护单位已完成路面修补并加固井盖"]),
        Topic(
            code: "03.07.02", name: "城乡建设/市政设施/路灯不亮", unit: .county("城市管理局"), subject: "路灯不亮",
            details: ["连续十几盏不亮，夜间出行不安全", "报修一周没有处理"], demand: "尽快修复", measures: ["已更换损坏的电缆和灯具，当晚恢复照明"]),
        Topic(
            code: "03.08.01", name: "城乡建设/环境卫生/垃圾清运", unit: .county("城市管理局"), subject: "垃圾堆放无人清理",
            details: ["垃圾桶满溢，夏天异味很大", "建筑垃圾堆在绿化带里"], demand: "及时清运并加强管理",
            measures: ["环卫部门已清运干净，并增加每日清运次数"]),
        Topic(
            code: "05.02.01", name: "交通运输/停车管理/违法停车", unit: .city("公安局交通警察支队"), subject: "车辆占用消防通道停放",
            details: ["晚上消防通道被占满", "车辆停在人行道上，行人只能走机动车道"], demand: "加强执法并增设停车位",
            measures: ["已对违停车辆依法处罚，并协调增设禁停标志"]),
        Topic(
            code: "05.03.01", name: "交通运输/公共交通/公交线路", unit: .city("公交集团"), subject: "公交车等候时间太长",
            details: ["早高峰等车超过四十分钟", "末班车时间太早"], demand: "增加班次",
            measures: ["已调整发车间隔，早高峰增加两个班次"]),
        Topic(
            code: "08.01.01", name: "生态环境/噪声污染/施工噪声", unit: .county("城市管理局"), subject: "工地夜间施工噪声扰民",
            details: ["凌晨两点仍在施工，无法休息", "已经持续一个星期"], demand: "制止夜间施工",
            measures: ["执法人员已现场制止，并责令施工单位办理夜间施工许可"]),
        Topic(
            code: "08.01.02", name: "生态环境/噪声污染/社会生活噪声", unit: .county("公安分局"), subject: "广场舞音响声音过大",
            details: ["每晚七点到九点半，孩子无法学习", "多次沟通无效"], demand: "协调控制音量和时间",
            measures: ["民警已与组织者协商，约定音量和结束时间"]),
        Topic(
            code: "08.02.01", name: "生态环境/大气污染/餐饮油烟", unit: .county("城市管理局"), subject: "饭店油烟直排",
            details: ["油烟排到楼上住户窗口", "没有安装净化设施"], demand: "查处并整改",
            measures: ["已责令商户安装油烟净化器，复查达标"]),
        Topic(
            code: "01.02.01", name: "劳动和社会保障/工资支付/拖欠工资", unit: .county("人力资源和社会保障局"), subject: "公司拖欠工资",
            details: ["三个月没有发放工资，涉及二十余人", "离职时承诺结清，至今没有支付"], demand: "督促单位支付工资",
            measures: ["劳动监察已立案，单位承诺分两期支付，首期已到账"]),
        Topic(
            code: "06.02.01", name: "商贸旅游/消费维权/预付卡", unit: .county("市场监督管理局"), subject: "健身房关门不退预付款",
            details: ["办卡不到两个月即停业", "负责人电话无法接通"], demand: "协助退款",
            measures: ["已联系经营者调解，达成按剩余期限退款的协议"]),
        Topic(
            code: "06.02.02", name: "商贸旅游/消费维权/网购纠纷", unit: .county("市场监督管理局"), subject: "网购商品质量问题商家拒绝退货",
            details: ["收到的商品与描述不符", "平台客服让自行协商"], demand: "协助退货退款", measures: ["经调解，商家同意退货并承担运费"]),
        Topic(
            code: "04.02.01", name: "教育文体/校外培训/退费", unit: .county("教育和体育局"), subject: "校外培训机构不退费",
            details: ["课程没有上完机构就停课", "合同约定可以退费"], demand: "协调退费", measures: ["已约谈机构负责人，剩余课时费已原路退回"]),
        Topic(
            code: "09.01.01", name: "农业农村/农村人居环境/污水排放", unit: .county("农业农村局"), subject: "村里生活污水直排河沟",
            details: ["河沟发黑发臭", "下雨天污水倒灌到院子里"], demand: "治理污水",
            measures: ["镇政府已清淤并接入污水管网，列入农村改厕改水计划"]),
    ]
}

/// Other words that tickets need.
enum Wording {
    static let surnames = ["王", "李", "张", "刘", "陈", "杨", "赵", "孙", "周", "徐", "马", "朱", "胡", "郭", "高", "孟", "孔", "宋"]
    static let givenNames = [
        "建国", "秀英", "伟", "芳", "磊", "静", "强", "丽", "洋", "艳", "勇", "敏", "杰", "娟", "涛", "霞", "玉兰", "桂英",
        "志强", "晓东", "海燕", "子涵", "雨桐", "立新", "振华", "文博",
    ]
    static let companies = ["鑫源商贸有限公司", "恒通物流有限公司", "瑞丰餐饮管理有限公司", "华创科技有限公司", "泰和建材有限公司"]
    static let since = ["近三天来", "上周以来", "一个月以来", "昨天开始", "入住以来", "多次反映后"]
    static let extensionReasons = ["需要多部门会商", "配件采购需要时间", "需待天气好转后施工", "当事人暂时无法联系"]
    static let refusals = ["已进入诉讼程序", "属于信访事项", "超出政府职责范围", "重复诉求且无新情况"]
    static let dissatisfaction = ["未联系", "态度差", "未解决", "推诿", "超期", "答复不实"]
    static let suspensionReasons = ["等待诉求人补充材料", "等待鉴定结果", "诉求人要求暂缓处理"]
    static let withdrawals = ["诉求人表示问题已自行解决", "诉求人撤回诉求"]
    static let terminations = ["已进入诉讼程序", "诉求人提供的信息不实", "经核实超出政府职责范围"]
    static let otherUnits = ["城市管理局", "住房和城乡建设局", "市场监督管理局", "街道办事处"]
}
