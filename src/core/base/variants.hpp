// Chooses among variants of a table of kernels, compiled for several instruction sets. Private to *kernels.cpp.
#pragma once

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace mf {

/// A table of kernels with a name, and whether this processor has its instructions and the operating system saves the
/// registers they use.
template <class Table>
struct Variant {
    const Table* table;
    bool supported;
};

/// The first of the variants, fastest first, that this processor supports; with a name, the variant of that name, or
/// null if it is not supported.
template <class Table>
const Table* choose_variant(std::initializer_list<Variant<Table>> variants, const char* name = nullptr) {
    for (const Variant<Table>& variant : variants)
        if (variant.supported && (name == nullptr || std::strcmp(variant.table->name, name) == 0)) return variant.table;
    return nullptr;
}

/// The variant that MF_EXT_KERNELS in the environment names, for tests of each variant; null if it names none.
inline const char* forced_variant() {
    const char* name = std::getenv("MF_EXT_KERNELS");
    return name == nullptr || *name == '\0' ? nullptr : name;
}

/// The table to use: the forced one, if the processor supports it, otherwise the fastest. `variant` looks up a table by
/// its name.
template <class Table>
const Table* variant_in_use(const Table* (*variant)(const char* name)) {
    const Table* forced = variant(forced_variant());
    return forced == nullptr ? variant(nullptr) : forced;
}

#if defined(__x86_64__)
inline bool has_avx2() { return __builtin_cpu_supports("avx2"); }
inline bool has_avx512_vnni() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("popcnt");
}
#endif

}  // namespace mf
