#include "pg/lifecycle/grants.hpp"

#include "pg/lifecycle/model_copies.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/own_tables.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

void run(const Catalog& catalog, const char* sql, const std::string& model, Oid role) {
    const std::string statement = with_table_names(catalog, sql);
    pg_call([&catalog, role, statement = statement.c_str(), model = model.c_str()] {
        const Parameter parameters[] = {text_parameter_unsafe(model), role_parameter(role)};
        run_statement_unsafe(catalog, statement, lengthof(parameters), parameters);
    });
}

/// The role of a grant, after a check that the caller may grant and revoke. Also deletes grants to dropped roles, which
/// nobody can name any more.
Oid begin_change(const Catalog& catalog, const std::string& model, const char* grantee) {
    lock_own_model(catalog, model, false);
    const Oid role = role_named(grantee, true);
    run(catalog,
        "DELETE FROM {grants} WHERE model = $1 AND grantee <> 0"
        " AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = grantee)",
        model, role);
    return role;
}

}  // namespace

void grant_model(const Catalog& catalog, const char* model, const char* grantee) {
    const Oid role = begin_change(catalog, model, grantee);
    run(catalog, "INSERT INTO {grants} (model, grantee) VALUES ($1, $2) ON CONFLICT DO NOTHING", model, role);
    update_copies(catalog, model);
}

void revoke_model(const Catalog& catalog, const char* model, const char* grantee) {
    const Oid role = begin_change(catalog, model, grantee);
    run(catalog, "DELETE FROM {grants} WHERE model = $1 AND grantee = $2", model, role);
    update_copies(catalog, model);
}

void set_owner(const Catalog& catalog, const char* model, const char* owner) {
    lock_own_model(catalog, model, true);
    const Oid role = role_named(owner, false);
    pg_call([role] { check_can_give_to_role_unsafe(role); });
    run(catalog,
        "UPDATE {trainings} SET owner = $2 WHERE model = $1"
        " AND owner::regrole = (SELECT owner::regrole FROM {models} WHERE model = $1 AND live)",
        model, role);
    run(catalog, "UPDATE {models} SET owner = $2 WHERE model = $1", model, role);
    update_copies(catalog, model);
}

void delete_orphaned_grants(const Catalog& catalog, const std::string& model) {
    const std::string statement = with_table_names(
        catalog, "DELETE FROM {grants} WHERE model = $1 AND NOT EXISTS (SELECT FROM {models} WHERE model = $1)");
    pg_call([&catalog, statement = statement.c_str(), model = model.c_str()] {
        const Parameter name = text_parameter_unsafe(model);
        run_statement_unsafe(catalog, statement, 1, &name);
    });
}

}  // namespace mf::pg
