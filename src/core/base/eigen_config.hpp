// Turns Eigen's assertions into exceptions.
//
// Included before every Eigen header, by the compiler's command line (-include), so that all translation
// units agree. Eigen's default calls abort(), which inside a server process ends every session.
#pragma once

#include <stdexcept>

namespace mf {

/// A size or index mistake that Eigen noticed: a bug in this library, never the caller's data.
class EigenAssertion : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

}  // namespace mf

#define EIGEN_NO_AUTOMATIC_RESIZING
#define eigen_assert(condition)                                                              \
    do {                                                                                     \
        if (!(condition)) throw ::mf::EigenAssertion("Eigen assertion failed: " #condition); \
    } while (false)
