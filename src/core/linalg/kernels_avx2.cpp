// The kernels for AVX2 with fused multiply-add and 16-bit floats (x86-64-v3).
#include "core/linalg/kernels.hpp"

#include <utility>

#include "core/linalg/kernels_table.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#define MF_KERNEL __attribute__((target("avx2,fma,f16c")))
#define MF_NAME "avx2"
#define MF_WIDTH 8
#define MF_TILE_ROWS 4
#define MF_TILE_BLOCKS 1

namespace mf {
namespace avx2 {
namespace {
#include "core/linalg/kernels_body.inc"
}  // namespace
}  // namespace avx2

const Kernels* const kernels_avx2 = &avx2::kTable;

}  // namespace mf
#else
const mf::Kernels* const mf::kernels_avx2 = nullptr;
#endif
