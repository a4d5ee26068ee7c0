// Lists for all users at once.
#pragma once

#include "pg/serving/user_state.hpp"

namespace mf::pg {

/// Adds to the function's result, as rows (user, item, score), what mf_recommend gives for each user who is in the
/// model or has rows in the source, in no particular order. The source is read once under the active snapshot, and once
/// more if histories have changed since the training; more often only where maintenance_work_mem does not hold the
/// items seen (3 bytes each, 5 if there are more than 65,536 items), or the changed histories (12 bytes a row). Memory
/// besides: 100 bytes a user who has rows, and the lists of a block of users (block_users()). A source that cannot be
/// read any more is an error unless exclude_seen is false: then the stored factors serve.
void put_all_recommendations(FunctionCallInfo fcinfo, IdKind overload, const Catalog& catalog, ServingModel& model,
                             std::size_t n, bool exclude_seen);

}  // namespace mf::pg
