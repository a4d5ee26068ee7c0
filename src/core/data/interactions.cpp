// Turns rows into a sparse matrix in linear time. Users, in the order of their ids, are cut into blocks whose rows fit
// into the cache: rows first go to their block, then a radix sort of cells sorts each block separately, on all threads.
#include "core/data/interactions.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/error.hpp"
#include "core/data/cell_sort.hpp"

namespace mf {
namespace {

constexpr std::size_t kFirstChunkRows = 4096;
constexpr std::size_t kLargestChunkRows = std::size_t{1} << 20;

/// Why a row could not be merged.
struct MergeFailure {
    std::uint32_t item;
    bool overflow;  // otherwise: a duplicate under Duplicates::Error
};

/// What the rows of one cell become.
struct MergedCell {
    float value;
    float weight;
    float popularity;
};

template <class Row>
MergedCell merged(std::span<Row> rows, Duplicates rule, const Recency& recency) {
    if (rows.size() > 1) std::sort(rows.begin(), rows.end());
    MergedValue value(rule), popularity(rule);
    for (const Row& row : rows) {
        if constexpr (std::is_same_v<Row, TimedRow>) {
            value.add(row.value(), recency.weight(row.time));
            popularity.add(row.value(), recency.popularity(row.time));
        } else {
            value.add(row.value());
        }
    }
    return {value.value(), value.weight(), popularity.weight()};
}

/// The failure of the first row, in row order: the message does not depend on which thread comes first.
class FirstFailure {
  public:
    void report(std::uint32_t row, MergeFailure failure) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failure_ && row_ < row) return;
        row_ = row;
        failure_ = failure;
    }
    /// True if failures of this row and later ones no longer matter.
    bool is_before(std::size_t row) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return failure_ && row_ < row;
    }
    void raise_if_any(const IdTable& users, const IdTable& items) const {
        if (!failure_) return;
        const std::string pair = "user \"" + users.text(row_) + "\" and item \"" + items.text(failure_->item) + "\"";
        if (failure_->overflow) {
            throw InvalidData("merged value of " + pair + " is out of range", "The value does not fit into type real.",
                              "Scale the values down, or set the option \"duplicates\" to \"mean\" or \"last\".");
        }
        throw InvalidData("duplicate interaction of " + pair, {},
                          "Set the option \"duplicates\" to \"mean\", \"sum\" or \"last\" to merge them.");
    }

  private:
    mutable std::mutex mutex_;
    std::uint32_t row_ = 0;
    std::optional<MergeFailure> failure_;
};

/// Sums of weights of popularity in integers: their order makes no difference. 2^40 entries of an item fit.
constexpr float kPopularityUnit = 0x1.0p-24f;

/// Where the entries of a block go: items and values from the block's beginning on, counts from its first user on. What
/// all blocks share: rows of each item beyond its entries, and its popularity in units.
struct BlockOutput {
    std::uint32_t* items;
    float* values;
    float* weights;  ///< null: they are not wanted
    std::uint64_t* counts;
    std::uint64_t* repeated;
    std::uint64_t* popularity;  ///< null: it is not wanted
};

/// Writes one entry for each cell of the sorted rows, up to the first cell that fails.
template <class Row>
void merge_rows(std::span<Row> rows, const CellBlocks& blocks, std::uint64_t first_user, Duplicates rule,
                const Counting& counting, const BlockOutput& output, FirstFailure& failure) {
    std::size_t entries = 0;
    for (std::size_t begin = 0, end; begin < rows.size(); begin = end) {
        const std::uint32_t cell = rows[begin].cell();
        for (end = begin + 1; end < rows.size() && rows[end].cell() == cell;) ++end;
        const std::uint32_t user_in_block = blocks.user_in_block(cell);
        const std::uint32_t item = blocks.item(cell);
        float value = rows[begin].value();
        if (end - begin > 1 || output.weights != nullptr || output.popularity != nullptr) {
            const MergedCell cell = merged(rows.subspan(begin, end - begin), rule, counting.recency);
            value = cell.value;
            if (output.weights != nullptr) output.weights[entries] = cell.weight;
            if (output.popularity != nullptr && (value > 0 || !counting.popular_if_liked))
                std::atomic_ref(output.popularity[item])
                    .fetch_add(static_cast<std::uint64_t>(cell.popularity / kPopularityUnit),
                               std::memory_order_relaxed);
        }
        if (end - begin > 1) {
            const bool is_error = rule == Duplicates::Error;
            if (is_error || !std::isfinite(value)) {
                failure.report(static_cast<std::uint32_t>(first_user + user_in_block), {item, !is_error});
                return;
            }
            std::atomic_ref(output.repeated[item]).fetch_add(end - begin - 1, std::memory_order_relaxed);
        }
        output.items[entries] = item;
        output.values[entries] = value;
        ++entries;
        ++output.counts[user_in_block];
    }
}

/// Closes the gaps that merging has left at the ends of blocks; the matrix's offsets are already those of the result.
Csr compact(Csr matrix, const CellBlocks& blocks, const std::vector<std::uint64_t>& begins, Environment& environment) {
    const std::uint64_t entries = matrix.offsets[matrix.rows()];
    if (entries == matrix.entries()) return matrix;
    Csr result;
    result.column_count = matrix.column_count;
    result.columns = Array<std::uint32_t>(entries);
    result.values = Array<float>(entries);
    result.allocate_weights_as(matrix);
    parallel_for(environment, blocks.count(), [&](std::size_t block, int) {
        const std::uint64_t end_user = std::min<std::uint64_t>(blocks.first_user(block + 1), matrix.rows());
        const std::uint64_t to = matrix.offsets[blocks.first_user(block)];
        const std::uint64_t count = matrix.offsets[end_user] - to;
        std::copy_n(matrix.columns.data() + begins[block], count, result.columns.data() + to);
        std::copy_n(matrix.values.data() + begins[block], count, result.values.data() + to);
        if (!matrix.weights.empty())
            std::copy_n(matrix.weights.data() + begins[block], count, result.weights.data() + to);
    });
    result.offsets = std::move(matrix.offsets);
    return result;
}

}  // namespace

/// Rows in the order of their arrival.
struct InteractionsBuilder::Chunk {
    Chunk(std::size_t capacity, bool with_times)
        : users(capacity), items(capacity), values(capacity), times(with_times ? capacity : 0) {}

    std::size_t size = 0;
    Array<std::uint32_t> users;
    Array<std::uint32_t> items;
    Array<float> values;
    Array<double> times;
};

InteractionsBuilder::InteractionsBuilder(IdKind users, IdKind items, bool with_times)
    : users_(users), items_(items), with_times_(with_times) {}

InteractionsBuilder::~InteractionsBuilder() = default;

void InteractionsBuilder::add_chunk() {
    const std::size_t capacity =
        chunks_.empty() ? kFirstChunkRows : std::min(2 * chunks_.back()->users.size(), kLargestChunkRows);
    chunks_.push_back(std::make_unique<Chunk>(capacity, with_times_));
    chunk_bytes_ += capacity * (2 * sizeof(std::uint32_t) + sizeof(float) + (with_times_ ? sizeof(double) : 0));
}

void InteractionsBuilder::add(std::uint32_t user, std::uint32_t item, float value, double time) {
    add(1, &user, &item, &value, &time);
}

void InteractionsBuilder::add(std::size_t count, const std::uint32_t* users, const std::uint32_t* items,
                              const float* values, const double* times) {
    for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(values[i])) throw InvalidData("interaction value is not a finite number");
        if (with_times_ && std::isnan(times[i])) throw InvalidData("interaction time is not a number");
    }
    for (std::size_t done = 0; done < count;) {
        if (chunks_.empty() || chunks_.back()->size == chunks_.back()->users.size()) add_chunk();
        Chunk& chunk = *chunks_.back();
        const std::size_t fit = std::min(count - done, chunk.users.size() - chunk.size);
        std::copy_n(users + done, fit, chunk.users.data() + chunk.size);
        std::copy_n(items + done, fit, chunk.items.data() + chunk.size);
        std::copy_n(values + done, fit, chunk.values.data() + chunk.size);
        if (with_times_) std::copy_n(times + done, fit, chunk.times.data() + chunk.size);
        chunk.size += fit;
        done += fit;
        rows_ += fit;
    }
}

std::size_t InteractionsBuilder::memory() const { return users_.memory() + items_.memory() + chunk_bytes_; }

/// All rows by block, with cells instead of columns; block b has positions begins[b] to begins[b + 1]. Empties the
/// chunks.
Csr InteractionsBuilder::scatter(const CellBlocks& blocks, const std::vector<std::uint32_t>& user_rank,
                                 const std::vector<std::uint32_t>& item_rank, std::vector<std::uint64_t>& begins,
                                 Array<double>& times, Environment& environment) {
    // Positions are counted per chunk and block, so that chunks can be emptied in any order.
    std::vector<std::uint64_t> cursors(chunks_.size() * blocks.count());
    std::vector<char> item_used(items_.size());
    parallel_for(environment, chunks_.size(), [&](std::size_t c, int) {
        const Chunk& chunk = *chunks_[c];
        for (std::size_t i = 0; i < chunk.size; ++i) {
            ++cursors[c * blocks.count() + blocks.block_of(user_rank[chunk.users[i]])];
            const std::atomic_ref<char> used(item_used[chunk.items[i]]);
            if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
        }
    });
    if (std::find(item_used.begin(), item_used.end(), false) != item_used.end())
        throw std::logic_error("item interned without a row");
    begins.assign(1, 0);
    std::uint64_t position = 0;
    for (std::size_t block = 0; block < blocks.count(); ++block) {
        for (std::size_t c = 0; c < chunks_.size(); ++c)
            position += std::exchange(cursors[c * blocks.count() + block], position);
        begins.push_back(position);
    }

    Csr matrix;
    matrix.column_count = items_.size();
    matrix.columns = Array<std::uint32_t>(rows_);
    matrix.values = Array<float>(rows_);
    if (with_times_) times = Array<double>(rows_);
    parallel_for(environment, chunks_.size(), [&](std::size_t c, int) {
        const Chunk& chunk = *chunks_[c];
        std::uint64_t* own = cursors.data() + c * blocks.count();
        for (std::size_t i = 0; i < chunk.size; ++i) {
            const std::uint32_t user = user_rank[chunk.users[i]];
            const std::uint64_t to = own[blocks.block_of(user)]++;
            matrix.columns[to] = blocks.cell_of(user, item_rank[chunk.items[i]]);
            matrix.values[to] = chunk.values[i];
            if (with_times_) times[to] = chunk.times[i];
        }
        chunks_[c].reset();
    });
    chunks_.clear();
    chunk_bytes_ = 0;
    return matrix;
}

/// Of each item.
struct InteractionsBuilder::ItemCounts {
    Array<std::uint64_t> repeated;
    Array<std::uint64_t> popularity;  ///< in units; empty: not wanted
};

template <class Row>
Csr InteractionsBuilder::finish_as(Duplicates rule, const Counting& counting, ItemCounts& counts,
                                   Environment& environment) {
    const Recency& recency = counting.recency;
    const CellBlocks blocks(users_.size(), items_.size(), rows_);
    std::vector<std::uint64_t> begins;
    Array<double> times;
    // The ranks are released with the full expression, before rows are sorted.
    Csr matrix = scatter(blocks, users_.sort(environment), items_.sort(environment), begins, times, environment);

    if (recency.weighs()) matrix.weights = Array<float>(matrix.columns.size());
    matrix.offsets = Array<std::uint64_t>(std::size_t{users_.size()} + 1, 0);
    counts.repeated = Array<std::uint64_t>(items_.size(), 0);
    if (recency.weighs_popularity() || counting.popular_if_liked)
        counts.popularity = Array<std::uint64_t>(items_.size(), 0);
    std::vector<SortScratch<Row>> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    FirstFailure failure;
    parallel_for(environment, blocks.count(), [&](std::size_t block, int worker) {
        const std::uint64_t first_user = blocks.first_user(block);
        if (failure.is_before(first_user)) return;
        const std::uint64_t begin = begins[block];
        std::uint32_t* columns = matrix.columns.data() + begin;
        float* values = matrix.values.data() + begin;
        const std::span<Row> rows =
            sorted_rows<Row>({columns, begins[block + 1] - begin}, values, times.data() + (times.empty() ? 0 : begin),
                             blocks.cell_bits(), scratch[static_cast<std::size_t>(worker)]);
        float* const weights = recency.weighs() ? matrix.weights.data() + begin : nullptr;
        std::uint64_t* const popularity = counts.popularity.empty() ? nullptr : counts.popularity.data();
        merge_rows(
            rows, blocks, first_user, rule, counting,
            {columns, values, weights, matrix.offsets.data() + 1 + first_user, counts.repeated.data(), popularity},
            failure);
    });
    scratch.clear();
    times = Array<double>();
    failure.raise_if_any(users_, items_);

    for (std::size_t user = 0; user < users_.size(); ++user) {
        if (matrix.offsets[user + 1] == 0) throw std::logic_error("user interned without a row");
        matrix.offsets[user + 1] += matrix.offsets[user];
    }
    return compact(std::move(matrix), blocks, begins, environment);
}

double InteractionsBuilder::newest_time() const {
    double newest = -std::numeric_limits<double>::infinity();
    for (const auto& chunk : chunks_)
        for (std::size_t i = 0; i < chunk->size; ++i)
            if (std::isfinite(chunk->times[i])) newest = std::max(newest, chunk->times[i]);
    if (!std::isfinite(newest))
        throw InvalidData("no interaction has a time", "A half-life counts from the newest interaction.",
                          "Name another time column, or leave out the half-life.");
    return newest;
}

Dataset InteractionsBuilder::finish(Duplicates rule, Environment& environment, Counting counting) && {
    Recency& recency = counting.recency;
    if (rows_ == 0) throw InvalidData("no interactions to train on");
    if (recency.needs_times() && !with_times_) throw std::logic_error("a half-life needs times");
    if (recency.needs_times() && std::isnan(recency.newest)) recency.newest = newest_time();
    ItemCounts counts;
    Csr by_user = with_times_ ? finish_as<TimedRow>(rule, counting, counts, environment)
                              : finish_as<PlainRow>(rule, counting, counts, environment);
    Array<float> popularity(counts.popularity.size());
    std::transform(counts.popularity.begin(), counts.popularity.end(), popularity.begin(),
                   [](std::uint64_t units) { return static_cast<float>(units) * kPopularityUnit; });
    return {std::move(users_), std::move(items_),    std::move(by_user), std::move(counts.repeated), rows_,
            recency,           std::move(popularity)};
}

double builder_counter_bytes(std::uint64_t users, std::uint64_t items, std::uint64_t rows) {
    if (users == 0 || items == 0 || rows == 0) return 0;
    constexpr std::uint64_t kMost = 0xFFFFFFFF;
    const CellBlocks blocks(static_cast<std::uint32_t>(std::min(users, kMost)),
                            static_cast<std::uint32_t>(std::min(items, kMost)), rows);
    // Chunks double from the first size to the largest.
    const double chunks = std::bit_width(kLargestChunkRows / kFirstChunkRows) +
                          static_cast<double>(rows) / static_cast<double>(kLargestChunkRows);
    return chunks * static_cast<double>(blocks.count()) * sizeof(std::uint64_t);
}

}  // namespace mf
