// zlib for request bodies in gzip.
#include <zlib.h>

// `inflateInit2` is a macro, which Swift does not see.
static inline int windfire_inflate_init(z_streamp stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
