#include "pg/serving/user_state.hpp"

#include <algorithm>

#include "core/linalg/kernels.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

Array<float> padded_copy(std::span<const float> values, FactorView like) {
    Array<float> result(like.stride(), 0.0f);
    std::copy(values.begin(), values.end(), result.begin());
    return result;
}

/// Loads the stored row; gives its digest. many: where the user's row is, if there is one; null: it is read.
std::uint64_t load_stored(const Catalog& catalog, const ServingModel& model, const Id& user, const StoredUsers* many,
                          UserState& state) {
    std::uint64_t digest = 0;
    const auto take = [&](const FactorRow& row) {
        state.stored = true;
        state.ranking_factors = padded_copy(row.ranking_factors, model.items.ranking().rows());
        if (model.rating) {
            state.rating_factors = padded_copy(row.rating_factors, model.items.rating());
            state.rating_bias = row.rating_bias;
            state.has_rating = true;
        }
        digest = row.history_digest;
    };
    if (many == nullptr)
        read_user_factors(catalog, model.version.model_id, model.shape(), user.text(), take);
    else if (const std::optional<FactorRow> row = many->row(user))
        take(*row);
    return digest;
}

/// center(): of the user; asked for only where the stored row does not serve.
template <class Center>
void apply_history(ServingModel& model, History history, std::uint64_t stored_digest, const Center& center,
                   UserState& state) {
    state.history = std::move(history);
    const std::vector<HistoryEntry>& entries = state.history.entries;
    if (!entries.empty() && state.stored && model.stored_users_fit() && state.history.digest == stored_digest) {
        state.basis = Basis::Trained;
        return;
    }
    Environment environment = quiet_environment();
    fold_in(model, {model.ranking_fold_in.get(), model.rating_fold_in.get(), &environment}, entries, entries, center(),
            state);
}

float dot_product(const Array<float>& vector, const float* factors) {
    return kernels().dot(vector.data(), factors, vector.size() / kLanes);
}

float clip(const ServingModel& model, double rating) {
    return static_cast<float>(std::clamp(rating, model.rating->minimum, model.rating->maximum));
}

}  // namespace

const char* basis_name(Basis basis) {
    switch (basis) {
        case Basis::Trained:
            return "trained";
        case Basis::FoldIn:
            return "fold-in";
        case Basis::Features:
            return "features";
        case Basis::Popular:
            break;
    }
    return "popular";
}

UserState user_in_snapshot(const Catalog& catalog, ServingModel& model, const Id& user, bool need_history) {
    UserState state;
    const std::uint64_t digest = load_stored(catalog, model, user, nullptr, state);
    const auto center = [&] { return center_of_user(catalog, model, user); };
    if (need_history || !model.stores_users() || relation_exists(model.version.source))
        apply_history(model, read_history(model, user), digest, center, state);
    else if (state.stored)
        state.basis = Basis::Trained;
    else
        take_center(center(), state);
    return state;
}

UserState user_with_history(const Catalog& catalog, ServingModel& model, const Id& user, History history,
                            const ExpectedUsers* expected, const StoredUsers* stored) {
    UserState state;
    const std::uint64_t digest = load_stored(catalog, model, user, stored, state);
    apply_history(
        model, std::move(history), digest,
        [&] { return expected != nullptr ? expected->of(user) : center_of_user(catalog, model, user); }, state);
    return state;
}

UserState user_of_history(const Catalog& catalog, ServingModel& model, std::vector<HistoryEntry> entries) {
    UserState state;
    std::vector<HistoryEntry> rated;
    for (HistoryEntry& entry : entries) {
        state.history.seen.push_back(entry.item);
        if (std::isnan(entry.value))
            entry.value = model.ranking_fold_in->neutral_value();
        else
            rated.push_back(entry);
    }
    if (!entries.empty()) {
        Environment environment = quiet_environment();
        fold_in(model, {model.ranking_fold_in.get(), model.rating_fold_in.get(), &environment}, entries, rated,
                center_of_anyone(catalog, model), state);
    }
    state.history.entries = std::move(entries);
    return state;
}

void fold_in(const ServedVersion& model, const FoldIns& by, std::span<const HistoryEntry> entries,
             std::span<const HistoryEntry> rated, UserCenter center, UserState& state) {
    if (entries.empty()) return take_center(std::move(center), state);
    state.ranking_factors = Array<float>(model.items.ranking().stride(), 0.0f);
    by.ranking->solve(entries, state.ranking_factors.data(), by.environment, center.for_ranking());
    // Zeros follow from dislikes alone, which say nothing of what the user likes.
    state.basis =
        is_zero({state.ranking_factors.data(), state.ranking_factors.size()}) ? Basis::Popular : Basis::FoldIn;
    if (by.rating == nullptr || rated.empty()) return;
    state.rating_factors = Array<float>(model.items.rating().stride(), 0.0f);
    by.rating->solve(rated, state.rating_factors.data(), &state.rating_bias, by.environment, center.for_rating());
    state.has_rating = true;
}

void take_center(UserCenter center, UserState& state) {
    state.basis = center.has_features ? Basis::Features : Basis::Popular;
    if (!center.has_features) return;
    state.ranking_factors = std::move(center.ranking);
    if (center.rating.empty()) return;
    state.rating_factors = std::move(center.rating);
    state.rating_bias = center.rating_bias;
    state.has_rating = true;
}

float predict_item_rating(const ServingModel& model, const UserState& user, std::uint32_t item) {
    double value = model.rating->mean + model.items.rating_bias()[item];
    if (user.has_rating) value += user.rating_bias + dot_product(user.rating_factors, model.items.rating().row(item));
    return clip(model, value);
}

float predict_without_item(const ServingModel& model, const UserState& user) {
    return clip(model, model.rating->mean + (user.has_rating ? user.rating_bias : 0.0f));
}

float preference_score(const ServingModel& model, const UserState& user, std::uint32_t item) {
    return dot_product(user.ranking_factors, model.items.ranking().row(item));
}

}  // namespace mf::pg
