// The multi-threaded client: THREADED selects its API in the header, `zookeeper_mt` its library.
#ifndef THREADED
#define THREADED
#endif
#include <zookeeper/zookeeper.h>

// The ready-made access lists are mutable globals, which Swift does not let concurrent code touch. The library itself
// never writes to them; here they are only passed on.
static inline int windfire_zoo_acreate(zhandle_t *zh, const char *path, const char *value, int valuelen,
                                       int creator_only, int ephemeral, string_completion_t completion,
                                       const void *data) {
    return zoo_acreate(zh, path, value, valuelen, creator_only ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE,
                       ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, completion, data);
}

// Deletes an ephemeral entry and creates it anew, in one transaction. `results` is the caller's and has room for two;
// the library writes to it before the completion (zookeeper.h, zoo_amulti). The operations themselves are serialized at
// once.
static inline int windfire_zoo_areplace(zhandle_t *zh, const char *path, int version, const char *value, int valuelen,
                                        int creator_only, zoo_op_result_t *results, void_completion_t completion,
                                        const void *data) {
    zoo_op_t operations[2];
    zoo_delete_op_init(&operations[0], path, version);
    zoo_create_op_init(&operations[1], path, value, valuelen,
                       creator_only ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    return zoo_amulti(zh, 2, operations, results, completion, data);
}
