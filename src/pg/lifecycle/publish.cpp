#include "pg/lifecycle/publish.hpp"

#include <algorithm>

#include "pg/cache/cache_release.hpp"
#include "pg/lifecycle/grants.hpp"
#include "pg/lifecycle/model_copies.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/own_tables.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

std::int64_t next_model_id(const Catalog& catalog) {
    const Oid sequence = catalog.models_sequence;
    return pg_call([sequence] { return static_cast<std::int64_t>(nextval_internal(sequence, false)); });
}

void note_publication(const Catalog& catalog, const std::string& model) {
    const std::string note =
        with_table_names(catalog,
                         "UPDATE {trainings} t SET published = true, message = NULL FROM {models} m"
                         " WHERE m.model = $1 AND m.live AND t.model_id = m.model_id AND NOT t.published");
    pg_call([&catalog, note = note.c_str(), model = model.c_str()] {
        const Parameter name = text_parameter_unsafe(model);
        run_statement_unsafe(catalog, note, 1, &name);
    });
}

std::int32_t publish(const Catalog& catalog, std::int64_t model_id, const NewVersion& row) {
    const std::string retire =
        with_table_names(catalog, "UPDATE {models} SET live = false WHERE model = $1 AND live RETURNING version");
    const std::string insert = with_table_names(
        catalog,
        "INSERT INTO {models} (model_id, model, version, live, owner, source, user_column, item_column, rating_column,"
        " time_column, item_features, user_features, user_type, item_type, feedback, algorithm, parameters, users,"
        " items, ratings, metrics, trained_at, seconds, tenant_column, tenant)"
        " SELECT $2, $1, coalesce(max(version), 0) + 1, $21, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " $15, $16, $17, $18, $19, clock_timestamp(), $20, $22, $23 FROM {models} WHERE model = $1 RETURNING version");
    const std::string note = with_table_names(
        catalog,
        "INSERT INTO {trainings} (model_id, model, version, trained_at, owner, role, source, parameters, users, items,"
        " ratings, metrics, seconds, published, message)"
        " SELECT model_id, model, version, trained_at, owner, $2, $3, parameters, users, items, ratings, metrics,"
        " seconds, live, $4 FROM {models} WHERE model_id = $1");
    const std::string expire = with_table_names(
        catalog,
        "WITH old AS (DELETE FROM {models} WHERE model = $1 AND NOT live AND version NOT IN"
        " (SELECT version FROM {models} WHERE model = $1"
        "   ORDER BY live DESC, version IS NOT DISTINCT FROM $3 DESC, version DESC LIMIT $2) RETURNING model_id)" +
            std::string(kRowsOfOld));
    const int keep = std::max(setting_keep_versions(), row.live ? 1 : 2);
    lock_model(catalog, row.model, ModelLock::Publication);
    delete_orphaned_grants(catalog, row.model);
    const std::int32_t version = pg_call([&, model_id, keep, retire = retire.c_str(), insert = insert.c_str(),
                                          note = note.c_str(), expire = expire.c_str()] {
        const Source& source = *row.source;
        const Parameter model = text_parameter_unsafe(row.model.c_str());
        StatementResult retired{};
        if (row.live) retired = run_statement_unsafe(catalog, retire, 1, &model);
        const Parameter values[] = {
            model,
            int8_parameter(model_id),
            role_parameter(row.owner),
            {REGCLASSOID, ObjectIdGetDatum(source.relation), false},
            name_parameter_unsafe(source.user.name.c_str()),
            name_parameter_unsafe(source.item.name.c_str()),
            name_parameter_unsafe(source.rating ? source.rating->name.c_str() : nullptr),
            name_parameter_unsafe(source.time ? source.time->name.c_str() : nullptr),
            {REGCLASSOID, ObjectIdGetDatum(row.features.items), !OidIsValid(row.features.items)},
            {REGCLASSOID, ObjectIdGetDatum(row.features.users), !OidIsValid(row.features.users)},
            {REGTYPEOID, ObjectIdGetDatum(source.user.type), false},
            {REGTYPEOID, ObjectIdGetDatum(source.item.type), false},
            text_parameter_unsafe(row.options->feedback == Feedback::Explicit ? "explicit" : "implicit"),
            text_parameter_unsafe(row.algorithm.c_str()),
            jsonb_parameter_unsafe(row.parameters.c_str()),
            int8_parameter(static_cast<std::int64_t>(row.summary.users)),
            int8_parameter(static_cast<std::int64_t>(row.summary.items)),
            int8_parameter(static_cast<std::int64_t>(row.summary.ratings)),
            jsonb_parameter_unsafe(row.metrics.c_str()),
            {FLOAT8OID, Float8GetDatum(row.seconds), false},
            {BOOLOID, BoolGetDatum(row.live), false},
            name_parameter_unsafe(source.tenant ? source.tenant->column.name.c_str() : nullptr),
            text_parameter_unsafe(source.tenant ? source.tenant->value.c_str() : nullptr),
        };
        const StatementResult inserted = run_statement_unsafe(catalog, insert, lengthof(values), values);
        if (!inserted.has_first) elog(ERROR, "the new version was not stored");
        const Parameter run[] = {int8_parameter(model_id), text_parameter_unsafe(GetUserNameFromId(GetUserId(), false)),
                                 text_parameter_unsafe(source.name.c_str()),
                                 row.live ? null_parameter(TEXTOID) : text_parameter_unsafe(row.message.c_str())};
        run_statement_unsafe(catalog, note, lengthof(run), run);
        const Parameter bounds[] = {model, int4_parameter(keep),
                                    retired.has_first ? int4_parameter(retired.first) : null_parameter(INT4OID)};
        if (run_statement_unsafe(catalog, expire, lengthof(bounds), bounds).rows > 0)
            release_dropped_at_commit_unsafe(catalog);
        return inserted.first;
    });
    update_copies(catalog, row.model);
    return version;
}

}  // namespace mf::pg
