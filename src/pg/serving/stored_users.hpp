// The stored factors of many users, read in one pass over them.
#pragma once

#include <optional>
#include <vector>

#include "pg/cache/serving_model.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// What is stored of some users of the table `users`, those with the numbers `first` to below `end`.
class StoredUsers {
  public:
    /// Reads all users of the version under the active snapshot, which takes less than to look these up one by one, and
    /// bytes() for as many users; nothing if that is not so, or takes more than max_bytes. Both `model` and `users`
    /// must outlive the result.
    static std::optional<StoredUsers> read(const Catalog& catalog, const ServingModel& model, const IdTable& users,
                                           std::uint32_t first, std::uint32_t end, std::size_t max_bytes);

    static std::size_t bytes(const ServingModel& model, std::size_t users);

    /// The row of a user, without the id; nothing if there is none. Its spans point to this object's memory.
    std::optional<FactorRow> row(const Id& user) const;

  private:
    struct User {
        bool is_stored = false;
        float rating_bias = 0;
        std::uint64_t history_digest = 0;
    };

    StoredUsers(const ServingModel& model, const IdTable& users, std::uint32_t first, std::uint32_t end);
    /// The number of a user among these.
    std::optional<std::size_t> number_of(const Id& user) const;
    void add(const Id& user, const FactorRow& row);

    const IdTable* users_;
    std::uint32_t first_;
    std::size_t ranking_factors_, rating_factors_;  ///< of a user
    std::vector<User> stored_;
    Array<float> ranking_, rating_;
};

}  // namespace mf::pg
