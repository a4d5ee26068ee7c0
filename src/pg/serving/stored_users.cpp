#include "pg/serving/stored_users.hpp"

#include <algorithm>

#include "pg/models/model_rows.hpp"

namespace mf::pg {

std::size_t StoredUsers::bytes(const ServingModel& model, std::size_t users) {
    const FactorShape shape = model.shape();
    const auto factors = static_cast<std::size_t>(shape.ranking_factors + shape.rating_factors);
    return users * (factors * sizeof(float) + sizeof(User));
}

std::optional<StoredUsers> StoredUsers::read(const Catalog& catalog, const ServingModel& model, const IdTable& users,
                                             std::uint32_t first, std::uint32_t end, std::size_t max_bytes) {
    const bool are_many = std::int64_t{end - first} * kRowsALookup > model.version.users;
    if (!are_many || bytes(model, end - first) > max_bytes) return std::nullopt;
    StoredUsers stored(model, users, first, end);
    const std::string label = version_label(model.name, model.version.version);
    read_all_user_factors(catalog, model.version.model_id, model.shape(), [&](const FactorRow& row) {
        stored.add(stored_id(row.id, model.user_kind, "user", label), row);
    });
    return stored;
}

StoredUsers::StoredUsers(const ServingModel& model, const IdTable& users, std::uint32_t first, std::uint32_t end)
    : users_(&users),
      first_(first),
      ranking_factors_(static_cast<std::size_t>(model.shape().ranking_factors)),
      rating_factors_(static_cast<std::size_t>(model.shape().rating_factors)),
      stored_(end - first),
      ranking_(stored_.size() * ranking_factors_),
      rating_(stored_.size() * rating_factors_) {}

std::optional<std::size_t> StoredUsers::number_of(const Id& user) const {
    const std::optional<std::uint32_t> number = user.find_in(*users_);
    if (!number || *number < first_ || *number - first_ >= stored_.size()) return std::nullopt;
    return *number - first_;
}

void StoredUsers::add(const Id& user, const FactorRow& row) {
    const std::optional<std::size_t> number = number_of(user);
    if (!number) return;
    stored_[*number] = {true, row.rating_bias, row.history_digest};
    std::ranges::copy(row.ranking_factors, ranking_.data() + *number * ranking_factors_);
    std::ranges::copy(row.rating_factors, rating_.data() + *number * rating_factors_);
}

std::optional<FactorRow> StoredUsers::row(const Id& user) const {
    const std::optional<std::size_t> number = number_of(user);
    if (!number || !stored_[*number].is_stored) return std::nullopt;
    FactorRow row;
    row.rating_bias = stored_[*number].rating_bias;
    row.history_digest = stored_[*number].history_digest;
    row.ranking_factors = std::span(ranking_).subspan(*number * ranking_factors_, ranking_factors_);
    row.rating_factors = std::span(rating_).subspan(*number * rating_factors_, rating_factors_);
    return row;
}

}  // namespace mf::pg
