import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import NodeIdentity
import PeerTransport

/// An alert as JSON: what lists show and what is sent on. A contract (docs/action.md).
package struct AlertDocument: Encodable, Sendable {
    package let id: String
    package let rule: String
    package let version: Int
    package let level: String
    package let state: String
    package let place: String?
    package let category: String?
    package let kind: String
    package let subject: String
    package let tickets: Int
    package let persons: Int
    package let raisedAt: String
    package let raisedBy: [String]

    package init(_ alert: AlertReport) {
        id = alert.id
        rule = alert.rule
        version = alert.ruleVersion
        level = alert.state.level.rawValue
        state = alert.state.word
        place = alert.place
        category = alert.category
        kind = alert.kind
        subject = alert.subject
        tickets = alert.tickets
        persons = alert.persons
        raisedAt = ShanghaiTime.rfc3339(alert.raisedAt)
        raisedBy = alert.state.raisers.sorted()
    }
}

/// What became of sending something on.
package struct DeliveryTurn: Sendable {
    package var delivered = 0
    /// Why some were not; they are tried again.
    package var failures: [FederationError] = []
}

extension NodeDesk {
    /// What was raised before a day is sent on no more.
    private static let deliveryDay: UnixMilliseconds = 86_400_000

    /// Sends on to the systems of the settings what they have not got.
    package func deliverAlerts() async throws -> DeliveryTurn {
        try await perform(.deliverAlerts) { now in
            var turn = DeliveryTurn()
            let delivery = settings.delivery
            if let webhook = delivery.webhook {
                let key = try WebhookKey.load(from: delivery.webhookSecretPath)
                try await deliver(to: "webhook", now: now, &turn) { alert throws(FederationError) in
                    try Self.post(alert, to: webhook, signedBy: key, now: now)
                }
            }
            if let relay = delivery.relay, let sender = delivery.sender {
                try await deliver(to: "mail", now: now, &turn) { alert throws(FederationError) in
                    let letter = AlertLetter(alert, from: sender, to: delivery.receivers, at: now)
                    try OutsideTransfer.mail(
                        Array(letter.text.utf8), from: sender, to: delivery.receivers, by: relay)
                }
            }
            return turn
        }
    }

    private func deliver(
        to target: String, now: UnixMilliseconds, _ turn: inout DeliveryTurn,
        _ send: @escaping @Sendable (AlertReport) throws(FederationError) -> Void
    ) async throws {
        let waiting = try await store.alertsToDeliver(
            to: target, from: settings.delivery.level, since: now - Self.deliveryDay, now: now)
        for (id, level) in waiting {
            let alert = try await known(alert: id)
            let failure = await onOwnThread { () throws(FederationError) in try send(alert) }
            try await store.noteDelivery(of: id, at: level, to: target, isDelivered: failure == nil, now: now)
            if let failure {
                turn.failures.append(failure)
                // Who does not answer one will hardly answer the next.
                return
            }
            turn.delivered += 1
        }
    }

    private static func post(
        _ alert: AlertReport, to url: String, signedBy key: WebhookKey, now: UnixMilliseconds
    ) throws(FederationError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(AlertDocument(alert)) else { return }
        try post(Array(data), named: "Alert", ["Alert-Id": alert.id], to: url, signedBy: key, now: now)
    }

    /// Posts a JSON document with the time and the signature of both: HMAC-SHA256 of `TIMESTAMP.BODY`.
    ///
    /// - Parameter name: what its headers begin with.
    /// - Throws: as `OutsideTransfer.post`.
    static func post(
        _ body: [UInt8], named name: String, _ headers: [String: String] = [:], to url: String,
        signedBy key: WebhookKey, now: UnixMilliseconds
    ) throws(FederationError) {
        let seconds = now / 1_000
        let signature = key.signature(of: "\(seconds).\(String(decoding: body, as: UTF8.self))")
        let all = [
            "Content-Type": "application/json", "\(name)-Timestamp": "\(seconds)",
            "\(name)-Signature": "sha256=\(signature)",
        ]
        try OutsideTransfer.post(body, headers: all.merging(headers) { $1 }, to: url)
    }

    /// - Returns: why `send` failed.
    func onOwnThread(
        _ send: @escaping @Sendable () throws(FederationError) -> Void
    ) async -> FederationError? {
        await OutsideTransfer.onOwnThread { () -> FederationError? in
            do throws(FederationError) {
                try send()
                return nil
            } catch {
                return error
            }
        }
    }
}

/// An alert as a letter (RFC 5322): what a list shows, nothing of a ticket.
private struct AlertLetter {
    let text: String

    init(_ alert: AlertReport, from sender: String, to receivers: [String], at now: UnixMilliseconds) {
        func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let level = alert.state.level.title
        let body = """
            \(level)预警:\(alert.subject)
            \(alert.tickets) 件工单,\(alert.persons) 人,触发于 \(ShanghaiTime.minute(alert.decidedAt))
            建议通知:\(alert.receivers.isEmpty ? "–" : alert.receivers.joined(separator: "、"))
            federation-node alert show \(alert.id)

            """
        let lines =
            [
                "Date: \(Self.date(now))", "From: \(sender)", "To: \(receivers.joined(separator: ", "))",
                "Subject: =?UTF-8?B?\(encoded("\(level)预警 \(alert.subject)".prefix(30).description))?=",
                "Message-ID: <\(alert.id).\(now)@federation-node>", "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
            ] + Self.folded(encoded(body)) + [""]
        text = lines.joined(separator: "\r\n")
    }

    /// Lines of 76 at most (RFC 2045).
    private static func folded(_ text: String) -> [String] {
        stride(from: 0, to: text.count, by: 76).map { start in String(text.dropFirst(start).prefix(76)) }
    }

    private static func date(_ time: UnixMilliseconds) -> String {
        let day = ShanghaiTime.dayNumber(time)
        let (year, month, date) = CivilDate.date(dayNumber: day)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(date) \(months[month - 1]) \(year) \(ShanghaiTime.second(time).suffix(8)) +0800"
    }
}
