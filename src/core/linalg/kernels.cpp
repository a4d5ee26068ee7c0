// Choice of the kernels' variant.
#include "core/linalg/kernels.hpp"

#include "core/base/variants.hpp"
#include "core/linalg/kernels_table.hpp"

namespace mf {
namespace {

#if defined(__x86_64__)
bool has_avx2_fma() { return has_avx2() && __builtin_cpu_supports("fma"); }
bool has_avx512_bwdqvl() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}
#endif

const Kernels* variant(const char* name) {
    // It loses its way at the #if.
    // clang-format off
    return choose_variant<Kernels>(
        {
#if defined(__x86_64__)
            {kernels_avx512, has_avx512_bwdqvl()}, {kernels_avx2, has_avx2_fma()},
#endif
            {kernels_portable, true}},
        name);
    // clang-format on
}

}  // namespace

const Kernels& kernels() {
    static const Kernels* const chosen = variant_in_use(variant);
    return *chosen;
}

const Kernels* kernels_named(const char* name) { return variant(name); }

}  // namespace mf
