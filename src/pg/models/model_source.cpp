#include "pg/models/model_source.hpp"

#include "pg/sql/ids.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

/// Types whose values have the same id: an integer column may be widened, varchar become text.
bool same_ids_unsafe(Oid a, Oid b) {
    const auto is_text = [](Oid type) { return type == TEXTOID || type == VARCHAROID; };
    if (id_kind_unsafe(a) == IdKind::Integer) return id_kind_unsafe(b) == IdKind::Integer;
    return a == b || (is_text(getBaseType(a)) && is_text(getBaseType(b)));
}

void check_id_type(const std::string& model, const SourceColumn& column, Oid expected) {
    if (pg_call([now = column.type, expected] { return same_ids_unsafe(now, expected); })) return;
    throw SqlError(ERRCODE_DATATYPE_MISMATCH, "column \"" + column.name + "\" is now of type " + type_name(column.type),
                   "It had type " + type_name(expected) + " when model \"" + model + "\" was trained.",
                   "Train the model again.");
}

Source describe_again(const std::string& model, const ModelVersion& version) {
    try {
        return describe_source(
            version.source,
            {NameStr(version.user_column), NameStr(version.item_column), name_or_null(version.rating_column),
             name_or_null(version.time_column), version.tenant.column_or_null(), version.tenant.value_or_null()},
            version.owner);
    } catch (const SqlError& e) {
        throw SqlError(e.sqlstate(), e.what(), e.detail(),
                       "The source has changed since model \"" + model + "\" was trained. Train it again.");
    }
}

}  // namespace

void require_source(const std::string& model, Oid source) {
    if (relation_exists(source)) return;
    throw SqlError(ERRCODE_UNDEFINED_TABLE, "the source of model \"" + model + "\" does not exist any more", "",
                   "Train the model on another relation with mf_train.");
}

Source current_source(const std::string& model, const ModelVersion& version) {
    if (!relation_exists(version.source))
        throw SqlError(ERRCODE_UNDEFINED_TABLE, "the source of model \"" + model + "\" does not exist any more",
                       "Its rows show what a user has seen since the training run.",
                       "Train the model on another relation. Where it stores users, mf_recommend and mf_recommend_all "
                       "with exclude_seen => false serve from the stored factors.");
    Source source = describe_again(model, version);
    check_id_type(model, source.user, version.user_type);
    check_id_type(model, source.item, version.item_type);
    return source;
}

}  // namespace mf::pg
