import Dispatch
import FederationModel
import Foundation
import NodeDesk
import RecordIntake
import Synchronization

/// Writes tickets into the store as they come, until a signal or the end of its time.
struct LiveGeneration {
    let desk: NodeDesk
    let ticketsPerSecond: Double
    let speed: Double
    let seconds: Double?

    /// How often it looks what has happened: soon enough for people, seldom enough for one durable commit each.
    private static let tick = Duration.milliseconds(200)

    func run(_ recipe: TicketRecipe) async throws -> GenerateReport {
        let stop = StopSignal()
        let start = wallClock()
        let end = seconds.map { start + UnixMilliseconds($0 * 1_000) } ?? .max
        var live = LiveTickets(recipe, start: start, ticketsPerSecond: ticketsPerSecond, speed: speed)
        var report = GenerateReport()
        while !stop.isRaised {
            let now = min(wallClock(), end)
            let records = live.records(until: now)
            if !records.isEmpty {
                report.changed += try await desk.store(invented: records)
                report.records += records.count
                showProgress("\(live.tickets) tickets, \(report.records) records, \(live.pendingCount) to come")
            }
            if now >= end { break }
            try await Task.sleep(for: Self.tick)
        }
        if Output.isTerminal { Output.note("") }
        report.tickets = live.tickets
        for index in 0..<live.tickets {
            if let fault = recipe.dirt(ofTicket: index) { report.dirt[fault.rawValue, default: 0] += 1 }
        }
        return report
    }

    private func showProgress(_ text: String) {
        guard Output.isTerminal else { return }
        FileHandle.standardError.write(Data("\r\(text)\u{1b}[K".utf8))
    }
}

/// Whether SIGINT or SIGTERM has come since it was made. They no longer end the process by themselves.
private final class StopSignal: Sendable {
    private let raised = Mutex(false)

    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                self.raised.withLock { $0 = true }
                // Its own handler keeps the source alive until it has fired.
                source.cancel()
            }
            source.resume()
        }
    }

    var isRaised: Bool { raised.withLock { $0 } }
}
