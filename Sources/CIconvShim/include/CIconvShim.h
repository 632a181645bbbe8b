#pragma once
#include <stddef.h>

/* glibc's iconv, which Swift's Glibc module leaves out. See iconv(3). */

typedef struct ficonv *ficonv_t;

/* NULL when glibc does not know one of the two encodings. */
ficonv_t ficonv_open(const char *to, const char *from);
void ficonv_close(ficonv_t converter);

/* Converts as much as fits and advances all four. Returns 0 when the input was used up, else errno: E2BIG (output full),
   EINVAL (the input ends inside a character), EILSEQ (no character of the encoding). */
int ficonv_convert(ficonv_t converter, const char **in, size_t *in_left, char **out, size_t *out_left);
