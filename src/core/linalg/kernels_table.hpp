// The variants of the kernels, each from its own file. Private to kernels*.cpp.
#pragma once

#include "core/linalg/kernels.hpp"

namespace mf {

#if defined(__x86_64__)
extern const Kernels* const kernels_avx512;
extern const Kernels* const kernels_avx2;
#endif
extern const Kernels* const kernels_portable;

}  // namespace mf
