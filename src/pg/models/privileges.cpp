#include "pg/models/privileges.hpp"

#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

/// Columns of mf_grant_data.
enum GrantColumn : AttrNumber { kModel = 1, kGrantee };

/// True if the user has the privileges of the role, and not only since a superuser has those of all roles.
bool is_member_unsafe(Oid role) {
    return superuser() ? is_member_of_role_nosuper(GetUserId(), role) : has_privs_of_role(GetUserId(), role);
}

/// The best standing that grants give.
Standing granted_unsafe(const Catalog& catalog, const char* model) {
    Relation grants = table_open(catalog.grants, AccessShareLock);
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, kModel, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           CStringGetTextDatum(model));
    SysScanDesc scan = systable_beginscan(grants, catalog.grants_index, true, GetActiveSnapshot(), 1, &key);
    Standing standing = Standing::None;
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple) && standing != Standing::Granted;
         tuple = systable_getnext(scan)) {
        bool null;
        const Oid grantee = DatumGetObjectId(heap_getattr(tuple, kGrantee, RelationGetDescr(grants), &null));
        if (!OidIsValid(grantee))
            standing = Standing::Public;
        else if (is_member_unsafe(grantee))
            standing = Standing::Granted;
    }
    systable_endscan(scan);
    table_close(grants, AccessShareLock);
    return standing;
}

}  // namespace

bool may_manage_unsafe(const Catalog& catalog, Oid owner) {
    return has_privs_of_role(GetUserId(), owner) ||
           has_privs_of_role(GetUserId(), relation_owner_unsafe(catalog.models));
}

bool may_use_unsafe(const Catalog& catalog, const char* model, Oid owner) {
    return may_manage_unsafe(catalog, owner) || granted_unsafe(catalog, model) != Standing::None;
}

Standing standing_unsafe(const Catalog& catalog, const char* model, Oid owner) {
    if (owner == GetUserId()) return Standing::Owned;
    // The role may have been dropped.
    if (SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)) && is_member_unsafe(owner)) return Standing::Granted;
    const Standing granted = granted_unsafe(catalog, model);
    return granted == Standing::None && may_manage_unsafe(catalog, owner) ? Standing::Public : granted;
}

void require_access(const Catalog& catalog, const std::string& model, Oid owner, Access access) {
    const bool manage = access == Access::Manage;
    const bool allowed = pg_call([&catalog, manage, owner, name = model.c_str()] {
        return manage ? may_manage_unsafe(catalog, owner) : may_use_unsafe(catalog, name, owner);
    });
    if (allowed) return;
    if (manage)
        throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE, "must be owner of model \"" + model + "\"", "",
                       "A grant lets a role use a model; all else requires the privileges of its owner.");
    throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied for model \"" + model + "\"", "",
                   "A model may be used by the role that owns it, by members of that role, and by those to whom they "
                   "grant it with mf_grant.");
}

void require_owner_exists(const std::string& model, Oid owner) {
    if (pg_call([owner] { return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)); })) return;
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, "the role that owns model \"" + model + "\" does not exist any more",
                   "Its source is read with the rights of that role.",
                   "A superuser can give it to another role with mf_set_owner('" + model + "', '...').");
}

Oid role_named(const char* name, bool allow_public) {
    if (allow_public && std::string_view(name) == "public") return InvalidOid;
    const Oid role = pg_call([name] { return get_role_oid(name, true); });
    if (!OidIsValid(role))
        throw SqlError(ERRCODE_UNDEFINED_OBJECT, std::string("role \"") + name + "\" does not exist", "",
                       std::string("Roles are listed in pg_roles, with names as they are, not quoted") +
                           (allow_public ? "; 'public' means every role." : "."));
    return role;
}

}  // namespace mf::pg
