// The kernels for AVX-512 (x86-64-v4 and one 512-bit register a block).
#include "core/linalg/kernels.hpp"

#include <utility>

#include "core/linalg/kernels_table.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#define MF_KERNEL __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define MF_NAME "avx512"
#define MF_WIDTH 16
#define MF_TILE_ROWS 8
#define MF_TILE_BLOCKS 3

namespace mf {
namespace avx512 {
namespace {
#include "core/linalg/kernels_body.inc"
}  // namespace
}  // namespace avx512

const Kernels* const kernels_avx512 = &avx512::kTable;

}  // namespace mf
#else
const mf::Kernels* const mf::kernels_avx512 = nullptr;
#endif
