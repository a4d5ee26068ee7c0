// The kernels for any processor: vectors of four floats, which is SSE2 on x86-64 and NEON on 64-bit ARM.
#include "core/linalg/kernels.hpp"

#include <bit>
#include <utility>

#include "core/base/half_floats.hpp"
#include "core/linalg/kernels_table.hpp"

#define MF_KERNEL
#define MF_NAME "portable"
#define MF_WIDTH 4
#define MF_TILE_ROWS 2
#define MF_TILE_BLOCKS 1

namespace mf {
namespace portable {
namespace {
#include "core/linalg/kernels_body.inc"
}  // namespace
}  // namespace portable

const Kernels* const kernels_portable = &portable::kTable;

}  // namespace mf
