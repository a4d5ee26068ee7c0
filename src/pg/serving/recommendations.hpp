// A list for a user: the search with its filters, and its rows.
#pragma once

#include "core/retrieval/subset_index.hpp"
#include "pg/serving/user_state.hpp"

namespace mf::pg {

/// What may be in a list.
struct ListFilter {
    IdArrayView candidates;  ///< only these; count -1: all
    IdArrayView exclude;     ///< none of these
    bool exclude_seen;       ///< none of the user's history
    double diversity;        ///< of diverse_list(); checked_diversity()
};

/// An argument for the diversity of a list of n items. Throws invalid_parameter_value unless it is from 0 to 1, and 0
/// for lists of more than a thousand items.
double checked_diversity(double diversity, std::size_t n);

/// The n best items for the user that are not in `excluded` (ascending), among the candidates (likewise) if they are
/// given; by popularity if nothing is known of the user.
std::vector<ScoredItem> best_items(const ServingModel& model, const UserState& user, std::size_t n,
                                   const std::vector<std::uint32_t>* candidates,
                                   const std::vector<std::uint32_t>& excluded);

/// The same for one of many users: among the items of `only`, unless it is null.
std::vector<ScoredItem> best_items(const ServingModel& model, const UserState& user, std::size_t n,
                                   const SubsetIndex* only, std::vector<std::uint32_t> excluded);

/// Adds the n best items for the user as rows (item, score, predicted rating, basis, rank) to a function's result.
void put_recommendations(FunctionCallInfo fcinfo, IdKind overload, const ServingModel& model, const UserState& user,
                         std::size_t n, const ListFilter& filter);

}  // namespace mf::pg
