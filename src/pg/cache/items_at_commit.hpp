// The image of items that a transaction has trained, which becomes visible with them.
#pragma once

#include "pg/cache/item_directory.hpp"

namespace mf::pg {

/// Takes over the slot in which this session has built the image in `segment`. The image is published when the
/// transaction commits, and dropped when it, or a subtransaction, is rolled back or when it is prepared. An error
/// leaves the slot to the caller. Until then the session builds no other image.
void publish_at_commit_unsafe(int slot, dsm_segment* segment);

}  // namespace mf::pg
