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

/// Units of dynamic scheduling and of cancelling.
constexpr std::size_t kBlockItems = 16384;
constexpr std::size_t kBlockUsers = 256;

/// Cell hash, then item: no two draws of a user are equal.
using Draw = std::pair<std::uint64_t, std::uint32_t>;

/// Writes one user's row of each part; their offsets say how many entries are held out.
void split_user(const Dataset& dataset, std::uint32_t user, const Array<std::uint64_t>& item_hashes, std::uint64_t seed,
                HoldOut& parts, std::vector<Draw>& draws) {
    const auto items = dataset.by_user.row_columns(user);
    const auto values = dataset.by_user.row_values(user);
    const std::uint64_t held = parts.test.row_size(user);
    const std::uint64_t user_hash = held > 0 ? dataset.users.hash(user) : 0;
    const auto draw = [&](std::uint32_t item) { return Draw(cell_hash(user_hash, item_hashes[item], seed), item); };
    Draw last_held;
    if (held > 0) {
        draws.clear();
        for (const std::uint32_t item : items) draws.push_back(draw(item));
        const auto last = draws.begin() + static_cast<std::ptrdiff_t>(held) - 1;
        std::nth_element(draws.begin(), last, draws.end());
        last_held = *last;
    }
    std::uint64_t to_train = parts.train.offsets[user];
    std::uint64_t to_test = parts.test.offsets[user];
    for (std::size_t i = 0; i < items.size(); ++i) {
        const bool is_held = held > 0 && draw(items[i]) <= last_held;
        Csr& part = is_held ? parts.test : parts.train;
        const std::uint64_t to = is_held ? to_test++ : to_train++;
        part.columns[to] = items[i];
        part.values[to] = values[i];
    }
}

}  // namespace

std::uint32_t fold_of(std::uint64_t user_hash, std::uint64_t item_hash, std::uint32_t folds,
                      std::uint64_t seed) {
    if (folds == 0) throw InvalidArgument("folds must be at least 1, not 0");
    return static_cast<std::uint32_t>(cell_hash(user_hash, item_hash, seed) % folds);
}

HoldOut hold_out(const Dataset& dataset, double fraction, std::uint64_t seed, Environment& environment) {
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
    parallel_ranges(environment, item_hashes.size(), kBlockItems, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t item = begin; item < end; ++item)
            item_hashes[item] = dataset.items.hash(static_cast<std::uint32_t>(item));
    });
    std::vector<std::vector<Draw>> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    parallel_ranges(environment, users, kBlockUsers, [&](std::size_t begin, std::size_t end, int worker) {
        for (auto user = static_cast<std::uint32_t>(begin); user < end; ++user)
            split_user(dataset, user, item_hashes, seed, parts, scratch[static_cast<std::size_t>(worker)]);
    });
    return parts;
}

}  // namespace mf
