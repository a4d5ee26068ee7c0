#include "core/data/split.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace mf {
namespace {

/// floor(fraction·n + 0.5), but at least one entry stays in train.
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
constexpr std::size_t kBlockIds = 16384;
constexpr std::size_t kBlockUsers = 256;

/// Cell hash, then item: no two draws of a user are equal.
using Draw = std::pair<std::uint64_t, std::uint32_t>;

/// Writes one user's row of each part, whose offsets are known. Calls is_held(item) once for each cell, in order.
template <class IsHeld>
void split_user(const Csr& cells, std::uint32_t user, const IsHeld& is_held, HoldOut& parts) {
    const auto items = cells.row_columns(user);
    const auto values = cells.row_values(user);
    const auto weights = cells.row_weights(user);
    std::uint64_t to_train = parts.train.offsets[user];
    std::uint64_t to_test = parts.test.offsets[user];
    for (std::size_t i = 0; i < items.size(); ++i) {
        const bool held = is_held(items[i]);
        Csr& part = held ? parts.test : parts.train;
        const std::uint64_t to = held ? to_test++ : to_train++;
        part.columns[to] = items[i];
        part.values[to] = values[i];
        if (!weights.empty()) part.weights[to] = weights[i];
    }
}

/// The greatest of the `count` ≥ 1 smallest draws of a user's items.
Draw last_held_draw(std::span<const std::uint32_t> items, std::uint64_t user_hash, const IdHashes& hashes,
                    std::uint64_t seed, std::uint64_t count, std::vector<Draw>& draws) {
    draws.clear();
    for (const std::uint32_t item : items) draws.emplace_back(cell_hash(user_hash, hashes.items[item], seed), item);
    const auto last = draws.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::nth_element(draws.begin(), last, draws.end());
    return *last;
}

/// Allocates the parts, whose sizes are known: held[user] cells of each user go to test.
HoldOut with_sizes(const Csr& cells, const Array<std::uint64_t>& held) {
    const std::uint32_t users = cells.rows();
    Array<std::uint64_t> train_offsets(std::size_t{users} + 1, 0);
    Array<std::uint64_t> test_offsets(std::size_t{users} + 1, 0);
    for (std::uint32_t user = 0; user < users; ++user) {
        train_offsets[user + 1] = train_offsets[user] + cells.row_size(user) - held[user];
        test_offsets[user + 1] = test_offsets[user] + held[user];
    }
    HoldOut parts{with_entries(std::move(train_offsets), cells.column_count),
                  with_entries(std::move(test_offsets), cells.column_count)};
    for (Csr* part : {&parts.train, &parts.test}) part->allocate_weights_as(cells);
    return parts;
}

void for_users(const Csr& cells, Environment& environment,
               const std::function<void(std::uint32_t user, int worker)>& body) {
    parallel_ranges(environment, cells.rows(), kBlockUsers, [&](std::size_t begin, std::size_t end, int worker) {
        for (auto user = static_cast<std::uint32_t>(begin); user < end; ++user) body(user, worker);
    });
}

}  // namespace

std::uint32_t fold_of(std::uint64_t user_hash, std::uint64_t item_hash, std::uint32_t folds, std::uint64_t seed) {
    if (folds == 0) throw InvalidArgument("folds must be at least 1, not 0");
    return static_cast<std::uint32_t>(cell_hash(user_hash, item_hash, seed) % folds);
}

IdHashes id_hashes(const Dataset& dataset, Environment& environment) {
    const auto hash_all = [&](const IdTable& ids) {
        Array<std::uint64_t> hashes(ids.size());
        parallel_ranges(environment, hashes.size(), kBlockIds, [&](std::size_t begin, std::size_t end, int) {
            for (std::size_t id = begin; id < end; ++id) hashes[id] = ids.hash(static_cast<std::uint32_t>(id));
        });
        return hashes;
    };
    return {hash_all(dataset.users), hash_all(dataset.items)};
}

Array<std::uint64_t> history_digests(const Csr& by_user, const IdHashes& hashes, Environment& environment) {
    Array<std::uint64_t> digests(by_user.rows());
    for_users(by_user, environment, [&](std::uint32_t user, int) {
        const auto columns = by_user.row_columns(user);
        const auto values = by_user.row_values(user);
        HistoryDigest digest;
        for (std::size_t j = 0; j < columns.size(); ++j)
            digest.add(hashes.items[columns[j]], values[j], by_user.weight(by_user.offsets[user] + j));
        digests[user] = digest.value();
    });
    return digests;
}

HoldOut hold_out(const Csr& cells, const IdHashes& hashes, double fraction, std::uint64_t seed,
                 Environment& environment) {
    if (!(fraction >= 0 && fraction < 1)) throw InvalidArgument("held-out fraction must be at least 0 and below 1");
    Array<std::uint64_t> held(cells.rows());
    for (std::uint32_t user = 0; user < cells.rows(); ++user)
        held[user] = held_out_count(fraction, cells.row_size(user));
    HoldOut parts = with_sizes(cells, held);
    std::vector<std::vector<Draw>> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    for_users(cells, environment, [&](std::uint32_t user, int worker) {
        if (held[user] == 0)
            return split_user(
                cells, user, [](std::uint32_t) { return false; }, parts);
        const std::uint64_t hash = hashes.users[user];
        const Draw last = last_held_draw(cells.row_columns(user), hash, hashes, seed, held[user],
                                         scratch[static_cast<std::size_t>(worker)]);
        split_user(
            cells, user,
            [&](std::uint32_t item) { return Draw(cell_hash(hash, hashes.items[item], seed), item) <= last; }, parts);
    });
    return parts;
}

void keep_positive(Csr& cells) {
    std::uint64_t to = 0, begin = 0;
    for (std::uint32_t user = 0; user < cells.rows(); ++user) {
        const std::uint64_t end = cells.offsets[user + std::size_t{1}];
        for (std::uint64_t i = begin; i < end; ++i) {
            if (!(cells.values[i] > 0)) continue;
            cells.columns[to] = cells.columns[i];
            cells.values[to] = cells.values[i];
            if (!cells.weights.empty()) cells.weights[to] = cells.weights[i];
            ++to;
        }
        cells.offsets[user + std::size_t{1}] = to;
        begin = end;
    }
    if (to == cells.columns.size()) return;
    Csr kept = with_entries(std::move(cells.offsets), cells.column_count);
    kept.allocate_weights_as(cells);
    std::copy_n(cells.columns.begin(), to, kept.columns.begin());
    std::copy_n(cells.values.begin(), to, kept.values.begin());
    if (!cells.weights.empty()) std::copy_n(cells.weights.begin(), to, kept.weights.begin());
    cells = std::move(kept);
}

HoldOut hold_out_fold(const Csr& cells, const IdHashes& hashes, std::uint32_t fold, std::uint32_t folds,
                      std::uint64_t seed, Environment& environment) {
    const auto is_held = [&](std::uint32_t user, std::uint32_t item) {
        return fold_of(hashes.users[user], hashes.items[item], folds, seed) == fold;
    };
    Array<std::uint64_t> held(cells.rows());
    for_users(cells, environment, [&](std::uint32_t user, int) {
        held[user] = 0;
        for (const std::uint32_t item : cells.row_columns(user)) held[user] += is_held(user, item);
    });
    HoldOut parts = with_sizes(cells, held);
    for_users(cells, environment, [&](std::uint32_t user, int) {
        split_user(
            cells, user, [&](std::uint32_t item) { return is_held(user, item); }, parts);
    });
    return parts;
}

}  // namespace mf
