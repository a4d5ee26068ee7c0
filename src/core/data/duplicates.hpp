// The rule for several interactions of the same user with the same item.
#pragma once

namespace mf {

/// How rows of the same user and item become one.
enum class Duplicates { Mean, Sum, Last, Error };

}  // namespace mf
