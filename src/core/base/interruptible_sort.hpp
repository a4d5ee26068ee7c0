// Sorts that a cancel reaches within milliseconds, however many elements they have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/parallel.hpp"

namespace mf {

/// Comparisons between two looks at the interrupt: a few milliseconds, even where each one misses the cache twice.
constexpr std::uint32_t kComparisonsPerCheck = 1 << 15;

/// The order `less`, which looks at the interrupt now and then while a sort asks it. For an algorithm of the standard
/// library in the calling thread; these may be left by an exception. Refers to its arguments, and copies of it, which
/// the algorithms make, count together.
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
/// of no use. O(n log n).
template <class T, class Less>
void sort_with_checkpoints(std::span<T> values, Environment& environment, const Less& less) {
    check_interrupt(environment);
    std::uint32_t comparisons = 0;
    std::sort(values.begin(), values.end(), CheckedOrder<Less>(less, environment, comparisons));
}

/// The same for std::stable_sort, which asks less often where a comparison is dear and takes memory for half of the
/// elements.
template <class T, class Less>
void stable_sort_with_checkpoints(std::span<T> values, Environment& environment, const Less& less) {
    check_interrupt(environment);
    std::uint32_t comparisons = 0;
    std::stable_sort(values.begin(), values.end(), CheckedOrder<Less>(less, environment, comparisons));
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
