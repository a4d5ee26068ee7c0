// mf_drop_model, mf_set_live, mf_rename_model
#include <algorithm>

#include "pg/cache/cache_release.hpp"
#include "pg/distributed/run_rows.hpp"
#include "pg/lifecycle/existing_functions.hpp"
#include "pg/lifecycle/grants.hpp"
#include "pg/lifecycle/model_copies.hpp"
#include "pg/lifecycle/publish.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/sql/own_tables.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// Deletes one version, or all for a null version and with them a distributed training run that is not done; waits for
/// training runs in progress. If the live one is deleted and others remain, the latest of them becomes live and a
/// NOTICE says so. The last version takes the grants with it. Returns the number of deleted versions. Throws
/// undefined_object, insufficient_privilege.
int drop_versions(const Catalog& catalog, const char* model, std::optional<std::int64_t> version) {
    const std::string name = model;
    // One that never became a model is all that there may be.
    if (!version && drop_run_of(catalog, name) && !find_owner(catalog, name)) return 0;
    lock_own_model(catalog, name, true);
    const std::string remove = with_table_names(
        catalog,
        "WITH old AS (DELETE FROM {models} WHERE model = $1 AND ($2 IS NULL OR version = $2) RETURNING model_id)" +
            std::string(kRowsOfOld));
    const std::string promote =
        with_table_names(catalog,
                         "UPDATE {models} SET live = true WHERE model = $1 AND version = (SELECT max(version) FROM "
                         "{models} WHERE model = $1)"
                         " AND NOT EXISTS (SELECT FROM {models} WHERE model = $1 AND live) RETURNING version");
    const bool all = !version.has_value();
    const std::int64_t wanted = version.value_or(0);
    StatementResult promoted{};
    const int dropped = pg_call([&, all, wanted, remove = remove.c_str(), promote = promote.c_str()] {
        const Parameter arguments[] = {text_parameter_unsafe(name.c_str()),
                                       all ? null_parameter(INT8OID) : int8_parameter(wanted)};
        const int count = static_cast<int>(run_statement_unsafe(catalog, remove, 2, arguments).rows);
        if (count > 0) release_dropped_at_commit_unsafe(catalog);
        if (count > 0 && !all) promoted = run_statement_unsafe(catalog, promote, 1, arguments);
        return count;
    });
    if (dropped == 0) throw_no_such_version(name, wanted);
    delete_orphaned_grants(catalog, name);
    update_copies(catalog, name);
    if (!find_owner(catalog, name))
        if (const std::string calls = calls_for_functions_of(name, "mf_drop_functions", name); !calls.empty())
            report(NOTICE, "the functions of model \"" + name + "\" still exist", "", calls);
    if (promoted.has_first) note_publication(catalog, name);
    if (promoted.has_first)
        report(NOTICE, "version " + std::to_string(promoted.first) + " of model \"" + name + "\" is live now");
    return dropped;
}

/// Makes a version live, from the commit on. Returns the one that was live, which may be the same. Waits for a training
/// run that is about to commit, but not for one that is still computing, which will make its version live when it ends.
/// Throws undefined_object, insufficient_privilege.
std::int32_t set_live(const Catalog& catalog, const char* model, std::int64_t version) {
    const std::string name = model;
    lock_own_model(catalog, name, false);
    const std::string find = with_table_names(catalog, "SELECT version FROM {models} WHERE model = $1 AND live");
    // Two statements, since the unique index on live versions is checked as each row is updated.
    const std::string retire = with_table_names(catalog, "UPDATE {models} SET live = false WHERE model = $1 AND live");
    const std::string promote = with_table_names(
        catalog, "UPDATE {models} SET live = true WHERE model = $1 AND version = $2 RETURNING version");
    struct Outcome {
        std::int32_t previous;
        bool found;
    };
    const Outcome outcome =
        pg_call([&catalog, model, version, find = find.c_str(), retire = retire.c_str(), promote = promote.c_str()] {
            const Parameter arguments[] = {text_parameter_unsafe(model), int8_parameter(version)};
            const std::int32_t previous = run_statement_unsafe(catalog, find, 1, arguments).first;
            if (previous == version) return Outcome{previous, true};
            run_statement_unsafe(catalog, retire, 1, arguments);
            return Outcome{previous, run_statement_unsafe(catalog, promote, 2, arguments).has_first};
        });
    if (!outcome.found) throw_no_such_version(name, version);
    note_publication(catalog, name);
    update_copies(catalog, name);
    return outcome.previous;
}

/// Renames the model with its versions and grants; waits for training runs in progress. Throws undefined_object,
/// insufficient_privilege, invalid_name, and duplicate_object if a model has that name, whoever owns it.
void rename_model(const Catalog& catalog, const char* model, const char* new_name) {
    const std::string from = model;
    const std::string to = new_name;
    own_model(catalog, from);
    // Always in the same order, so that two sessions that exchange names do not deadlock.
    for (const std::string& name : {std::min(from, to), std::max(from, to)})
        lock_model(catalog, name, ModelLock::Training);
    lock_own_model(catalog, from, true);
    lock_model(catalog, to, ModelLock::Publication);
    if (find_owner(catalog, to))
        throw SqlError(ERRCODE_DUPLICATE_OBJECT, "model \"" + to + "\" already exists", "",
                       "Choose another name, or delete that model with mf_drop_model.");
    delete_orphaned_grants(catalog, to);
    for (const char* sql :
         // Another model of the name may have been somebody else's.
         {"UPDATE {trainings} SET model = $2 WHERE model = $1"
          " AND owner::regrole = (SELECT owner::regrole FROM {models} WHERE model = $1 AND live)",
          "UPDATE {models} SET model = $2 WHERE model = $1", "UPDATE {grants} SET model = $2 WHERE model = $1"}) {
        const std::string statement = with_table_names(catalog, sql);
        pg_call([&catalog, model, new_name, statement = statement.c_str()] {
            const Parameter names[] = {text_parameter_unsafe(model), text_parameter_unsafe(new_name)};
            run_statement_unsafe(catalog, statement, lengthof(names), names);
        });
    }
    rename_copies(catalog, from, to);
    if (const std::string calls = calls_for_functions_of(from, "mf_create_functions", to); !calls.empty())
        report(NOTICE, "the functions of model \"" + from + "\" must be made again for its new name", "", calls);
}

struct VersionArguments {
    Catalog catalog;
    const char* model;
    std::optional<std::int64_t> version;
};

/// The arguments model and version; throws if no model is named.
VersionArguments version_arguments(FunctionCallInfo fcinfo, const char* command) {
    const auto arguments = pg_call([fcinfo, command] {
        PreventCommandIfReadOnly(command);
        VersionArguments read{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), std::nullopt};
        if (!PG_ARGISNULL(1)) read.version = PG_GETARG_INT64(1);
        return read;
    });
    require_model_name(arguments.model);
    return arguments;
}

}  // namespace

MF_FUNCTION(mf_drop_model) {
    const VersionArguments arguments = version_arguments(fcinfo, "mf_drop_model()");
    return Int32GetDatum(drop_versions(arguments.catalog, arguments.model, arguments.version));
}

MF_FUNCTION(mf_set_live) {
    const VersionArguments arguments = version_arguments(fcinfo, "mf_set_live()");
    require_given(arguments.version.has_value(), "the version");
    return Int32GetDatum(set_live(arguments.catalog, arguments.model, *arguments.version));
}

MF_FUNCTION(mf_rename_model) {
    struct Arguments {
        Catalog catalog;
        const char* model;
        const char* new_name;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_rename_model()");
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), text_argument_unsafe(fcinfo, 1)};
    });
    require_model_name(arguments.model);
    require_model_name(arguments.new_name);
    check_new_model_name(arguments.new_name);
    rename_model(arguments.catalog, arguments.model, arguments.new_name);
    return Datum{0};
}

}  // namespace mf::pg
