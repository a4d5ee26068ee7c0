// The variants of the kernels, each from its own file; null on other architectures. Private to kernels*.cpp.
#pragma once

#include "core/linalg/kernels.hpp"

namespace mf {

extern const Kernels* const kernels_avx512;
extern const Kernels* const kernels_avx2;
extern const Kernels* const kernels_portable;

}  // namespace mf
