// The users that an argument names, of all those who have factors or rows in the source.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

class ChosenUsers {
  public:
    /// Everybody if count is -1. NULLs and ids that no user can have are ignored. Throws MemoryLimitExceeded where they
    /// take more than mf_ext.max_memory.
    ChosenUsers(const ServingModel& model, const IdArrayView& ids);

    bool is_everybody() const { return !users_; }
    bool is_nobody() const { return users_ && users_->size() == 0; }
    bool has(const Id& user) const { return !users_ || user.find_in(*users_).has_value(); }

    /// All of them if they are so few that their rows alone should be read; null: read everything.
    const std::vector<Id>* few() const { return few_.empty() ? nullptr : &few_; }

    /// Passes the stored factors of those who have such to the sink, with their ids.
    void read_factors(const Catalog& catalog, const ServingModel& model,
                      const std::function<void(Id, const FactorRow&)>& sink) const;

  private:
    std::optional<IdTable> users_;
    std::vector<Id> few_;
};

}  // namespace mf::pg
