#include "CXMLShim.h"
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

struct fxml {
    fxml_callbacks callbacks;
    xmlParserCtxtPtr parser;
    int is_html;
    int has_document_type;
    /* Of the element that begins: name, prefix, namespace, beginning and end of the value by turns; in HTML name and value. */
    const xmlChar **attributes;
    int attribute_count;
};

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
    struct fxml *stream = context;
    (void)name, (void)external, (void)system;
    stream->has_document_type = 1;
    xmlStopParser(stream->parser);
}

static void on_xml_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *space, int spaces_count,
                         const xmlChar **spaces, int attribute_count, int default_count, const xmlChar **attributes) {
    struct fxml *stream = context;
    (void)prefix, (void)space, (void)spaces_count, (void)spaces, (void)default_count;
    stream->attributes = attributes;
    stream->attribute_count = attribute_count;
    stream->callbacks.start(stream->callbacks.context, stream, (const char *)name);
    stream->attributes = NULL;
}

static void on_xml_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *space) {
    struct fxml *stream = context;
    (void)prefix, (void)space;
    stream->callbacks.end(stream->callbacks.context, (const char *)name);
}

static void on_html_start(void *context, const xmlChar *name, const xmlChar **attributes) {
    struct fxml *stream = context;
    stream->attributes = attributes;
    stream->callbacks.start(stream->callbacks.context, stream, (const char *)name);
    stream->attributes = NULL;
}

static void on_html_end(void *context, const xmlChar *name) {
    struct fxml *stream = context;
    stream->callbacks.end(stream->callbacks.context, (const char *)name);
}

static void on_text(void *context, const xmlChar *bytes, int count) {
    struct fxml *stream = context;
    if (count > 0) stream->callbacks.text(stream->callbacks.context, (const char *)bytes, (size_t)count);
}

/* Set so that libxml2 prints nothing; what is wrong with a text is told by its result. */
static void on_error(void *context, xmlErrorPtr error) { (void)context, (void)error; }

fxml_t fxml_open(fxml_callbacks callbacks, int is_html) {
    struct fxml *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->callbacks = callbacks;
    stream->is_html = is_html;
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.characters = on_text;
    handler.ignorableWhitespace = on_text;
    if (is_html) {
        handler.startElement = on_html_start;
        handler.endElement = on_html_end;
        stream->parser = htmlCreatePushParserCtxt(&handler, stream, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
        /* A page that was decoded still says what it was encoded in. */
        if (stream->parser != NULL)
            htmlCtxtUseOptions(stream->parser, HTML_PARSE_IGNORE_ENC | HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                                                   HTML_PARSE_NOWARNING);
    } else {
        handler.initialized = XML_SAX2_MAGIC;
        handler.internalSubset = on_document_type;
        handler.startElementNs = on_xml_start;
        handler.endElementNs = on_xml_end;
        handler.cdataBlock = on_text;
        handler.serror = on_error;
        stream->parser = xmlCreatePushParserCtxt(&handler, stream, NULL, 0, NULL);
        /* The predefined entities, the only ones there are, are to be replaced in attributes too. */
        if (stream->parser != NULL) xmlCtxtUseOptions(stream->parser, XML_PARSE_NOENT | XML_PARSE_NONET);
    }
    if (stream->parser == NULL) {
        free(stream);
        return NULL;
    }
    return stream;
}

void fxml_close(fxml_t stream) {
    if (stream == NULL) return;
    if (stream->parser->myDoc != NULL) xmlFreeDoc(stream->parser->myDoc);
    stream->parser->myDoc = NULL;
    xmlFreeParserCtxt(stream->parser);
    free(stream);
}

const char *fxml_attribute(fxml_t stream, const char *name, size_t *count) {
    const xmlChar **attributes = stream->attributes;
    if (attributes == NULL) return NULL;
    if (stream->is_html) {
        for (; attributes[0] != NULL; attributes += 2)
            if (strcmp((const char *)attributes[0], name) == 0 && attributes[1] != NULL) {
                *count = strlen((const char *)attributes[1]);
                return (const char *)attributes[1];
            }
        return NULL;
    }
    for (int i = 0; i < stream->attribute_count; i++, attributes += 5)
        if (strcmp((const char *)attributes[0], name) == 0) {
            *count = (size_t)(attributes[4] - attributes[3]);
            return (const char *)attributes[3];
        }
    return NULL;
}

int fxml_feed(fxml_t stream, const char *bytes, size_t count, int is_last) {
    if (stream->is_html) {
        htmlParseChunk(stream->parser, bytes, (int)count, is_last);
        return FXML_OK;
    }
    int code = xmlParseChunk(stream->parser, bytes, (int)count, is_last);
    if (stream->has_document_type) return FXML_DOCUMENT_TYPE;
    return code == 0 || stream->parser->wellFormed ? FXML_OK : FXML_DAMAGED;
}
