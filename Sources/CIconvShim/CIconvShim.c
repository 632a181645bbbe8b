#include "CIconvShim.h"
#include <errno.h>
#include <iconv.h>

ficonv_t ficonv_open(const char *to, const char *from) {
    iconv_t converter = iconv_open(to, from);
    return converter == (iconv_t)-1 ? NULL : (ficonv_t)converter;
}

void ficonv_close(ficonv_t converter) { iconv_close((iconv_t)converter); }

int ficonv_convert(ficonv_t converter, const char **in, size_t *in_left, char **out, size_t *out_left) {
    size_t converted = iconv((iconv_t)converter, (char **)in, in_left, out, out_left);
    return converted == (size_t)-1 ? errno : 0;
}
