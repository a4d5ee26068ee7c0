// What the users of a refresh are drawn to, where a version was trained with features of users.
#pragma once

#include "core/pipeline/users_for_items.hpp"
#include "core/training/feature_map.hpp"
#include "pg/cache/serving_model.hpp"

namespace mf::pg {

/// The centers of some users as one matrix for each kind of factors; without features of users it has no rows.
class UserCenterRows {
  public:
    /// Row u is that of user u of `users`. Throws and warns as ExpectedUsers::read(), which is asked for what was
    /// committed last; `taken` are bytes of what the caller holds and of these rows. O(map + rows of the relation +
    /// users · k).
    UserCenterRows(const Catalog& catalog, const ServedVersion& model, const IdTable& users, std::size_t taken,
                   Environment& environment);

    /// Bytes of that many users, with a copy of their ranking centers or, while they are made, of their rating centers.
    static std::size_t bytes(const ServedVersion& model, std::size_t users);

    UserCenters view() const { return {ranking_, rating_.factors, rating_.bias}; }

  private:
    FactorMatrix ranking_;
    SplitFactors rating_;
};

}  // namespace mf::pg
