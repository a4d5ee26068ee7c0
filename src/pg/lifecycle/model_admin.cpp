#include "pg/lifecycle/model_admin.hpp"

#include <algorithm>

#include "pg/cache/cache_release.hpp"
#include "pg/wall/environment.hpp"
#include "pg/lifecycle/grants.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/own_tables.hpp"

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

std::int32_t set_live(const Catalog& catalog, const char* model, std::int32_t version) {
    const std::string name = model;
    lock_own_model(catalog, name, false);
    const std::string find = with_table_names(catalog, "SELECT version FROM {models} WHERE model = $1 AND live");
    // Two statements, since the index that allows one live version looks at each row as it is updated.
    const std::string retire = with_table_names(catalog, "UPDATE {models} SET live = false WHERE model = $1 AND live");
    const std::string promote = with_table_names(
        catalog, "UPDATE {models} SET live = true WHERE model = $1 AND version = $2 RETURNING version");
    struct Outcome {
        std::int32_t previous;
        bool found;
    };
    const Outcome outcome =
        pg_call([&catalog, model, version, find = find.c_str(), retire = retire.c_str(), promote = promote.c_str()] {
            const Parameter arguments[] = {text_parameter_unsafe(model), int4_parameter(version)};
            const std::int32_t previous = run_statement_unsafe(catalog, find, 1, arguments).first;
            if (previous == version) return Outcome{previous, true};
            run_statement_unsafe(catalog, retire, 1, arguments);
            return Outcome{previous, run_statement_unsafe(catalog, promote, 2, arguments).has_first};
        });
    if (!outcome.found) throw_no_such_version(name, version);
    return outcome.previous;
}

void rename_model(const Catalog& catalog, const char* model, const char* new_name) {
    const std::string from = model;
    const std::string to = new_name;
    own_model(catalog, from);
    // In one order whoever renames what, so that two who exchange names do not wait for each other.
    for (const std::string& name : {std::min(from, to), std::max(from, to)})
        lock_model(catalog, name, ModelLock::Training);
    lock_own_model(catalog, from, true);
    lock_model(catalog, to, ModelLock::Publication);
    if (find_owner(catalog, to))
        throw SqlError(ERRCODE_DUPLICATE_OBJECT, "model \"" + to + "\" already exists", "",
                       "Choose another name, or delete that model with mf_drop_model.");
    delete_orphaned_grants(catalog, to);
    for (const char* sql :
         {"UPDATE {models} SET model = $2 WHERE model = $1", "UPDATE {grants} SET model = $2 WHERE model = $1"}) {
        const std::string statement = with_table_names(catalog, sql);
        pg_call([&catalog, model, new_name, statement = statement.c_str()] {
            const Parameter names[] = {text_parameter_unsafe(model), text_parameter_unsafe(new_name)};
            run_statement_unsafe(catalog, statement, lengthof(names), names);
        });
    }
}

}  // namespace mf::pg
