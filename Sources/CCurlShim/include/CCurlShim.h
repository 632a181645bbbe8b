#pragma once
#include <curl/curl.h>

// libcurl's setters and getters are variadic, which Swift cannot call: one line per type of argument.
CURLcode fc_setopt_long(CURL *handle, CURLoption option, long value);
CURLcode fc_setopt_off(CURL *handle, CURLoption option, curl_off_t value);
CURLcode fc_setopt_str(CURL *handle, CURLoption option, const char *value);
CURLcode fc_setopt_ptr(CURL *handle, CURLoption option, void *value);
CURLcode fc_setopt_slist(CURL *handle, CURLoption option, struct curl_slist *value);
/// Copies the bytes.
CURLcode fc_setopt_blob(CURL *handle, CURLoption option, const void *bytes, size_t count);
/// For CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION, which have one shape.
CURLcode fc_setopt_data_fn(CURL *handle, CURLoption option, curl_write_callback function);
CURLcode fc_getinfo_long(CURL *handle, CURLINFO info, long *value);

/// Gives a connection up after 30 s in which sent bytes were not acknowledged. Linux would try for some 15 minutes, and
/// keep-alive probes do not run while something is unacknowledged (tcp(7), TCP_USER_TIMEOUT).
CURLcode fc_set_user_timeout(CURL *handle);

/// CURL_GLOBAL_DEFAULT; safe from several threads at once (libcurl 7.84 and later).
CURLcode fc_global_init(void);
/// Writing to a closed connection must come back as an error on this thread, not as a signal to the process.
void fc_block_sigpipe(void);
/// At most 15 bytes are shown.
void fc_name_this_thread(const char *name);
