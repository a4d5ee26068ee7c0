#include "core/split.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace mf {
namespace {

/// floor(fraction·n + 0.5), but one entry stays in train.
std::uint64_t held_out_count(double fraction, std::uint64_t n) {
    const auto rounded = static_cast<std::uint64_t>(fraction * static_cast<double>(n) + 0.5);
    return n == 0 ? 0 : std::min(rounded, n - 1);
}

Csr with_entries(Array<std::uint64_t> offsets, std::uint32_t column_count) {
    Csr matrix;
    const std::uint64_t entries = offsets[offsets.size() - 1];
    matrix.offsets = std::move(offsets);
    matrix.columns = Array<std::uint32_t>(entries);
    matrix.values = Array<float>(entries);
    matrix.column_count = column_count;
    return matrix;
}

}  // namespace

std::uint32_t fold_of(std::uint64_t user_hash, std::uint64_t item_hash, std::uint32_t folds,
                      std::uint64_t seed) {
    if (folds == 0) throw InvalidArgument("folds must be at least 1, not 0");
    return static_cast<std::uint32_t>(cell_hash(user_hash, item_hash, seed) % folds);
}

HoldOut hold_out(const Dataset& dataset, double fraction, std::uint64_t seed) {
    if (!(fraction >= 0 && fraction < 1))
        throw InvalidArgument("held-out fraction must be at least 0 and below 1");
    const Csr& whole = dataset.by_user;
    const std::uint32_t users = whole.rows();

    // The sizes follow from the row sizes alone, so both parts are written once, in place.
    Array<std::uint64_t> train_offsets(std::size_t{users} + 1, 0);
    Array<std::uint64_t> test_offsets(std::size_t{users} + 1, 0);
    for (std::uint32_t user = 0; user < users; ++user) {
        const std::uint64_t n = whole.row_size(user);
        const std::uint64_t held = held_out_count(fraction, n);
        train_offsets[user + 1] = train_offsets[user] + n - held;
        test_offsets[user + 1] = test_offsets[user] + held;
    }
    HoldOut parts{with_entries(std::move(train_offsets), whole.column_count),
                  with_entries(std::move(test_offsets), whole.column_count)};

    Array<std::uint64_t> item_hashes(dataset.items.size());
    for (std::uint32_t item = 0; item < dataset.items.size(); ++item)
        item_hashes[item] = dataset.items.hash(item);

    using Draw =
        std::pair<std::uint64_t, std::uint32_t>;  // cell hash, then item: no two draws of a user are equal
    std::vector<Draw> draws;
    std::vector<Draw> smallest;
    for (std::uint32_t user = 0; user < users; ++user) {
        const auto items = whole.row_columns(user);
        const auto values = whole.row_values(user);
        const std::uint64_t held = parts.test.row_size(user);
        draws.clear();
        if (held > 0) {
            const std::uint64_t user_hash = dataset.users.hash(user);
            for (const std::uint32_t item : items)
                draws.emplace_back(cell_hash(user_hash, item_hashes[item], seed), item);
            smallest = draws;
            std::nth_element(smallest.begin(), smallest.begin() + static_cast<std::ptrdiff_t>(held) - 1,
                             smallest.end());
        }
        std::uint64_t to_train = parts.train.offsets[user];
        std::uint64_t to_test = parts.test.offsets[user];
        for (std::size_t i = 0; i < items.size(); ++i) {
            const bool is_held = held > 0 && draws[i] <= smallest[held - 1];
            Csr& part = is_held ? parts.test : parts.train;
            const std::uint64_t to = is_held ? to_test++ : to_train++;
            part.columns[to] = items[i];
            part.values[to] = values[i];
        }
    }
    return parts;
}

}  // namespace mf
