// Sorts that can be cancelled within milliseconds, whatever the number of elements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/parallel.hpp"

namespace mf {

/// Comparisons between two interrupt checks: a few milliseconds, even if each comparison misses the cache twice.
constexpr std::uint32_t kComparisonsPerCheck = 1 << 15;

/// The order `less` with an interrupt check every kComparisonsPerCheck comparisons. For algorithms of the standard
/// library in the calling thread, which exceptions may leave. Refers to its arguments; its copies, which the algorithms
/// make, share one counter.
template <class Less>
class CheckedOrder {
  public:
    CheckedOrder(const Less& less, Environment& environment, std::uint32_t& comparisons)
        : less_(&less), environment_(&environment), comparisons_(&comparisons) {}

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
        if (++*comparisons_ % kComparisonsPerCheck == 0) check_interrupt(*environment_);
        return (*less_)(a, b);
    }

  private:
    const Less* less_;
    Environment* environment_;
    std::uint32_t* comparisons_;
};

/// std::sort with checkpoints, in place, in the calling thread. After an exception of the checkpoint the elements are
/// in an unspecified state. O(n log n).
template <class T, class Less>
void sort_with_checkpoints(std::span<T> values, Environment& environment, const Less& less) {
    check_interrupt(environment);
    std::uint32_t comparisons = 0;
    std::sort(values.begin(), values.end(), CheckedOrder<Less>(less, environment, comparisons));
}

/// The same for std::nth_element.
template <class T, class Less>
void nth_element_with_checkpoints(std::span<T> values, std::size_t nth, Environment& environment, const Less& less) {
    check_interrupt(environment);
    std::uint32_t comparisons = 0;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(nth), values.end(),
                     CheckedOrder<Less>(less, environment, comparisons));
}

}  // namespace mf
