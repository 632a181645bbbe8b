import FederationModel

/// A weakness of the hotline or of a unit that data shows (7.1.1 b), and that a measure can answer.
package struct Finding: Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, CaseIterable, Sendable {
        // Of the hotline.
        case lateDispatch = "LATE_DISPATCH"
        case wrongDispatch = "WRONG_DISPATCH"
        case missingCallback = "MISSING_CALLBACK"
        case duplicateDispatch = "DUPLICATE_DISPATCH"
        case knowledgeGap = "KB_GAP"
        /// A topic that several units have to handle together (7.2.3); nobody detects it, a person opens it.
        case jointTopic = "JOINT_TOPIC"
        // Of the units.
        case attitude = "ATTITUDE"
        case shirking = "SHIRK"
        case skippedStep = "SKIPPED_STEP"
        case overdue = "OVERDUE"
        case lowSatisfaction = "LOW_SAT"

        package var title: String {
            switch self {
            case .lateDispatch: "派单不及时"
            case .wrongDispatch: "派单不准确"
            case .missingCallback: "未回访"
            case .duplicateDispatch: "重复派单"
            case .knowledgeGap: "知识库缺项"
            case .jointTopic: "需多部门联合治理"
            case .attitude: "服务态度差"
            case .shirking: "工单推诿"
            case .skippedStep: "流程不到位"
            case .overdue: "超期办理"
            case .lowSatisfaction: "满意度低"
            }
        }

        /// Whether the hotline answers for it, and not the unit.
        package var isOfHotline: Bool {
            [
                .lateDispatch, .wrongDispatch, .missingCallback, .duplicateDispatch, .knowledgeGap, .jointTopic,
            ].contains(self)
        }

        /// Whether each is about one ticket.
        package var isOfTicket: Bool { ![.knowledgeGap, .jointTopic, .lowSatisfaction].contains(self) }

        /// What usually helps (7.1.1 c).
        package var measure: MeasureKind {
            switch self {
            case .lateDispatch, .missingCallback: .system
            case .knowledgeGap: .knowledge
            default: .capability
            }
        }
    }

    package let code: Code
    /// A ticket, a unit or a category, by the code.
    package let subject: String
    /// The unit that it is about; nil when it is about the hotline.
    package let unit: String?
    /// How much, in words without any content of a ticket: `35min`, `3 returns, 3 units`.
    package let extent: String
    package let tickets: [String]

    package init(_ code: Code, _ subject: String, unit: String? = nil, extent: String, tickets: [String]) {
        self.code = code
        self.subject = subject
        self.unit = unit
        self.extent = extent
        self.tickets = tickets
    }

    package var description: String { "\(code.rawValue) \(subject) \(extent)" }
}

/// 能力提升, 系统优化, 知识库完善.
package enum MeasureKind: String, CaseIterable, Sendable {
    case capability
    case system
    case knowledge = "knowledge_update"
}

/// What the detectors go by. Every number can be set.
package struct FindingLimits: Hashable, Sendable {
    /// Milliseconds from acceptance to dispatch, by urgency; what is not named has no limit.
    package var dispatch: [String: UnixMilliseconds] = [
        "urgent": 3_600_000, "livelihood": 2 * 3_600_000, "normal": 24 * 3_600_000, "complex": 24 * 3_600_000,
    ]
    /// Milliseconds from closing to callback.
    package var callback: UnixMilliseconds = 7 * ShanghaiTime.day
    /// Returns from which on a ticket is passed around.
    package var returns = 2
    /// The share of satisfied evaluations that a unit must not be below.
    package var satisfactionTarget = 0.85
    package var satisfactionMin = 30
    /// The lowest score that is satisfied.
    package var satisfiedScore = 3
    /// Questions that were passed on, of one category, from which on knowledge is missing.
    package var knowledgeMin = 20
    /// Reason codes and words of comments that complain of manners.
    package var attitudeReasons: Set<String> = ["attitude", "态度差"]
    package var attitudeWords = ["态度差", "态度恶劣", "态度不好", "不耐烦", "推脱", "爱答不理", "骂人", "挂我电话"]
    /// 咨询.
    package var questionType = "1"

    package init() {}
}
