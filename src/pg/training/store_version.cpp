#include "pg/training/store_version.hpp"

#include "pg/lifecycle/existing_functions.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/models/parameters.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// Functions of a model have the types that its ids had when they were made.
void warn_of_other_types(const TrainArguments& arguments, const FormerVersion& former) {
    const SourceColumn &user = arguments.source.user, &item = arguments.source.item;
    if (user.type == former.user_type && item.type == former.item_type) return;
    const std::string calls = calls_for_functions_of(arguments.model, "mf_create_functions", arguments.model);
    if (calls.empty()) return;
    report(WARNING, "the functions of model \"" + arguments.model + "\" must be made again",
           "Its users are " + type_name(user.type) + " and its items " + type_name(item.type) + " now.", calls);
}

void require_exists(Oid relation, const std::string& name, const char* hint) {
    const bool exists = pg_call([relation] {
        LockRelationOid(relation, AccessShareLock);
        return get_rel_relkind(relation) != '\0';
    });
    if (!exists)
        throw SqlError(ERRCODE_UNDEFINED_TABLE, name + " was dropped while a model was trained on it", "", hint);
}

}  // namespace

void require_sources(const TrainArguments& arguments) {
    require_exists(arguments.source.relation, arguments.source.name, "Train the model on another relation.");
    for (const auto* features : {&arguments.item_features, &arguments.user_features})
        if (*features)
            require_exists((*features)->relation, (*features)->name,
                           "Train the model with features from another relation.");
}

std::string found_json(const TrainArguments& arguments, const Settings& found) {
    return found.empty() ? arguments.found_json : write_settings(found);
}

StoredVersion store_version(const Catalog& catalog, const TrainArguments& arguments, Oid owner, std::int64_t model_id,
                            const TrainResult& trained, double seconds, const Verdict& verdict) {
    NewVersion row;
    row.model = arguments.model;
    row.owner = owner;
    row.source = &arguments.source;
    if (arguments.item_features) row.features.items = arguments.item_features->relation;
    if (arguments.user_features) row.features.users = arguments.user_features->relation;
    row.options = &arguments.options;
    row.algorithm = named_trainer(arguments.options).name;
    const Settings& found = trained.found.found;
    TrainOptions resolved = arguments.options;
    apply_settings(found, resolved);
    row.parameters = write_parameters(resolved, arguments.options_json, found_json(arguments, found), trained,
                                      arguments.store_users);
    row.metrics = write_metrics(trained.summary, verdict.live ? &*verdict.live : nullptr);
    row.summary = trained.summary;
    row.seconds = seconds;
    const std::optional<FormerVersion> former = find_former_version(catalog, arguments.model);
    if (former) row.message = arguments.publish ? verdict.objection : R"("publish" is false)";
    row.live = row.message.empty();
    const std::int32_t version = publish(catalog, model_id, row);
    if (former && row.live) warn_of_other_types(arguments, *former);
    if (!row.live)
        report(arguments.publish ? WARNING : NOTICE, version_label(arguments.model, version) + " is not live",
               arguments.publish ? row.message + "." : "",
               "SELECT mf_set_live(" + quoted_literal(arguments.model) + ", " + std::to_string(version) +
                   "); publishes it.");
    const TrainSummary& summary = trained.summary;
    report(LOG, "trained version " + std::to_string(version) + " of model \"" + arguments.model + "\" on " +
                    std::to_string(summary.ratings) + " interactions of " + std::to_string(summary.users) +
                    " users and " + std::to_string(summary.items) + " items in " + std::to_string(seconds) + " s");
    return {version, row.message};
}

}  // namespace mf::pg
