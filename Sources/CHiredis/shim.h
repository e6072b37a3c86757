// hiredis for its protocol only: redisReader and redisFormatCommandArgv. Its sockets are not used.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
