#include "pg/training/user_centers.hpp"

#include <algorithm>

#include "pg/features/expected_users.hpp"

namespace mf::pg {

UserCenterRows::UserCenterRows(const Catalog& catalog, const ServedVersion& model, const IdTable& users,
                               Environment& environment) {
    const std::optional<ExpectedUsers> expected = ExpectedUsers::read(catalog, model, users, environment, false);
    if (!expected) return;
    const FactorShape shape = model.shape();
    ranking_ = FactorMatrix(users.size(), shape.ranking_factors, environment);
    if (model.rating) {
        rating_ = FactorMatrix(users.size(), shape.rating_factors, environment);
        rating_bias_ = Array<float>(users.size());
    }
    constexpr std::uint32_t kUsersPerCheck = 4096;
    for (std::uint32_t user = 0; user < users.size(); ++user) {
        if (user % kUsersPerCheck == 0) check_interrupt(environment);
        const UserCenter center = expected->of(id_at(users, user));
        std::ranges::copy(center.ranking, ranking_.row(user));
        if (!model.rating) continue;
        std::ranges::copy(center.rating, rating_.row(user));
        rating_bias_[user] = center.rating_bias;
    }
}

std::size_t UserCenterRows::bytes(const ServedVersion& model, std::size_t users) {
    if (!model.version.has_user_features) return 0;
    const FactorShape shape = model.shape();
    return 4 * users *
           (2 * FactorMatrix::padded(shape.ranking_factors) + FactorMatrix::padded(shape.rating_factors) + 1);
}

}  // namespace mf::pg
