#include "pg/model_admin.hpp"

#include "pg/cache_release.hpp"
#include "pg/environment.hpp"
#include "pg/grants.hpp"
#include "pg/model_locks.hpp"
#include "pg/model_rows.hpp"
#include "pg/own_tables.hpp"

namespace mf::pg {
namespace {

[[noreturn]] void throw_no_such_version(const std::string& model, std::int32_t version) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, "model \"" + model + "\" has no version " + std::to_string(version), "",
                   "Versions are listed in mf_models.");
}

}  // namespace

int drop_versions(const Catalog& catalog, const char* model, std::optional<std::int32_t> version) {
    const std::string name = model;
    lock_own_model(catalog, name, true);
    const std::string remove = with_table_names(
        catalog,
        "WITH old AS (DELETE FROM {models} WHERE model = $1 AND ($2 IS NULL OR version = $2) RETURNING model_id),"
        " u AS (DELETE FROM {user_factors} f USING old WHERE f.model_id = old.model_id),"
        " i AS (DELETE FROM {item_factors} f USING old WHERE f.model_id = old.model_id) SELECT FROM old");
    const std::string promote =
        with_table_names(catalog,
                         "UPDATE {models} SET live = true WHERE model = $1 AND version = (SELECT max(version) FROM "
                         "{models} WHERE model = $1)"
                         " AND NOT EXISTS (SELECT FROM {models} WHERE model = $1 AND live) RETURNING version");
    const bool all = !version.has_value();
    const std::int32_t wanted = version.value_or(0);
    StatementResult promoted{};
    const int dropped = pg_call([&, all, wanted, remove = remove.c_str(), promote = promote.c_str()] {
        const Parameter arguments[] = {text_parameter_unsafe(name.c_str()),
                                       all ? null_parameter(INT4OID) : int4_parameter(wanted)};
        const int count = static_cast<int>(run_statement_unsafe(catalog, remove, 2, arguments).rows);
        if (count > 0) release_dropped_at_commit_unsafe(catalog);
        if (count > 0 && !all) promoted = run_statement_unsafe(catalog, promote, 1, arguments);
        return count;
    });
    if (dropped == 0) throw_no_such_version(name, wanted);
    delete_orphaned_grants(catalog, name);
    if (promoted.has_first)
        report(NOTICE, "version " + std::to_string(promoted.first) + " of model \"" + name + "\" is live now");
    return dropped;
}

}  // namespace mf::pg
