// Choice of the kernels' variant.
#include "core/linalg/kernels.hpp"

#include "core/base/variants.hpp"
#include "core/linalg/kernels_table.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace mf {

namespace {

// Conversion of 16-bit floats, which __builtin_cpu_supports() does not know with every compiler.
bool has_f16c() {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
#else
    return false;
#endif
}

}  // namespace

const Kernels* kernels_named(const char* name) {
    const bool avx512 = MF_CPU_HAS("avx512f") && MF_CPU_HAS("avx512vl") && MF_CPU_HAS("avx512bw") &&
                        MF_CPU_HAS("avx512dq") && MF_CPU_HAS("fma");
    const bool avx2 = MF_CPU_HAS("avx2") && MF_CPU_HAS("fma") && has_f16c();
    return choose_variant<Kernels>({{kernels_avx512, avx512}, {kernels_avx2, avx2}, {kernels_portable, true}}, name);
}

const Kernels& kernels() {
    static const Kernels* const chosen = variant_in_use(kernels_named);
    return *chosen;
}

}  // namespace mf
