// The items' half-step for some of the items of a model, or for items that it does not know yet: from all their
// interactions, by the users' factors as they are.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"

namespace mf {

/// Items with their users. A user's row has all that the user has, since an interaction may weigh by the others.
struct ItemsToSolve {
    const Csr& by_user;                      ///< a row for each user who has one of the items, and maybe for others
    std::span<const std::uint32_t> columns;  ///< of by_user, ascending: the items
    FactorView centers = {};                 ///< what each of them is drawn to; without rows: zero. Of rating factors
                                             ///< with the bias as one more.
};

/// Rating factors of the users: row u is user u of by_user.
struct RatingUsers {
    FactorView rows;
    std::span<const float> bias;
};

/// Ranking factors, likewise, and what all users of the model have in common.
struct RankingUsers {
    FactorView rows;
    GramMatrix gram;          ///< of all users
    std::uint64_t count = 0;  ///< of all users
};

/// Rating factors of items: row r is that of columns[r].
struct RatingItemRows {
    FactorMatrix factors;
    Array<float> bias;
};

}  // namespace mf
