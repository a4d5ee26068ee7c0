#include "pg/training/user_centers.hpp"

#include <algorithm>

#include "pg/features/expected_users.hpp"

namespace mf::pg {

UserCenterRows::UserCenterRows(const Catalog& catalog, const ServedVersion& model, const IdTable& users,
                               std::size_t taken, Environment& environment) {
    std::optional<ExpectedUsers> expected = ExpectedUsers::read(catalog, model, users, environment, false, taken);
    if (!expected) return;
    ExpectedRows rows = expected->of(users, environment);
    expected.reset();
    ranking_ = std::move(rows.ranking);
    if (model.rating) rating_ = split_bias(rows.rating, environment);
}

std::size_t UserCenterRows::bytes(const ServedVersion& model, std::size_t users) {
    if (!model.version.features.users) return 0;
    const FactorShape shape = model.shape();
    const std::size_t ranking = FactorMatrix::padded(shape.ranking_factors);
    const std::size_t joined = FactorMatrix::padded(shape.rating_factors + 1);
    return 4 * users * (ranking + std::max(ranking, joined) + FactorMatrix::padded(shape.rating_factors) + 1);
}

}  // namespace mf::pg
