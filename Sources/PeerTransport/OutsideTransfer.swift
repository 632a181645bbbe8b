import CCurl
import CCurlShim
import FederationModel
import Foundation

/// Why something outside of the federation was not reached, in words that hold nothing of what was sent.
package struct OutsideFailure: Error, Sendable {
    package let reason: String
}

/// One message to a system outside of the federation: an HTTP POST, or a letter by an SMTP relay. It blocks its thread, so it is for what is
/// seldom sent, or has a thread of its own (`onOwnThread`).
///
/// The system's certificate authorities decide whom to trust. Errors of what delivers alerts are `E_DELIVERY_FAILED`, and never hold what
/// was sent.
package enum OutsideTransfer {
    private static let timeoutSeconds = 20
    private static let connectSeconds = 5

    /// libcurl blocks its thread, and the tasks of the program have few.
    package static func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    /// What a system answers.
    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
    }

    /// Asks a system that is trusted with what it is sent, and with the length of what it says up to a limit.
    ///
    /// - Parameters:
    ///   - url: `http` or `https`.
    ///   - answerBytesMax: more than so many are a failure.
    package static func ask(
        _ body: [UInt8], headers: [String: String], of url: String, timeoutSeconds: Int, answerBytesMax: Int
    ) throws(OutsideFailure) -> Answer {
        let handle = try Handle(url, protocols: "http,https", timeoutSeconds: timeoutSeconds)
        let sink = Sink(bytesMax: answerBytesMax)
        fc_setopt_ptr(handle.pointer, CURLOPT_WRITEDATA, Unmanaged.passUnretained(sink).toOpaque())
        fc_setopt_data_fn(handle.pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context, let bytes else { return 0 }
            return Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                .take(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        defer { withExtendedLifetime(sink) {} }
        try handle.post(body, headers: headers)
        return Answer(status: handle.status, body: sink.bytes)
    }

    /// What libcurl writes an answer to.
    private final class Sink {
        private(set) var bytes: [UInt8] = []
        private let bytesMax: Int

        init(bytesMax: Int) { self.bytesMax = bytesMax }

        /// - Returns: how many were taken; fewer than there are end the transfer.
        func take(_ more: UnsafeRawBufferPointer) -> Int {
            guard bytes.count + more.count <= bytesMax else { return 0 }
            bytes.append(contentsOf: more)
            return more.count
        }
    }

    /// - Parameter url: `http` or `https`.
    /// - Throws: `E_DELIVERY_FAILED`, also for a status that is not 2xx.
    package static func post(_ body: [UInt8], headers: [String: String], to url: String) throws(FederationError) {
        try delivering { () throws(OutsideFailure) in
            let handle = try Handle(url, protocols: "http,https", timeoutSeconds: timeoutSeconds)
            try handle.post(body, headers: headers)
            guard (200..<300).contains(handle.status) else {
                throw OutsideFailure(reason: "the receiver answered with status \(handle.status)")
            }
        }
    }

    private static func delivering(_ work: () throws(OutsideFailure) -> Void) throws(FederationError) {
        do throws(OutsideFailure) {
            try work()
        } catch {
            throw FederationError(
                "E_DELIVERY_FAILED", "a message could not be sent on: \(error.reason)",
                hint: "check the receiver and its address: the alert-… settings of node.yaml, or `token list`",
                isRetryable: true)
        }
    }

    /// - Parameters:
    ///   - message: headers and text (RFC 5322), lines ending in CR LF.
    ///   - url: `smtp://HOST:PORT`, or `smtps://`.
    package static func mail(
        _ message: [UInt8], from sender: String, to receivers: [String], by url: String
    ) throws(FederationError) {
        try delivering { () throws(OutsideFailure) in
            try mailed(message, from: sender, to: receivers, by: url)
        }
    }

    private static func mailed(
        _ message: [UInt8], from sender: String, to receivers: [String], by url: String
    ) throws(OutsideFailure) {
        let handle = try Handle(url, protocols: "smtp,smtps", timeoutSeconds: timeoutSeconds)
        fc_setopt_str(handle.pointer, CURLOPT_MAIL_FROM, sender)
        handle.setList(CURLOPT_MAIL_RCPT, receivers)
        fc_setopt_long(handle.pointer, CURLOPT_UPLOAD, 1)
        // Where the relay offers TLS it is used.
        fc_setopt_long(handle.pointer, CURLOPT_USE_SSL, Int(CURLUSESSL_TRY.rawValue))
        let source = Source(message)
        fc_setopt_ptr(handle.pointer, CURLOPT_READDATA, Unmanaged.passUnretained(source).toOpaque())
        fc_setopt_data_fn(handle.pointer, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let context, let bytes else { return 0 }
            return Unmanaged<Source>.fromOpaque(context).takeUnretainedValue()
                .supply(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        defer { withExtendedLifetime(source) {} }
        try handle.perform()
    }

    /// What libcurl reads a letter from.
    private final class Source {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func supply(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    private final class Handle {
        let pointer: UnsafeMutableRawPointer
        private var lists: [UnsafeMutablePointer<curl_slist>] = []

        init(_ url: String, protocols: String, timeoutSeconds: Int) throws(OutsideFailure) {
            guard fc_global_init() == CURLE_OK, let pointer = curl_easy_init() else {
                throw OutsideFailure(reason: "libcurl can't be used")
            }
            self.pointer = pointer
            fc_setopt_str(pointer, CURLOPT_URL, url)
            fc_setopt_str(pointer, CURLOPT_PROTOCOLS_STR, protocols)
            fc_setopt_str(pointer, CURLOPT_PROXY, "")
            fc_setopt_long(pointer, CURLOPT_NOSIGNAL, 1)
            fc_setopt_long(pointer, CURLOPT_FOLLOWLOCATION, 0)
            fc_setopt_long(pointer, CURLOPT_TIMEOUT, timeoutSeconds)
            fc_setopt_long(pointer, CURLOPT_CONNECTTIMEOUT, min(timeoutSeconds, OutsideTransfer.connectSeconds))
            // What the receiver says is not read; the status says it all.
            fc_setopt_data_fn(pointer, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        }

        deinit {
            curl_easy_cleanup(pointer)
            lists.forEach { curl_slist_free_all($0) }
        }

        func setList(_ option: CURLoption, _ lines: [String]) {
            var list: UnsafeMutablePointer<curl_slist>?
            for line in lines { list = curl_slist_append(list, line) ?? list }
            guard let list else { return }
            lists.append(list)
            fc_setopt_slist(pointer, option, list)
        }

        func post(_ body: [UInt8], headers: [String: String]) throws(OutsideFailure) {
            setList(CURLOPT_HTTPHEADER, ["Expect:"] + headers.sorted { $0.key < $1.key }.map { "\($0): \($1)" })
            fc_setopt_off(pointer, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            // Sent from where it is: it may be large.
            let code = body.withUnsafeBytes {
                _ = fc_setopt_ptr(pointer, CURLOPT_POSTFIELDS, .init(mutating: $0.baseAddress))
                return curl_easy_perform(pointer)
            }
            try check(code)
        }

        func perform() throws(OutsideFailure) { try check(curl_easy_perform(pointer)) }

        private func check(_ code: CURLcode) throws(OutsideFailure) {
            guard code == CURLE_OK else { throw OutsideFailure(reason: String(cString: curl_easy_strerror(code))) }
        }

        var status: Int {
            var status = 0
            fc_getinfo_long(pointer, CURLINFO_RESPONSE_CODE, &status)
            return status
        }
    }
}
