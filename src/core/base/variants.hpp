// Chooses among variants of a table of kernels, compiled for several instruction sets. Private to *kernels.cpp.
#pragma once

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace mf {

/// A table of kernels with a name, and whether this processor has its instructions and the operating system saves its
/// registers. On other architectures there is no table.
template <class Table>
struct Variant {
    const Table* table;
    bool supported;
};

/// The first of the variants, fastest first, that this processor supports; with a name, the variant of that name, or
/// null if it is not supported.
template <class Table>
const Table* choose_variant(std::initializer_list<Variant<Table>> variants, const char* name) {
    for (const Variant<Table>& variant : variants)
        if (variant.supported && (name == nullptr || std::strcmp(variant.table->name, name) == 0)) return variant.table;
    return nullptr;
}

/// The table to use, given `named` that chooses by a name: the variant that MF_EXT_KERNELS in the environment names,
/// for tests of each of them, if the processor has it, otherwise the fastest.
template <class Table>
const Table* variant_in_use(const Table* (*named)(const char* name)) {
    const char* forced = std::getenv("MF_EXT_KERNELS");
    const Table* table = forced == nullptr || *forced == '\0' ? nullptr : named(forced);
    return table == nullptr ? named(nullptr) : table;
}

#if defined(__x86_64__)
#define MF_CPU_HAS(feature) (__builtin_cpu_supports(feature) != 0)
#else
#define MF_CPU_HAS(feature) false
#endif

}  // namespace mf
