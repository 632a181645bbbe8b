import FederationModel

extension NodeDesk {
    /// Who does something at a node, in which role and for which purpose.
    package struct Actor: Hashable, Sendable {
        package enum Identity: Hashable, Sendable {
            /// Whoever the operating system lets run commands on the node's files.
            case system
            /// A local system, by the name of the token that it showed.
            case token(String)
            /// Another node, by its certificate.
            case peer(NodeID)
        }

        package let identity: Identity
        package let role: Role
        package let purpose: Purpose

        package enum Role: String, Sendable {
            /// Runs the node: everything that the command line has.
            case administrator
            /// Hands in records of its own.
            case source
            /// Exchanges what the topology grants it.
            case neighbour
        }

        package enum Purpose: String, Sendable {
            /// 运行维护.
            case operation
            /// 数据接入.
            case intake
            /// 数据汇聚.
            case exchange
        }

        /// The command line.
        package static let system = Actor(identity: .system, role: .administrator, purpose: .operation)

        /// A push.
        package static func token(_ name: String) -> Actor {
            Actor(identity: .token(name), role: .source, purpose: .intake)
        }

        /// A question from another node.
        package static func peer(_ node: NodeID) -> Actor {
            Actor(identity: .peer(node), role: .neighbour, purpose: .exchange)
        }
    }

    /// Everything that can be done at a desk, a word each: what roles grant and audit entries name.
    package enum Act: String, CaseIterable, Sendable {
        case addTicket, draftEvent, recordEvent, showTicket, listTickets, drawNumbers, listConflicts
        case offerTransfer, acceptTransfer, returnTransfer, designateTransfer, listTransfers
        case deleteTickets, recallTickets, liftRecall, listRemovals
        case importFile, storeInvented, push, listIntakes, undoIntake, readInbox
        case publishAnnouncement, withdrawAnnouncement, listAnnouncements
        case createToken, revokeToken, listTokens, authenticate
        case publishCatalog, showCatalog, checkCatalogs
        case publishReference, publishIndicators, showIndicators, showLimits, registerDataset, listDatasets
        case askAnalysis, askRows, answerAnalysis, answerRows, relayQuestion, showQueryLog
        case showRollups, forgetRollups
        case showWarehouse, fillWarehouse, verifyWarehouse
        case judge, showRules, publishRules, publishDictionary, backtestRules
        case listAlerts, showAlert, acknowledgeAlert, dismissAlert, deliverAlerts
        case openSituation, changeSituation, closeSituation, listSituations, showSituation
        case makeReport, listReports, showReport, publishReport, subscribeReports
        case detectFindings, listFindings, takeMeasure, listTopics, showTopic, readDepartment, pushToDepartments
        case publishArticle, withdrawArticle, listArticles
        case publishScheme, listSchemes, evaluate, showEvaluations, objectToEvaluation
        case showStatus, showFigures, checkReady, showCertificates, showQuarantine, changeQuarantine, rebuild
        case planTopology, publishTopology, showTopology
        case verifyLinks, answerVerification
        case exportFerry, importFerry
        case exportChangeSet, acceptLoss, createBackup, restoreBackup, recover
    }
}
