import CCurl
import CCurlShim

/// One libcurl easy handle with everything it points to. Used by the client's thread only.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// The caller keeps `transfer` alive as long as the handle is in a multi handle: callbacks use it unretained.
    ///
    /// - Returns: nil when memory runs out.
    init?(_ transfer: Transfer, endpoint: PeerEndpoint, credentials: PeerCredentials, limits: PeerLimits) {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        fc_setopt_ptr(pointer, CURLOPT_ERRORBUFFER, errorBuffer)
        setConnection(endpoint, connectMilliseconds: min(limits.connectMilliseconds, transfer.request.deadlineMS))
        setTLS(credentials)
        setRequest(transfer.request, endpoint: endpoint)
        setCallbacks(transfer)
    }

    deinit {
        curl_easy_cleanup(pointer)
        lists.forEach { curl_slist_free_all($0) }
        errorBuffer.deallocate()
    }

    /// libcurl's own words, empty when it has none.
    var errorText: String { String(cString: errorBuffer) }

    /// OpenSSL's X509_V_ERR number for the peer's certificate.
    var verifyResult: Int {
        var result = 0
        fc_getinfo_long(pointer, CURLINFO_SSL_VERIFYRESULT, &result)
        return result
    }

    private func setConnection(_ endpoint: PeerEndpoint, connectMilliseconds: Int) {
        setList(CURLOPT_CONNECT_TO, [endpoint.connectTo])
        fc_setopt_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, connectMilliseconds)
        fc_setopt_long(pointer, CURLOPT_NOSIGNAL, 1)
        // An empty string also overrules the proxy variables of the environment.
        fc_setopt_str(pointer, CURLOPT_PROXY, "")
        fc_setopt_str(pointer, CURLOPT_PROTOCOLS_STR, "https")
        fc_setopt_long(pointer, CURLOPT_FOLLOWLOCATION, 0)
        // HTTP/2 of libcurl 7.88 breaks with SwiftNIO's server after 200 requests; this also makes ALPN say http/1.1.
        fc_setopt_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        fc_setopt_long(pointer, CURLOPT_TCP_NODELAY, 1)
        fc_setopt_long(pointer, CURLOPT_TCP_KEEPALIVE, 1)
        fc_setopt_long(pointer, CURLOPT_TCP_KEEPIDLE, 30)
        fc_setopt_long(pointer, CURLOPT_TCP_KEEPINTVL, 10)
        fc_set_user_timeout(pointer)
        fc_setopt_long(pointer, CURLOPT_BUFFERSIZE, 256 << 10)
        fc_setopt_long(pointer, CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
    }

    private func setTLS(_ credentials: PeerCredentials) {
        fc_setopt_long(pointer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3)
        fc_setopt_long(pointer, CURLOPT_SSL_VERIFYPEER, 1)
        fc_setopt_long(pointer, CURLOPT_SSL_VERIFYHOST, 2)
        // Our authorities only: the blob overrules the system's file, and the system's directory is taken away.
        setBlob(CURLOPT_CAINFO_BLOB, credentials.trustRootsPEM)
        fc_setopt_str(pointer, CURLOPT_CAPATH, nil)
        setBlob(CURLOPT_SSLCERT_BLOB, credentials.certificateChainPEM)
        setBlob(CURLOPT_SSLKEY_BLOB, credentials.privateKeyPEM)
    }

    private func setRequest(_ request: Transfer.Request, endpoint: PeerEndpoint) {
        fc_setopt_str(pointer, CURLOPT_URL, "https://\(endpoint.tlsName)\(request.path)")
        fc_setopt_str(pointer, CURLOPT_CUSTOMREQUEST, request.method)
        // No waiting for "100 Continue", and no form content type that nobody asked for.
        var headers = ["Expect:", "User-Agent: federation-node"]
        headers += request.headers.map { $1.isEmpty ? "\($0);" : "\($0): \($1)" }
        if !request.headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
            headers.append("Content-Type:")
        }
        switch request.body {
        case .whole(let bytes):
            fc_setopt_long(pointer, CURLOPT_TIMEOUT_MS, request.deadlineMS)
            guard !bytes.isEmpty || request.method == "POST" || request.method == "PUT" else { break }
            // Kept by libcurl, so that it can send the body again when a pooled connection turns out to be dead.
            fc_setopt_off(pointer, CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
            bytes.withUnsafeBytes {
                _ = fc_setopt_ptr(pointer, CURLOPT_COPYPOSTFIELDS, .init(mutating: $0.baseAddress))
            }
            fc_setopt_long(pointer, CURLOPT_POST, 1)
        case .streamed:
            // A stream can not be sent again, so it never starts on a pooled connection.
            fc_setopt_long(pointer, CURLOPT_FRESH_CONNECT, 1)
            fc_setopt_long(pointer, CURLOPT_UPLOAD, 1)
            headers.append("Transfer-Encoding: chunked")
        }
        if request.method == "HEAD" { fc_setopt_long(pointer, CURLOPT_NOBODY, 1) }
        setList(CURLOPT_HTTPHEADER, headers)
    }

    private func setCallbacks(_ transfer: Transfer) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        fc_setopt_ptr(pointer, CURLOPT_HEADERDATA, context)
        fc_setopt_data_fn(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return EasyHandle.transfer(context).receiveHeaderLine(line) ? line.count : -1
        }
        fc_setopt_ptr(pointer, CURLOPT_WRITEDATA, context)
        fc_setopt_data_fn(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context else { return 0 }
            return EasyHandle.transfer(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        fc_setopt_ptr(pointer, CURLOPT_READDATA, context)
        fc_setopt_data_fn(pointer, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let context else { return 0 }
            return EasyHandle.transfer(context).supply(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
    }

    private static func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func setBlob(_ option: CURLoption, _ text: String) {
        var text = text
        _ = text.withUTF8 { fc_setopt_blob(pointer, option, $0.baseAddress, $0.count) }
    }

    private func setList(_ option: CURLoption, _ lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) ?? list }
        guard let list else { return }
        lists.append(list)
        fc_setopt_slist(pointer, option, list)
    }
}
