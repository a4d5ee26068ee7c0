#include "pg/features/current_features.hpp"

namespace mf::pg {
namespace {

FeatureRelation describe_again(const std::string& model, Oid relation, const char* id_column, Oid owner) {
    try {
        return describe_features(relation, id_column, owner);
    } catch (const SqlError& e) {
        throw SqlError(e.sqlstate(), e.what(), e.detail(),
                       "The relation of features has changed since model \"" + model +
                           "\" was trained. Undo that, or train the model again.");
    }
}

}  // namespace

FeatureRelation current_features(const ServedVersion& model, Side side) {
    const bool of_items = side == Side::Items;
    const ModelVersion& version = model.version;
    const Oid relation = version.features[side].value_or(InvalidOid);
    if (!relation_exists(relation))
        throw SqlError(
            ERRCODE_UNDEFINED_TABLE,
            "the relation of features that model \"" + model.name + "\" was trained with does not exist any more",
            "The model goes on to serve.",
            std::string("Train the model with another one: mf_train(..., options => '{\"") +
                (of_items ? "item_features" : "user_features") + "\": \"...\"}').");
    FeatureRelation features = describe_again(
        model.name, relation, NameStr(of_items ? version.item_column : version.user_column), version.owner);
    if (features.id.kind() != (of_items ? model.item_kind : model.user_kind))
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       "column \"" + features.id.name + "\" of " + features.name + " is now of type " +
                           type_name(features.id.type),
                       std::string(of_items ? "The items" : "The users") + " of model \"" + model.name +
                           "\" have ids of another type.",
                       "Undo that, or train the model again.");
    return features;
}

}  // namespace mf::pg
