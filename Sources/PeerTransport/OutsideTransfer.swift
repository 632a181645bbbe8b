import CCurl
import CCurlShim
import FederationModel
import Synchronization

/// One message to a system outside of the federation: an HTTP POST, or a letter by an SMTP relay. It blocks its thread, so it is for what is
/// seldom sent.
///
/// The system's certificate authorities decide whom to trust. Errors are `E_DELIVERY_FAILED`, and never hold what was sent.
package enum OutsideTransfer {
    private static let timeoutSeconds = 20

    /// - Parameter url: `http` or `https`.
    /// - Throws: `E_DELIVERY_FAILED`, also for a status that is not 2xx.
    package static func post(_ body: [UInt8], headers: [String: String], to url: String) throws(FederationError) {
        let handle = try Handle(url, protocols: "http,https")
        handle.setList(CURLOPT_HTTPHEADER, ["Expect:"] + headers.sorted { $0.key < $1.key }.map { "\($0): \($1)" })
        fc_setopt_off(handle.pointer, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
        body.withUnsafeBytes {
            _ = fc_setopt_ptr(handle.pointer, CURLOPT_COPYPOSTFIELDS, .init(mutating: $0.baseAddress))
        }
        try handle.perform()
        var status = 0
        fc_getinfo_long(handle.pointer, CURLINFO_RESPONSE_CODE, &status)
        guard (200..<300).contains(status) else {
            throw Handle.failure("the receiver answered with status \(status)")
        }
    }

    /// - Parameters:
    ///   - message: headers and text (RFC 5322), lines ending in CR LF.
    ///   - url: `smtp://HOST:PORT`, or `smtps://`.
    package static func mail(
        _ message: [UInt8], from sender: String, to receivers: [String], by url: String
    ) throws(FederationError) {
        let handle = try Handle(url, protocols: "smtp,smtps")
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

        init(_ url: String, protocols: String) throws(FederationError) {
            guard fc_global_init() == CURLE_OK, let pointer = curl_easy_init() else {
                throw Self.failure("libcurl can't be used")
            }
            self.pointer = pointer
            fc_setopt_str(pointer, CURLOPT_URL, url)
            fc_setopt_str(pointer, CURLOPT_PROTOCOLS_STR, protocols)
            fc_setopt_str(pointer, CURLOPT_PROXY, "")
            fc_setopt_long(pointer, CURLOPT_NOSIGNAL, 1)
            fc_setopt_long(pointer, CURLOPT_FOLLOWLOCATION, 0)
            fc_setopt_long(pointer, CURLOPT_TIMEOUT, OutsideTransfer.timeoutSeconds)
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

        func perform() throws(FederationError) {
            let code = curl_easy_perform(pointer)
            guard code == CURLE_OK else {
                throw Self.failure(String(cString: curl_easy_strerror(code)))
            }
        }

        static func failure(_ reason: String) -> FederationError {
            FederationError(
                "E_DELIVERY_FAILED", "a message could not be sent on: \(reason)",
                hint: "check the receiver and its address: the alert-… settings of node.yaml, or `token list`",
                isRetryable: true)
        }
    }
}
