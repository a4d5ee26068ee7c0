// What restricts a batch of lists: which users get one, and which items may be in them.
#pragma once

#include "core/retrieval/subset_index.hpp"
#include "pg/serving/chosen_users.hpp"

namespace mf::pg {

/// Arguments as those of mf_recommend; count -1: no restriction. NULLs and unknown ids are ignored.
struct BatchArguments {
    IdArrayView candidates;
    IdArrayView exclude;
    IdArrayView users;
};

class BatchFilter {
  public:
    /// Arranges the items that may be in lists for the search. Throws MemoryLimitExceeded where these take more than
    /// mf_ext.max_memory, or as ChosenUsers.
    BatchFilter(const ServingModel& model, const BatchArguments& arguments, Environment& environment);

    /// False if no list can have a row.
    bool allows_any() const { return !(items_ && items_->items().empty()) && !users_.is_nobody(); }

    /// The items that may be in lists; null: all.
    const SubsetIndex* items() const { return items_ ? &*items_ : nullptr; }

    const ChosenUsers& users() const { return users_; }

  private:
    std::optional<SubsetIndex> items_;
    ChosenUsers users_;
};

}  // namespace mf::pg
