#pragma once
#include <stddef.h>

/* libxml2's push parsers, told by callbacks. Swift can't import libxml2's own headers beside Foundation: Debian's include those
   of another ICU. */

typedef struct fxml *fxml_t;

/* What a text holds, told while it is read. Names are without prefix; texts are UTF-8, not ended by a NUL, and may come in
   pieces. `stream` is for fxml_attribute. */
typedef struct {
    void *context;
    void (*start)(void *context, fxml_t stream, const char *name);
    void (*end)(void *context, const char *name);
    void (*text)(void *context, const char *bytes, size_t count);
} fxml_callbacks;

/* For XML, or for HTML in UTF-8, whatever the page says of its encoding. NULL when there is no memory. */
fxml_t fxml_open(fxml_callbacks callbacks, int is_html);
void fxml_close(fxml_t stream);

/* The value of an attribute of the element that begins; only within `start`. NULL when it has none of this name. */
const char *fxml_attribute(fxml_t stream, const char *name, size_t *count);

enum { FXML_OK = 0, FXML_DAMAGED = 1, FXML_DOCUMENT_TYPE = 2 };

/* Reads a piece. XML with a document type is not read on: with one come entities that grow or that name other files. HTML is
   never damaged: its parser takes what browsers take. */
int fxml_feed(fxml_t stream, const char *bytes, size_t count, int is_last);
