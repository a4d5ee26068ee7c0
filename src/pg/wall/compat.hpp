// The only way PostgreSQL's headers enter the project: after those of C++, without the macros that clash, and with the
// differences between server versions 15 to 18 hidden behind the functions below.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lwlock.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
}

#if PG_VERSION_NUM < 150000
#error "mf_ext needs PostgreSQL 15 or later"
#endif

// Macros that would replace names of the standard library or of this project.
#undef Abs
#undef Max
#undef Min
#undef _
#undef gettext
#undef ngettext
#undef snprintf
#undef vsnprintf
#undef printf
#undef fprintf
#undef sprintf
#undef strerror
#undef strtof
#undef foreach

// Before 16, PGDLLEXPORT is empty, so that -fvisibility=hidden hides every function.
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

namespace mf::pg {

/// Raises an error unless the current user may transfer objects to the role, as for ALTER ... OWNER TO; 16 requires the
/// right to SET ROLE.
inline void check_can_give_to_role_unsafe(Oid role) {
#if PG_VERSION_NUM >= 160000
    check_can_set_role(GetUserId(), role);
#else
    check_is_member_of_role(GetUserId(), role);
#endif
}

/// True if the role has USAGE on the schema; 16 has one function for all kinds of objects.
inline bool may_use_schema_unsafe(Oid schema, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK;
#else
    return pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/// Calls f(setting) for every setting of the server, custom ones included; 16 returns their number in another way.
template <class F>
void for_each_setting_unsafe(const F& f) {
#if PG_VERSION_NUM >= 160000
    int count;
    config_generic** settings = get_guc_variables(&count);
#else
    const int count = GetNumConfigOptions();
    config_generic** settings = get_guc_variables();
#endif
    for (int i = 0; i < count; ++i) f(settings[i]);
}

/// A callback for the walkers of query trees; before 16 they take functions without arguments.
using TreeWalker = bool (*)(Node*, void*);
inline auto tree_walker(TreeWalker walker) {
#if PG_VERSION_NUM >= 160000
    return walker;
#else
    return reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker));
#endif
}

/// ExecInsertIndexTuples for new rows that must not conflict; 16 added an argument.
inline void insert_index_entries_unsafe(ResultRelInfo* relation, TupleTableSlot* slot, EState* estate) {
    List* recheck =
#if PG_VERSION_NUM >= 160000
        ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL, false);
#else
        ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL);
#endif
    list_free(recheck);
}

}  // namespace mf::pg
