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

FeatureRelation current_features(const std::string& model, Oid relation, const char* id_column, IdKind kind, Oid owner,
                                 Side side) {
    if (!relation_exists(relation))
        throw SqlError(ERRCODE_UNDEFINED_TABLE,
                       "the relation of features that model \"" + model + "\" was trained with does not exist any more",
                       "The model goes on to serve.",
                       std::string("Train the model with another one: mf_train(..., options => '{\"") +
                           (side == Side::Items ? "item_features" : "user_features") + "\": \"...\"}').");
    FeatureRelation features = describe_again(model, relation, id_column, owner);
    if (features.id.kind() != kind)
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       "column \"" + features.id.name + "\" of " + features.name + " is now of type " +
                           type_name(features.id.type),
                       std::string(side == Side::Items ? "The items" : "The users") + " of model \"" + model +
                           "\" have ids of another type.",
                       "Undo that, or train the model again.");
    return features;
}

}  // namespace mf::pg
