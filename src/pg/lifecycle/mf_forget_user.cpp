// mf_forget_user
#include "pg/models/model_locks.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/sql/ids.hpp"
#include "pg/sql/own_tables.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

/// A version that had factors of the user.
struct ForgottenFrom {
    std::string model;
    std::int32_t version;
};

IdKind user_kind(const VersionRow& version) {
    return pg_call([type = version.user_type] { return id_kind_unsafe(type); });
}

/// The user as an id of the version; nothing if no id of the overload, or not this one, can be an id of the version.
std::optional<Id> id_in(const VersionRow& version, const IdView& user) {
    const IdKind kind = user_kind(version);
    return user.kind == kind || user.kind == IdKind::Text ? convert_id(user, kind) : std::nullopt;
}

bool delete_factors(const Catalog& catalog, std::int64_t model_id, const std::string& user_id) {
    const std::string remove =
        with_table_names(catalog, "DELETE FROM {user_factors} WHERE model_id = $1 AND user_id = $2");
    return pg_call([&catalog, model_id, remove = remove.c_str(), user = user_id.c_str()] {
        const Parameter key[] = {int8_parameter(model_id), text_parameter_unsafe(user)};
        return run_statement_unsafe(catalog, remove, lengthof(key), key).rows > 0;
    });
}

/// Takes both locks; false if the model was dropped or transferred to another role by then.
bool lock_if_managed(const Catalog& catalog, const std::string& model) {
    lock_model(catalog, model, ModelLock::Training);
    lock_model(catalog, model, ModelLock::Publication);
    const std::optional<Oid> owner = find_owner(catalog, model);
    return owner && pg_call([&catalog, owner = *owner] { return may_manage_unsafe(catalog, owner); });
}

/// Adds the versions that contained the user. Returns the last version if the user cannot be in any of them.
std::optional<VersionRow> forget_in(const Catalog& catalog, const std::string& model, const IdView& user,
                                    std::vector<ForgottenFrom>& result) {
    std::optional<VersionRow> unfit;
    bool fits = false;
    for (const VersionRow& version : versions_of(catalog, model)) {
        unfit = version;
        const std::optional<Id> id = id_in(version, user);
        if (!id) continue;
        fits = true;
        if (delete_factors(catalog, version.model_id, id->text())) result.push_back({model, version.version});
    }
    return fits ? std::nullopt : unfit;
}

/// Deletes the user's factors from all versions of the model, or of all models that the caller manages for a null name,
/// in the order of names and versions. Waits for training runs of those models in progress, since they may have read
/// the user's rows. Skips versions whose users have ids of another type. Throws datatype_mismatch or
/// invalid_text_representation if all versions of a named model are skipped, undefined_object, insufficient_privilege.
std::vector<ForgottenFrom> forget_user(const Catalog& catalog, const IdView& user, const char* model) {
    std::vector<ForgottenFrom> result;
    if (model == nullptr) {
        for (const std::string& name : managed_models(catalog))
            if (lock_if_managed(catalog, name)) forget_in(catalog, name, user, result);
        return result;
    }
    lock_own_model(catalog, model, true);
    if (const std::optional<VersionRow> unfit = forget_in(catalog, model, user, result)) {
        const IdKind kind = user_kind(*unfit);
        check_overload(user.kind, kind, unfit->user_type, "user", model);
        user_id(user, kind, unfit->user_type, model);
    }
    return result;
}

Datum forget(FunctionCallInfo fcinfo, IdKind kind) {
    struct Arguments {
        Catalog catalog;
        IdView user;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo, kind] {
        PreventCommandIfReadOnly("mf_forget_user()");
        begin_rows_unsafe(fcinfo);
        return Arguments{catalog_unsafe(fcinfo), id_argument_unsafe(fcinfo, 0, kind), text_argument_unsafe(fcinfo, 1)};
    });
    if (arguments.user.null) return Datum{0};
    for (const ForgottenFrom& from : forget_user(arguments.catalog, arguments.user, arguments.model))
        pg_call([fcinfo, model = from.model.c_str(), version = from.version] {
            put_row_unsafe(fcinfo, {CStringGetTextDatum(model), Int32GetDatum(version)});
        });
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_forget_user, forget)

}  // namespace mf::pg
