import CXMLShim
import Glibc

/// What an XML or HTML text holds, told while it is read.
protocol XMLHandler: AnyObject {
    func start(_ element: XMLElement)
    func end(_ name: XMLName)
    /// - Parameter bytes: a piece of a text, UTF-8.
    func text(_ bytes: UnsafeBufferPointer<UInt8>)
}

/// The name of an element without its prefix, as the parser holds it.
struct XMLName {
    fileprivate let bytes: UnsafePointer<CChar>

    static func == (name: XMLName, text: StaticString) -> Bool {
        // Both end with a NUL.
        strcmp(name.bytes, UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }
}

/// An element that begins.
struct XMLElement {
    let name: XMLName
    fileprivate let stream: OpaquePointer

    /// The value of an attribute, by its name without prefix.
    func attribute(_ name: StaticString) -> String? {
        var count = 0
        guard
            let value = fxml_attribute(
                stream, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), &count)
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: value, count: count)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Feeds pieces of an XML or HTML text to a handler, by libxml2's push parsers.
final class XMLStream {
    private let handler: any XMLHandler
    private var stream: OpaquePointer?

    init(_ handler: any XMLHandler, isHTML: Bool = false) {
        self.handler = handler
        let callbacks = fxml_callbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            start: { context, stream, name in
                guard let name, let stream else { return }
                XMLStream.of(context)?.handler.start(XMLElement(name: XMLName(bytes: name), stream: stream))
            },
            end: { context, name in
                guard let name else { return }
                XMLStream.of(context)?.handler.end(XMLName(bytes: name))
            },
            text: { context, bytes, count in
                UnsafeBufferPointer(start: bytes, count: count).withMemoryRebound(to: UInt8.self) {
                    XMLStream.of(context)?.handler.text($0)
                }
            })
        stream = fxml_open(callbacks, isHTML ? 1 : 0)
    }

    deinit { fxml_close(stream) }

    /// - Parameter isLast: whether nothing follows.
    /// - Returns: nil, or what is wrong with the text.
    func feed(_ piece: UnsafeRawBufferPointer, isLast: Bool) -> String? {
        guard let stream else { return "needs more memory than there is" }
        switch fxml_feed(
            stream, piece.baseAddress?.assumingMemoryBound(to: CChar.self), piece.count, isLast ? 1 : 0)
        {
        case Int32(FXML_DOCUMENT_TYPE): return "has a document type declaration, which no workbook has"
        case Int32(FXML_DAMAGED): return "holds XML that is damaged"
        default: return nil
        }
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> XMLStream? {
        context.map { Unmanaged<XMLStream>.fromOpaque($0).takeUnretainedValue() }
    }
}
