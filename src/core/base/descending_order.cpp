#include "core/base/descending_order.hpp"

#include <algorithm>
#include <cstddef>

namespace mf {
namespace {

constexpr int kBytes = 8;
constexpr std::size_t kValues = 256;
constexpr std::size_t kBlock = std::size_t{1} << 15;  // keys between two looks at the interrupt

std::size_t byte_of(std::uint64_t bits, int byte) { return bits >> (8 * byte) & (kValues - 1); }

// Calls use(key) for all keys in their order.
template <class Use>
void each_key(const Array<OrderKey>& keys, Environment& environment, const Use& use) {
    for (std::size_t begin = 0; begin < keys.size(); begin += kBlock) {
        check_interrupt(environment);
        const std::size_t end = std::min(keys.size(), begin + kBlock);
        for (std::size_t i = begin; i < end; ++i) use(keys[i]);
    }
}

}  // namespace

void sort_by_bits(Array<OrderKey> keys, std::span<std::uint32_t> order, Environment& environment) {
    if (keys.empty()) return;
    std::size_t counts[kBytes][kValues] = {};
    each_key(keys, environment, [&](const OrderKey& key) {
        for (int byte = 0; byte < kBytes; ++byte) ++counts[byte][byte_of(key.bits, byte)];
    });
    Array<OrderKey> moved(keys.size());
    for (int byte = 0; byte < kBytes; ++byte) {
        if (counts[byte][byte_of(keys[0].bits, byte)] == keys.size()) continue;
        std::size_t* const places = counts[byte];
        std::size_t place = 0;
        for (std::size_t value = 0; value < kValues; ++value) place += std::exchange(places[value], place);
        each_key(keys, environment, [&](const OrderKey& key) { moved[places[byte_of(key.bits, byte)]++] = key; });
        std::swap(keys, moved);
    }
    std::transform(keys.begin(), keys.end(), order.begin(), [](const OrderKey& key) { return key.index; });
}

}  // namespace mf
