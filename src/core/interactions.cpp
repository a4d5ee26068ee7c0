// Rows to sparse matrix: a counting sort by user, then a comparison sort inside each user's row. Sorting by
// user first keeps the second sort in cache and lets it run on all threads.
#include "core/interactions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace mf {
namespace {

constexpr std::size_t kFirstChunkRows = 4096;
constexpr std::size_t kLargestChunkRows = std::size_t{1} << 20;

/// Users whose rows are sorted and merged at a time: the unit of dynamic scheduling and of cancelling.
constexpr std::size_t kBlockRows = 256;

/// counts[r + 1] = entries of row r becomes offsets[r + 1] = first position of row r. A scatter that advances
/// offsets[r + 1] with every entry it writes leaves the finished offsets behind, without a second array of
/// cursors.
void counts_to_cursors(Array<std::uint64_t>& counts) {
    std::uint64_t position = 0;
    for (std::size_t i = 1; i < counts.size(); ++i) position += std::exchange(counts[i], position);
}

/// Float as a number of the same order (-0 just below 0). Not for NaN.
std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

float from_ordered_bits(std::uint32_t bits) {
    return std::bit_cast<float>(bits & 0x80000000u ? bits & 0x7fffffffu : ~bits);
}

/// One entry of a row with a time.
struct TimedEntry {
    std::uint32_t item;
    float value;
    double time;
};

/// Memory for sorting one row, kept from row to row by one worker.
struct SortScratch {
    std::vector<std::uint64_t> keys;  // item and value, packed so that one comparison orders both
    std::vector<TimedEntry> timed;
};

/// Room for n elements without a copy of the old ones, and no more: the longest rows may hold most of the
/// data.
template <class T>
T* room_for(std::vector<T>& scratch, std::size_t n) {
    if (scratch.size() < n) {
        scratch = {};
        scratch.resize(n);
    }
    return scratch.data();
}

/// Orders n entries by (item, value).
void sort_row(std::uint32_t* items, float* values, std::size_t n, SortScratch& scratch) {
    std::uint64_t* keys = room_for(scratch.keys, n);
    for (std::size_t i = 0; i < n; ++i) keys[i] = std::uint64_t{items[i]} << 32 | ordered_bits(values[i]);
    std::sort(keys, keys + n);
    for (std::size_t i = 0; i < n; ++i) {
        items[i] = static_cast<std::uint32_t>(keys[i] >> 32);
        values[i] = from_ordered_bits(static_cast<std::uint32_t>(keys[i]));
    }
}

/// Orders n entries by (item, time, value). The times themselves are not needed afterwards.
void sort_timed_row(std::uint32_t* items, float* values, const double* times, std::size_t n,
                    SortScratch& scratch) {
    TimedEntry* entries = room_for(scratch.timed, n);
    for (std::size_t i = 0; i < n; ++i) entries[i] = {items[i], values[i], times[i]};
    std::sort(entries, entries + n, [](const TimedEntry& a, const TimedEntry& b) {
        if (a.item != b.item) return a.item < b.item;
        if (a.time != b.time) return a.time < b.time;
        return ordered_bits(a.value) < ordered_bits(b.value);
    });
    for (std::size_t i = 0; i < n; ++i) {
        items[i] = entries[i].item;
        values[i] = entries[i].value;
    }
}

/// Why a row could not be merged.
struct MergeFailure {
    std::uint32_t item;
    bool overflow;  // else: a duplicate under Duplicates::Error
};

/// One value for the n values of one cell, in double precision.
double merged(const float* values, std::size_t n, Duplicates rule) {
    if (n == 1 || rule == Duplicates::Last) return values[n - 1];
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += values[i];
    return rule == Duplicates::Mean ? sum / static_cast<double>(n) : sum;
}

/// Merges equal items of an ordered row in place, to the front; count becomes the number of entries left.
std::optional<MergeFailure> merge_row(std::uint32_t* items, float* values, std::size_t n, Duplicates rule,
                                      std::uint32_t& count) {
    count = 0;
    for (std::size_t begin = 0, end; begin < n; begin = end) {
        const std::uint32_t item = items[begin];
        for (end = begin + 1; end < n && items[end] == item;) ++end;
        if (end - begin > 1 && rule == Duplicates::Error) return MergeFailure{item, false};
        const auto value = static_cast<float>(merged(values + begin, end - begin, rule));
        if (!std::isfinite(value)) return MergeFailure{item, true};
        items[count] = item;
        values[count] = value;
        ++count;
    }
    return std::nullopt;
}

/// The failure of the first row, in row order: whichever thread comes first, the message is the same.
class FirstFailure {
  public:
    void report(std::uint32_t row, MergeFailure failure) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failure_ && row_ < row) return;
        row_ = row;
        failure_ = failure;
    }
    /// True if no row from this one on can matter any more.
    bool is_before(std::size_t row) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return failure_ && row_ < row;
    }
    void raise_if_any(const IdTable& users, const IdTable& items) const {
        if (!failure_) return;
        const std::string pair =
            "user \"" + users.text(row_) + "\" and item \"" + items.text(failure_->item) + "\"";
        if (failure_->overflow) {
            throw InvalidData(
                "merged value of " + pair + " is out of range", "The value does not fit into type real.",
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

/// Orders every row and merges its duplicates to the row's front. Returns the entries left in each row.
Array<std::uint32_t> sort_and_merge_rows(Csr& matrix, const Array<double>& times, Duplicates rule,
                                         FirstFailure& failure, Environment& environment) {
    const std::size_t rows = matrix.rows();
    Array<std::uint32_t> kept(rows, 0);
    std::vector<SortScratch> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    const auto body = [&](std::size_t block, int worker) {
        const std::size_t first = block * kBlockRows;
        if (failure.is_before(first)) return;
        for (std::size_t row = first; row < std::min(first + kBlockRows, rows); ++row) {
            const std::uint64_t begin = matrix.offsets[row];
            const auto n = static_cast<std::size_t>(matrix.offsets[row + 1] - begin);
            std::uint32_t* items = matrix.columns.data() + begin;
            float* values = matrix.values.data() + begin;
            SortScratch& own = scratch[static_cast<std::size_t>(worker)];
            if (times.empty()) {
                sort_row(items, values, n, own);
            } else {
                sort_timed_row(items, values, times.data() + begin, n, own);
            }
            if (const auto bad = merge_row(items, values, n, rule, kept[row])) {
                failure.report(static_cast<std::uint32_t>(row), *bad);
                return;
            }
        }
    };
    parallel_for(environment, (rows + kBlockRows - 1) / kBlockRows, body);
    return kept;
}

/// Drops what merging has left behind in each row.
Csr compact(Csr matrix, const Array<std::uint32_t>& kept) {
    std::uint64_t entries = 0;
    for (const std::uint32_t count : kept) entries += count;
    if (entries == matrix.entries()) return matrix;

    Csr result;
    result.column_count = matrix.column_count;
    result.columns = Array<std::uint32_t>(entries);
    result.values = Array<float>(entries);
    std::uint64_t end = 0;
    for (std::size_t row = 0; row < kept.size(); ++row) {
        const std::uint64_t begin = matrix.offsets[row];
        std::copy_n(matrix.columns.data() + begin, kept[row], result.columns.data() + end);
        std::copy_n(matrix.values.data() + begin, kept[row], result.values.data() + end);
        matrix.offsets[row] = end;
        end += kept[row];
    }
    matrix.offsets[kept.size()] = end;
    result.offsets = std::move(matrix.offsets);
    return result;
}

}  // namespace

Csr transpose(const Csr& matrix) {
    Csr result;
    result.column_count = matrix.rows();
    result.offsets = Array<std::uint64_t>(std::size_t{matrix.column_count} + 1, 0);
    result.columns = Array<std::uint32_t>(matrix.entries());
    result.values = Array<float>(matrix.entries());
    std::uint64_t* cursors = result.offsets.data() + 1;
    for (const std::uint32_t column : matrix.columns) ++cursors[column];
    counts_to_cursors(result.offsets);
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[row + 1]; ++i) {
            const std::uint64_t to = cursors[matrix.columns[i]]++;
            result.columns[to] = row;
            result.values[to] = matrix.values[i];
        }
    }
    return result;
}

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
    chunk_bytes_ +=
        capacity * (2 * sizeof(std::uint32_t) + sizeof(float) + (with_times_ ? sizeof(double) : 0));
}

void InteractionsBuilder::add(std::uint32_t user, std::uint32_t item, float value, double time) {
    if (!std::isfinite(value)) throw InvalidData("interaction value is not a finite number");
    if (std::isnan(time)) throw InvalidData("interaction time is not a number");
    if (chunks_.empty() || chunks_.back()->size == chunks_.back()->users.size()) add_chunk();
    Chunk& chunk = *chunks_.back();
    chunk.users[chunk.size] = user;
    chunk.items[chunk.size] = item;
    chunk.values[chunk.size] = value;
    if (with_times_) chunk.times[chunk.size] = time;
    ++chunk.size;
    ++rows_;
}

std::size_t InteractionsBuilder::memory() const { return users_.memory() + items_.memory() + chunk_bytes_; }

/// One row of the result per user, its entries still in order of arrival. Empties the chunks.
Csr InteractionsBuilder::scatter(const std::vector<std::uint32_t>& user_rank,
                                 const std::vector<std::uint32_t>& item_rank, Array<double>& times,
                                 Environment& environment) {
    Csr matrix;
    matrix.column_count = items_.size();
    matrix.offsets = Array<std::uint64_t>(std::size_t{users_.size()} + 1, 0);
    std::uint64_t* cursors = matrix.offsets.data() + 1;
    std::vector<bool> item_used(items_.size());
    for (const auto& chunk : chunks_) {
        check_interrupt(environment);
        for (std::size_t i = 0; i < chunk->size; ++i) {
            ++cursors[user_rank[chunk->users[i]]];
            item_used[item_rank[chunk->items[i]]] = true;
        }
    }
    const bool user_unused =
        std::find(cursors, matrix.offsets.end(), std::uint64_t{0}) != matrix.offsets.end();
    if (user_unused || std::find(item_used.begin(), item_used.end(), false) != item_used.end()) {
        throw std::logic_error("id interned without a row");
    }
    counts_to_cursors(matrix.offsets);

    matrix.columns = Array<std::uint32_t>(rows_);
    matrix.values = Array<float>(rows_);
    if (with_times_) times = Array<double>(rows_);
    for (auto& chunk : chunks_) {
        check_interrupt(environment);
        for (std::size_t i = 0; i < chunk->size; ++i) {
            const std::uint64_t to = cursors[user_rank[chunk->users[i]]]++;
            matrix.columns[to] = item_rank[chunk->items[i]];
            matrix.values[to] = chunk->values[i];
            if (with_times_) times[to] = chunk->times[i];
        }
        chunk.reset();
    }
    chunks_.clear();
    chunk_bytes_ = 0;
    return matrix;
}

Dataset InteractionsBuilder::finish(Duplicates rule, Environment& environment) && {
    if (rows_ == 0) throw InvalidData("no interactions to train on");
    Array<double> times;
    // The ranks are released with the full expression, before rows are sorted.
    Csr matrix = scatter(users_.sort(), items_.sort(), times, environment);
    FirstFailure failure;
    const Array<std::uint32_t> kept = sort_and_merge_rows(matrix, times, rule, failure, environment);
    failure.raise_if_any(users_, items_);
    times = {};
    Csr by_user = compact(std::move(matrix), kept);
    return {std::move(users_), std::move(items_), std::move(by_user), rows_};
}

}  // namespace mf
