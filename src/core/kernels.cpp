// Choice of the kernels' variant.
#include "core/kernels.hpp"

#include <cstring>

#include "core/kernels_table.hpp"

namespace mf {

namespace {

// True if the processor has the variant's instructions and the operating system saves its registers.
bool supported([[maybe_unused]] const Kernels* variant) {
#if defined(__x86_64__)
    if (variant == kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("fma");
    if (variant == kernels_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return true;
}

template <class F>
const Kernels* first_variant(F&& wanted) {
#if defined(__x86_64__)
    if (supported(kernels_avx512) && wanted(*kernels_avx512)) return kernels_avx512;
    if (supported(kernels_avx2) && wanted(*kernels_avx2)) return kernels_avx2;
#endif
    return wanted(*kernels_portable) ? kernels_portable : nullptr;
}

}  // namespace

const Kernels& kernels() {
    static const Kernels* const chosen = first_variant([](const Kernels&) { return true; });
    return *chosen;
}

const Kernels* kernels_named(const char* name) {
    return first_variant([name](const Kernels& variant) { return std::strcmp(variant.name, name) == 0; });
}

}  // namespace mf
