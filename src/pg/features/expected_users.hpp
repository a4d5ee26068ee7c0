// What a version that was trained with features of users expects of them: the centers of their fold-ins.
#pragma once

#include "core/training/fold_in.hpp"
#include "pg/features/mapped_features.hpp"

namespace mf::pg {

/// What a user's factors are drawn to. Without features of users in the model it is empty, and then there is no center.
struct UserCenter {
    bool has_features = false;  ///< the model knows features of the user; else this is what it expects of any user
    Array<float> ranking;       ///< padded like the rows of the items' matrix
    Array<float> rating;        ///< likewise; empty for implicit feedback
    float rating_bias = 0;

    const float* for_ranking() const { return ranking.empty() ? nullptr : ranking.data(); }
    BiasedCenter for_rating() const { return {rating.empty() ? nullptr : rating.data(), rating_bias}; }
};

/// The centers of many users.
class ExpectedUsers {
  public:
    /// Reads the version's map, and in one pass over the relation of features those of `users`, with the rights of the
    /// model's owner; code in the relation runs as the current user. reads_only: under the active snapshot, as
    /// functions that are not volatile have to; else what was committed last. Nothing if the version was trained
    /// without features of users. If the relation is gone, forbidden to the owner or another than it was, nothing is
    /// known of any user, and readable_user_features() says so. Throws data_corrupted for a version that lacks its map,
    /// MemoryLimitExceeded as soon as map, features and `users` take more than mf_ext.max_memory beside `taken` bytes
    /// of what the caller holds, and as read_features(). O(map + rows of the relation). Memory while it reads: 24 bytes
    /// a feature of a user, and the map.
    static std::optional<ExpectedUsers> read(const Catalog& catalog, const ServedVersion& model, const IdTable& users,
                                             Environment& environment, bool reads_only = true, std::size_t taken = 0);

    explicit ExpectedUsers(MappedFeatures features) : features_(std::move(features)) {}

    /// The center of a user of the version's kind of ids: the same bits as from center_of_user(). Any thread may ask.
    /// O(features of the user · k).
    UserCenter of(const Id& user) const;

    /// The same of many, on all threads: row u is that of user u. O(features of the users · k).
    ExpectedRows of(const Ids& users, Environment& environment) const { return features_.expected(users, environment); }

  private:
    MappedFeatures features_;
};

/// The center of one user as the active snapshot has the features. Reads those through a plan that the session keeps
/// with the model, and looks up the rows of the map that belong to them. Empty, and nothing is read, if the version was
/// trained without features of users; otherwise throws and warns as ExpectedUsers::read().
UserCenter center_of_user(const Catalog& catalog, ServingModel& model, const Id& user);

/// The center of a user of whom nothing is known; empty likewise.
UserCenter center_of_anyone(const Catalog& catalog, const ServedVersion& model);

}  // namespace mf::pg
