#include "core/data/text_order.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "core/base/descending_order.hpp"

namespace mf {
namespace {

/// The number's digits, followed by zeros up to as many digits as the largest id has. Numbers in the order of their
/// digits have these in ascending order; they are the same for 1, 10 and 100, of which the shorter text comes first.
std::uint64_t leading_digits(std::uint64_t number) {
    constexpr std::uint64_t kLeast = 1'000'000'000'000'000'000;  // 19 digits, which 2^63 has too
    if (number == 0) return 0;
    while (number < kLeast) number *= 10;
    return number;
}

/// The absolute value, of the least number as well.
std::uint64_t magnitude(std::int64_t id) {
    const auto bits = static_cast<std::uint64_t>(id);
    return id < 0 ? 0 - bits : bits;
}

/// Sorts indices, which are in the order of the magnitudes of their ids, by the digits of these.
void sort_by_digits(const Ids& ids, std::span<std::uint32_t> indices, Environment& environment) {
    Array<OrderKey> keys(indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i)
        keys[i] = {leading_digits(magnitude(ids.integer(indices[i]))), indices[i]};
    sort_by_bits(std::move(keys), indices, environment);
}

}  // namespace

std::vector<std::uint32_t> text_order(const Ids& ids, Environment& environment) {
    std::vector<std::uint32_t> order(ids.size());
    std::iota(order.begin(), order.end(), 0u);
    if (ids.kind() != IdKind::Integer) return order;
    // A hyphen sorts before all digits.
    std::size_t negative = 0;
    while (negative < order.size() && ids.integer(order[negative]) < 0) ++negative;
    const std::span<std::uint32_t> all = order;
    std::reverse(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(negative));
    sort_by_digits(ids, all.first(negative), environment);
    sort_by_digits(ids, all.subspan(negative), environment);
    return order;
}

}  // namespace mf
