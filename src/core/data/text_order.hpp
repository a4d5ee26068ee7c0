// The order in which the factor tables' keys sort ids.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/ids.hpp"

namespace mf {

/// The indices of ids in the byte order of their text forms, in the calling thread and with checkpoints. The ids must
/// be in the order of IdTable::sort(): that of uuids and texts is this one, that of integers is another (9 before 10,
/// but '10' before '9'). O(n); 36 bytes an id.
std::vector<std::uint32_t> text_order(const Ids& ids, Environment& environment);

}  // namespace mf
