#define _GNU_SOURCE
#include "CCurlShim.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

CURLcode fc_setopt_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
CURLcode fc_setopt_off(CURL *h, CURLoption o, curl_off_t v) { return curl_easy_setopt(h, o, v); }
CURLcode fc_setopt_str(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
CURLcode fc_setopt_ptr(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
CURLcode fc_setopt_slist(CURL *h, CURLoption o, struct curl_slist *v) { return curl_easy_setopt(h, o, v); }
CURLcode fc_setopt_blob(CURL *h, CURLoption o, const void *p, size_t n) {
    struct curl_blob blob = {.data = (void *)p, .len = n, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(h, o, &blob);
}
CURLcode fc_setopt_data_fn(CURL *h, CURLoption o, curl_write_callback f) { return curl_easy_setopt(h, o, f); }
CURLcode fc_getinfo_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }

static int set_user_timeout(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)context, (void)purpose;
    unsigned int milliseconds = 30000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    return CURL_SOCKOPT_OK;
}
CURLcode fc_set_user_timeout(CURL *h) { return curl_easy_setopt(h, CURLOPT_SOCKOPTFUNCTION, set_user_timeout); }

CURLcode fc_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

void fc_block_sigpipe(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void fc_name_this_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
