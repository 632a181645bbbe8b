import ConfigurationFiles
import FederationModel
import Foundation
import Hummingbird
import LocalStore
import NIOCore
import NodeDesk
import NodeFiles
import NodeIdentity
import Verification

/// What this machine may ask, over plain HTTP on loopback: is it alive, is it ready, and its numbers.
struct LocalRoutes: Sendable {
    let desk: NodeDesk
    let links: LinkRegistry
    let metrics: LinkMetrics
    let handshakes: HandshakeCounters
    let intakeMetrics: IntakeMetrics
    let detection: DetectionMetrics
    let certificates: ServedCertificates

    func add(to router: Router<BasicRequestContext>) {
        router.get("/healthz") { _, _ in text("ok\n") }
        router.get("/readyz") { _, _ in await ready() }
        router.get("/metrics") { _, _ in await metricsPage() }
    }

    /// Ready when the database can be written to.
    private func ready() async -> Response {
        do {
            try await desk.checkReady()
            return text("ready\n")
        } catch {
            return ErrorMapping.response(.store(error))
        }
    }

    private func metricsPage() async -> Response {
        do {
            var page = MetricsPage()
            let figures = try await desk.figures()
            addStore(figures, to: &page)
            addExpiry(figures, to: &page)
            addLinks(figures.links, to: &page)
            addTraffic(to: &page)
            addReverseChannels(await links.reverseChannels(), to: &page)
            addIntake(to: &page)
            addDetection(to: &page)
            return text(page.description, type: "text/plain; version=0.0.4; charset=utf-8")
        } catch {
            return ErrorMapping.response(.store(error))
        }
    }

    private func addStore(_ figures: NodeFigures, to page: inout MetricsPage) {
        page.append(
            "federation_feed_head", .gauge, help: "Latest seq of this node.",
            samples: [([], Double(figures.head))])
        page.append(
            "federation_store_bytes", .gauge, help: "Size of the database file.",
            samples: [([], Double(figures.sizes.database))])
        page.append(
            "federation_store_wal_bytes", .gauge, help: "Size of the database's write-ahead log.",
            samples: [([], Double(figures.sizes.wal))])
        page.append(
            "federation_store_free_bytes", .gauge, help: "Bytes that are free where the database lies.",
            samples: figures.sizes.free.map { [([], Double($0))] } ?? [])
        page.append(
            "federation_disk_floor_bytes", .gauge, help: "With less of them free, neighbours' rows are not taken in.",
            samples: [([], Double(desk.settings.diskFloor))])
        page.append(
            "federation_receive_queue_bytes", .gauge, help: "Bytes of change-sets that wait to be stored.",
            samples: [([], Double(links.queues.bytes))])
        page.append(
            "federation_log_lines_lost_total", .counter, help: "Lines of the log that could not be written.",
            samples: [([], Double(StandardStreams.logLinesLost))])
        page.append(
            "federation_consumer_lag_rows", .gauge, help: "Changes that a consumer of the feed has not taken in.",
            samples: figures.consumers.map { ([("consumer", $0.name)], Double($0.lagRows)) })
        page.append(
            "federation_removals_unconfirmed", .gauge,
            help: "Removal orders of this node that some node has not confirmed.",
            samples: [([], Double(figures.removals.unconfirmed))])
        page.append(
            "federation_removals_overdue", .gauge,
            help: "Those of them that are older than removal-confirmation-hours.",
            samples: [([], Double(figures.removals.overdue))])
    }

    /// What ends by itself and must be renewed in time.
    private func addExpiry(_ figures: NodeFigures, to page: inout MetricsPage) {
        let now = wallClock()
        page.append(
            "federation_certificate_expiry_seconds", .gauge,
            help: "Until the certificate in use ends; below 0 when it has.",
            samples: certificates.validities.map {
                ([("certificate", $0.use.rawValue)], Double($0.validity.notAfter - now) / 1_000)
            })
        page.append(
            "federation_token_expiry_seconds", .gauge, help: "Until a token ends; below 0 when it has.",
            samples: figures.tokens.compactMap { token in
                guard token.revokedAt == nil, let end = token.expiresAt else { return nil }
                return ([("token", token.name)], Double(end - now) / 1_000)
            })
    }

    private func addLinks(_ links: [LinkReport], to page: inout MetricsPage) {
        func samples(_ value: (LinkReport) -> Double?) -> [(labels: [(String, String)], value: Double)] {
            links.compactMap { link in value(link).map { (labels(link), $0) } }
        }
        page.append(
            "federation_link_level", .gauge, help: "1 when the link is level.",
            samples: samples { $0.state == .level ? 1 : 0 })
        page.append(
            "federation_link_lag_rows", .gauge, help: "Changes that the receiver has not got yet.",
            samples: samples { Double($0.lagRows) })
        page.append(
            "federation_link_lag_seconds", .gauge,
            help: "Since when the link is not level, or its other end not heard.",
            samples: samples { $0.lagSeconds })
        page.append(
            "federation_link_last_contact_timestamp_seconds", .gauge, help: "When the peer was last heard.",
            samples: samples { $0.lastContact.map { Double($0) / 1_000 } })
        page.append(
            "federation_link_quarantined_rows", .gauge, help: "Rows of the sender that the receiver has put aside.",
            samples: samples { Double($0.quarantined) })
        page.append(
            "federation_link_lost_rows", .gauge,
            help: "Rows that the receiver got from the sender and that the sender no longer has.",
            samples: samples { Double($0.lost) })
        page.append(
            "federation_link_verified_equal_timestamp_seconds", .gauge,
            help: "When both ends were last found to hold the same rows.",
            samples: samples { $0.verification?.equalAt.map { Double($0) / 1_000 } })
        page.append(
            "federation_link_differing_rows", .gauge,
            help: "Rows that differed when both ends were last held against each other.",
            samples: samples { $0.verification.map { Double($0.differences) } })
    }

    private func addReverseChannels(
        _ channels: [(child: NodeID, isOpen: Bool, questions: Int)], to page: inout MetricsPage
    ) {
        page.append(
            "federation_reverse_channel_open", .gauge,
            help: "1 when a child can be asked over the connection that it holds open.",
            samples: channels.map { ([("peer", $0.child.code)], $0.isOpen ? 1 : 0) })
        page.append(
            "federation_reverse_channel_questions", .gauge, help: "Questions to a child that are open there.",
            samples: channels.map { ([("peer", $0.child.code)], Double($0.questions)) })
    }

    private func labels(_ link: LinkReport) -> [(String, String)] {
        [("peer", link.peer.id.code), ("role", link.role.rawValue), ("direction", link.direction.rawValue)]
    }

    private func addTraffic(to page: inout MetricsPage) {
        let traffic =
            metrics.sent.map { (LinkDirection.sending, $0.key, $0.value) }
            + metrics.received.map { (LinkDirection.receiving, $0.key, $0.value) }
        func samples(_ value: (LinkMetrics.Traffic) -> Int) -> [(labels: [(String, String)], value: Double)] {
            traffic.map { ([("peer", $1.code), ("direction", $0.rawValue)], Double(value($2))) }
        }
        page.append(
            "federation_change_sets_total", .counter, help: "Change-sets, by link.", samples: samples { $0.changeSets })
        page.append(
            "federation_change_set_rows_total", .counter, help: "Rows in change-sets.", samples: samples { $0.rows })
        page.append(
            "federation_change_set_bytes_total", .counter, help: "Bytes of change-sets as they travel.",
            samples: samples { $0.bytes })
        page.append(
            "federation_refusals_total", .counter, help: "Messages of links that were refused, by code.",
            samples: metrics.refusals.map {
                (
                    [("code", $0.key.code), ("peer", $0.key.peer.code), ("direction", $0.key.direction.rawValue)],
                    Double($0.value)
                )
            })
        page.append(
            "federation_handshakes_total", .counter, help: "TLS handshakes of other nodes, by outcome.",
            samples: handshakes.snapshot.map { ([("outcome", $0.key.rawValue)], Double($0.value)) })
    }

    private func addIntake(to page: inout MetricsPage) {
        page.append(
            "federation_intake_records_total", .counter, help: "Records that local systems pushed, by outcome.",
            samples: intakeMetrics.records.map { ([("outcome", $0.key)], Double($0.value)) })
        page.append(
            "federation_intake_requests_total", .counter, help: "Pushes of local systems, by status of the answer.",
            samples: intakeMetrics.requests.map { ([("status", "\($0.key)")], Double($0.value)) })
    }

    private func addDetection(to page: inout MetricsPage) {
        let figures = detection.figures
        page.append(
            "federation_alerts_raised_total", .counter, help: "Alerts that this node raised.",
            samples: [([], Double(figures.raised))])
        page.append(
            "federation_alerts_withdrawn_total", .counter, help: "Alerts of this node that nobody finds any more.",
            samples: [([], Double(figures.withdrawn))])
        page.append(
            "federation_tickets_judged_total", .counter, help: "Changed tickets that rules looked at.",
            samples: [([], Double(figures.tickets))])
        page.append(
            "federation_judging_failures_total", .counter, help: "Times that rules could not be judged.",
            samples: [([], Double(figures.failures))])
        page.append(
            "federation_alert_deliveries_total", .counter, help: "Alerts sent on to systems outside, by outcome.",
            samples: [
                ([("outcome", "delivered")], Double(figures.delivered)),
                ([("outcome", "failed")], Double(figures.undelivered)),
            ])
        page.append(
            "federation_department_pushes_total", .counter,
            help: "Pages of tickets sent to webhooks of departments, by outcome.",
            samples: [
                ([("outcome", "delivered")], Double(figures.pushed)),
                ([("outcome", "failed")], Double(figures.unpushed)),
            ])
    }

    private func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
