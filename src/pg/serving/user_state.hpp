// A user's factors and where they come from.
#pragma once

#include "pg/features/expected_users.hpp"
#include "pg/serving/history.hpp"
#include "pg/serving/stored_users.hpp"

namespace mf::pg {

enum class Basis { Trained, FoldIn, Features, Popular };
const char* basis_name(Basis basis);

/// What is known of a user now.
struct UserState {
    Basis basis = Basis::Popular;
    History history;          ///< empty if it was not read
    bool stored = false;      ///< the user was in the training
    bool has_rating = false;  ///< rating factors below are the user's; otherwise only the items' biases are known
    float rating_bias = 0.0f;
    Array<float> rating_factors;  ///< padded like the rows of the items' matrix
    Array<float> ranking_factors;
};

/// The user whom the current snapshot shows, for lists and predictions alike: the history decides. Unchanged since the
/// training: the stored row; changed or new: solved now from the history, and drawn to what the user's features let
/// expect, in a model that knows such; no item of the model in it: what the features let expect; without any: popular.
/// Features are read only where they count. With need_history false a source that was dropped is no error in a model
/// that stores users: the stored row serves, or else the features.
UserState user_in_snapshot(const Catalog& catalog, ServingModel& model, const Id& user, bool need_history);

/// The same with a history that was read already. expected: of many users; null: features of this one are read.
/// stored: of many users, this one among them; null: this one's row is read.
UserState user_with_history(const Catalog& catalog, ServingModel& model, const Id& user, History history,
                            const ExpectedUsers* expected = nullptr, const StoredUsers* stored = nullptr);

/// For a history given by hand, whose items are ascending and distinct; a value that is not a number is one that is not
/// known. Such an item counts for lists as an average one and not at all for predicted ratings. Nothing else is known
/// of the user.
UserState user_of_history(const Catalog& catalog, ServingModel& model, std::vector<HistoryEntry> entries);

/// What users are folded in by, one after the other.
struct FoldIns {
    RankingFoldIn* ranking;
    RatingFoldIn* rating;      ///< null: rating factors are not wanted, or the model has none
    Environment* environment;  ///< null on a worker
};

/// Gives the state basis and factors from a history, drawn to the center: ranking factors from `entries`, rating
/// factors from `rated`. Without entries the center itself takes their place. Users whose ranking factors are zero,
/// such as those of whom only dislikes are known, have basis Popular. Calls nothing of PostgreSQL: any thread may.
void fold_in(const ServedVersion& model, const FoldIns& by, std::span<const HistoryEntry> entries,
             std::span<const HistoryEntry> rated, UserCenter center, UserState& state);

/// Takes what is expected of the user in place of factors from a history: basis Features, or Popular if the center
/// tells nothing of this user.
void take_center(UserCenter center, UserState& state);

/// Predicted rating of item `item` of the model (mean and the item's bias if the user has no rating factors), clipped
/// to the training range.
float predict_item_rating(const ServingModel& model, const UserState& user, std::uint32_t item);

/// Predicted rating where the item is unknown: mean and the user's bias.
float predict_without_item(const ServingModel& model, const UserState& user);

/// Dot product of the user's ranking factors with item `item`.
float preference_score(const ServingModel& model, const UserState& user, std::uint32_t item);

}  // namespace mf::pg
