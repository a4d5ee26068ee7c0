// Turns Eigen's assertions into exceptions, and its block sizes into constants.
//
// The compiler's command line includes this before every Eigen header (-include), so that all translation units agree.
// Eigen's default calls abort(), which in a server process ends every session; and it cuts products by the processor's
// cache sizes, on which the order of sums, and so the bits, would depend.
#pragma once

#include <stdexcept>

namespace mf {

/// A wrong size or index that Eigen has detected: a bug in this library, never a fault of the caller's data.
class EigenAssertion : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

}  // namespace mf

#define EIGEN_NO_AUTOMATIC_RESIZING
#define EIGEN_NO_CPUID
#define eigen_assert(condition)                                                              \
    do {                                                                                     \
        if (!(condition)) throw ::mf::EigenAssertion("Eigen assertion failed: " #condition); \
    } while (false)
