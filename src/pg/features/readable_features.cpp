#include "pg/features/readable_features.hpp"

#include <algorithm>

#include "pg/features/current_features.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// The versions of which a WARNING has told that their features cannot be read.
class WarnedVersions {
  public:
    /// True the first time.
    bool add(const Catalog& catalog, const ServedVersion& model) {
        if (contains(catalog, model)) return false;
        versions_.emplace_back(catalog.models, model.version.model_id);
        return true;
    }
    bool contains(const Catalog& catalog, const ServedVersion& model) const {
        return std::ranges::find(versions_, std::pair(catalog.models, model.version.model_id)) != versions_.end();
    }

  private:
    std::vector<std::pair<Oid, std::int64_t>> versions_;
};

WarnedVersions& warned_versions() {
    static auto* const versions = new WarnedVersions;  // never destroyed: the session ends first
    return *versions;
}

/// Runs look(). If the relation is gone, forbidden or another, gives nothing and a WARNING. What raises
/// insufficient_privilege there holds nothing but locks of the transaction, so that there is nothing to undo.
template <class Look>
auto unless_unreadable(const Catalog& catalog, const ServedVersion& model, const Look& look)
    -> std::optional<decltype(look())> {
    // An error is kept until the transaction ends, and a statement may ask for a million users.
    const bool is_known = warned_versions().contains(catalog, model);
    const auto may_select = [relation = *model.version.features.users, reader = model.version.owner] {
        return may_select_unsafe(relation, reader);
    };
    if (is_known && !pg_call(may_select)) return std::nullopt;
    std::string reason;
    std::string hint;
    try {
        return look();
    } catch (const SqlError& error) {
        reason = error.what();
        hint = error.hint();
    } catch (const PgError& error) {
        if (error.data->sqlerrcode != ERRCODE_INSUFFICIENT_PRIVILEGE) throw;
        reason = error.data->message;
        hint = error.data->hint != nullptr ? error.data->hint : "";
    }
    if (warned_versions().add(catalog, model))
        report(WARNING, "model \"" + model.name + "\" serves without features of users",
               "They cannot be read: " + reason + ".", hint);
    return std::nullopt;
}

/// Locks the relation, if the reader may read it, and says whether the plan can be run. With the lock, which the query
/// takes anyway, nothing changes between this look and the query.
bool is_valid(const FeaturePlan* plan, Oid reader) {
    if (plan == nullptr) return false;
    return pg_call([plan, relation = plan->relation.relation, reader] {
        require_select_unsafe(relation, reader);
        LockRelationOid(relation, AccessShareLock);
        return plan->is_valid_unsafe(reader);
    });
}

}  // namespace

std::optional<FeatureRelation> readable_user_features(const Catalog& catalog, const ServedVersion& model) {
    return unless_unreadable(catalog, model, [&] { return current_features(model, Side::Users); });
}

std::shared_ptr<const FeaturePlan> readable_plan(const Catalog& catalog, ServingModel& model) {
    // The relation may ask for recommendations itself, and find the plan no longer valid.
    const std::shared_ptr<const FeaturePlan> plan = model.user_features;
    const Oid reader = model.version.owner;
    const std::optional<bool> valid = unless_unreadable(catalog, model, [&] { return is_valid(plan.get(), reader); });
    if (!valid) return nullptr;
    if (*valid) return plan;
    const std::optional<FeatureRelation> relation = readable_user_features(catalog, model);
    if (!relation) return nullptr;
    const auto fresh = std::make_shared<const FeaturePlan>(*relation, reader);
    model.user_features = fresh;
    return fresh;
}

}  // namespace mf::pg
