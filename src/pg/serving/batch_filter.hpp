// What restricts a batch of lists: which users get one, and which items may be in them.
#pragma once

#include "core/retrieval/subset_index.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// Arguments as those of mf_recommend; count -1: no restriction. NULLs and unknown ids are ignored.
struct BatchArguments {
    IdArrayView candidates;
    IdArrayView exclude;
    IdArrayView users;
};

class BatchFilter {
  public:
    /// Arranges the items that may be in lists for the search. Throws MemoryLimitExceeded where these or the users take
    /// more than mf_ext.max_memory.
    BatchFilter(const ServingModel& model, const BatchArguments& arguments, Environment& environment);

    /// False if no list can have a row.
    bool allows_any() const { return !(items_ && items_->items().empty()) && !(users_ && users_->size() == 0); }

    /// The items that may be in lists; null: all.
    const SubsetIndex* items() const { return items_ ? &*items_ : nullptr; }

    bool has_user(const Id& user) const { return !users_ || user.find_in(*users_).has_value(); }

    /// The users who get lists, if they are so few that their rows alone should be read; null: read everything.
    const std::vector<Id>* few_users() const { return few_users_.empty() ? nullptr : &few_users_; }

  private:
    std::optional<SubsetIndex> items_;
    std::optional<IdTable> users_;
    std::vector<Id> few_users_;
};

}  // namespace mf::pg
