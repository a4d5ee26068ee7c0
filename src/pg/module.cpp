// Loading of the library.
#include "pg/sql/checked_query.hpp"
#include "pg/wall/guc.hpp"

extern "C" {

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "mf_ext", .version = MF_EXT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
    mf::pg::define_settings_unsafe();
    mf::pg::install_checked_queries();
}
}
