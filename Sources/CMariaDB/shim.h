// libmariadb, MariaDB's and MySQL's client library ("Connector/C"): connections and prepared statements. All of it
// blocks.
#include <mariadb/mysql.h>
#include <mariadb/errmsg.h>
