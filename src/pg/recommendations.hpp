// A list for a user: the search with its filters, and its rows.
#pragma once

#include "pg/user_state.hpp"

namespace mf::pg {

/// What may be in a list.
struct ListFilter {
    IdArrayView candidates;  ///< only these; count -1: all
    IdArrayView exclude;     ///< none of these
    bool exclude_seen;       ///< none of the user's history
};

/// Adds the n best items for the user as rows (item, score, predicted rating, basis) to a function's result.
void put_recommendations(FunctionCallInfo fcinfo, IdKind overload, const ServingModel& model, const UserState& user,
                         std::size_t n, const ListFilter& filter);

}  // namespace mf::pg
