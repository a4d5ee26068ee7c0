// Rows to sparse matrix in linear time. Users, in the order of their ids, are cut into blocks whose rows fit into
// cache: rows go to their block first, then each block is sorted on its own, on all threads, by a radix sort of cells.
#include "core/interactions.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "core/error.hpp"

namespace mf {

/// How one row is packed into 64 bits, in the order of (user, item, value): the user's number in its block, the item
/// and the value. A block has as many users as the items leave bits for, and no more rows than fit into the
/// second-level cache if users are alike.
class CellBlocks {
  public:
    CellBlocks(std::uint32_t users, std::uint32_t items, std::uint64_t rows) : users_(users) {
        constexpr double kRowsPerBlock = 1 << 15;
        constexpr int kMaximumBlocksLog2 = 14;  // more places to write to than this would not stay in cache
        item_bits_ = std::bit_width(items - 1);
        const double users_per_block = kRowsPerBlock * users / static_cast<double>(rows);
        const int wanted = std::bit_width(static_cast<std::uint64_t>(users_per_block));
        const int needed = std::bit_width(users - 1) - kMaximumBlocksLog2;
        user_bits_ = std::clamp(std::max(wanted, needed), 0, 32 - item_bits_);
    }

    std::size_t count() const { return (std::size_t{users_} + first_user(1) - 1) >> user_bits_; }
    std::size_t block_of(std::uint32_t user) const { return user >> user_bits_; }
    std::uint64_t first_user(std::size_t block) const { return std::uint64_t{block} << user_bits_; }
    /// Bits of a cell, its value left out.
    int cell_bits() const { return user_bits_ + item_bits_; }

    std::uint64_t pack(std::uint32_t user, std::uint32_t item, float value) const {
        const std::uint64_t user_in_block = user & (first_user(1) - 1);
        return (user_in_block << item_bits_ | item) << 32 | ordered_bits(value);
    }
    std::uint32_t user_in_block(std::uint64_t packed) const { return static_cast<std::uint32_t>(packed >> 32 >> item_bits_); }
    std::uint32_t item(std::uint64_t packed) const {
        return static_cast<std::uint32_t>(packed >> 32 & ((std::uint64_t{1} << item_bits_) - 1));
    }
    static float value(std::uint64_t packed) { return from_ordered_bits(static_cast<std::uint32_t>(packed)); }

    /// Float as a number of the same order (-0 just below 0). Not for NaN.
    static std::uint32_t ordered_bits(float value) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    }
    static float from_ordered_bits(std::uint32_t bits) {
        return std::bit_cast<float>(bits & 0x80000000u ? bits & 0x7fffffffu : ~bits);
    }

  private:
    std::uint32_t users_;
    int item_bits_;
    int user_bits_;
};

namespace {

constexpr std::size_t kFirstChunkRows = 4096;
constexpr std::size_t kLargestChunkRows = std::size_t{1} << 20;

/// One row without a time, and with one. Those of one cell are ordered by (time, value).
struct Cell {
    std::uint64_t packed;
    bool operator<(const Cell& other) const { return packed < other.packed; }
};
struct TimedCell {
    std::uint64_t packed;
    double time;
    bool operator<(const TimedCell& other) const {
        return time != other.time ? time < other.time : packed < other.packed;
    }
};

/// Orders cells by bits 32 to 32 + key_bits of `packed`; scratch has the same size.
template <class Cell>
void radix_sort(std::span<Cell> cells, std::span<Cell> scratch, int key_bits) {
    constexpr int kMaximumDigitBits = 9;
    constexpr int kMaximumPasses = (32 + kMaximumDigitBits - 1) / kMaximumDigitBits;
    const int passes = (key_bits + kMaximumDigitBits - 1) / kMaximumDigitBits;
    if (passes == 0) return;
    const int digit_bits = (key_bits + passes - 1) / passes;
    const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;

    std::size_t cursors[kMaximumPasses][1 << kMaximumDigitBits] = {};
    for (const Cell& cell : cells) {
        for (int pass = 0; pass < passes; ++pass) ++cursors[pass][cell.packed >> (32 + pass * digit_bits) & mask];
    }
    std::span<Cell> from = cells, to = scratch;
    for (int pass = 0; pass < passes; ++pass) {
        std::size_t position = 0;
        for (std::uint64_t digit = 0; digit <= mask; ++digit) position += std::exchange(cursors[pass][digit], position);
        for (const Cell& cell : from) to[cursors[pass][cell.packed >> (32 + pass * digit_bits) & mask]++] = cell;
        std::swap(from, to);
    }
    if (passes % 2 == 1) std::copy(from.begin(), from.end(), to.begin());
}

/// Puts the cells in the order of (user, item); equal ones stay together.
template <class Cell>
void sort_cells(std::span<Cell> cells, std::vector<Cell>& scratch, int key_bits) {
    constexpr std::size_t kFewCells = 256;  // fewer than a radix sort has counters
    if (cells.size() < kFewCells) {
        std::sort(cells.begin(), cells.end(),
                  [](const Cell& a, const Cell& b) { return a.packed >> 32 < b.packed >> 32; });
        return;
    }
    if (scratch.size() < cells.size()) {
        scratch = {};  // no copy of what it held, and no more room than needed
        scratch.resize(cells.size());
    }
    radix_sort(cells, std::span(scratch).first(cells.size()), key_bits);
}

/// Why a row could not be merged.
struct MergeFailure {
    std::uint32_t item;
    bool overflow;  // else: a duplicate under Duplicates::Error
};

/// One value for several rows of one cell, in double precision.
template <class Cell>
double merged(std::span<const Cell> cells, Duplicates rule) {
    if (rule == Duplicates::Last) return CellBlocks::value(cells.back().packed);
    double sum = 0;
    for (const Cell& cell : cells) sum += CellBlocks::value(cell.packed);
    return rule == Duplicates::Mean ? sum / static_cast<double>(cells.size()) : sum;
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

/// Merges the rows of equal cells, which lie together, and puts what is left to the front. Adds the entries of each
/// user to counts, which begins with the block's first user. Returns the number left, or fewer after a failure.
template <class Cell>
std::size_t merge_cells(std::span<Cell> cells, const CellBlocks& blocks, std::uint64_t first_user, Duplicates rule,
                        std::uint64_t* counts, FirstFailure& failure) {
    std::size_t left = 0;
    for (std::size_t begin = 0, end; begin < cells.size(); begin = end) {
        const std::uint64_t packed = cells[begin].packed;
        for (end = begin + 1; end < cells.size() && cells[end].packed >> 32 == packed >> 32;) ++end;
        const std::uint32_t user_in_block = blocks.user_in_block(packed);
        cells[left].packed = packed;
        if (end - begin > 1) {
            const auto user = static_cast<std::uint32_t>(first_user + user_in_block);
            const std::uint32_t item = blocks.item(packed);
            if (rule == Duplicates::Error) {
                failure.report(user, {item, false});
                return left;
            }
            const std::span<Cell> equal = cells.subspan(begin, end - begin);
            std::sort(equal.begin(), equal.end());
            const auto value = static_cast<float>(merged<Cell>(equal, rule));
            if (!std::isfinite(value)) {
                failure.report(user, {item, true});
                return left;
            }
            cells[left].packed = blocks.pack(user_in_block, item, value);
        }
        ++left;
        ++counts[user_in_block];
    }
    return left;
}

/// Goes through the rows of a matrix once, in stripes of about equally many entries, one for each thread: calls
/// body(stripe, first row, end row) for one piece of each stripe after the other, so that it can be cancelled.
class Stripes {
  public:
    Stripes(const Csr& matrix, std::size_t count) : matrix_(matrix) {
        for (std::size_t stripe = 0; stripe <= count; ++stripe) {
            const std::uint64_t entry = matrix.entries() / count * stripe;
            const auto* row = std::lower_bound(matrix.offsets.begin(), matrix.offsets.end() - 1, entry);
            begins_.push_back(stripe == count ? matrix.rows() : static_cast<std::uint32_t>(row - matrix.offsets.begin()));
        }
    }

    std::size_t count() const { return begins_.size() - 1; }

    template <class Body>
    void walk(Environment& environment, const Body& body) const {
        constexpr std::uint64_t kPieceEntries = std::uint64_t{1} << 20;
        std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
        const auto piece = [&](std::size_t stripe, int) {
            const std::uint32_t begin = next[stripe];
            std::uint32_t& end = next[stripe];
            while (end < begins_[stripe + 1] && matrix_.offsets[end] - matrix_.offsets[begin] < kPieceEntries) ++end;
            body(stripe, begin, end);
        };
        while (!std::equal(next.begin(), next.end(), begins_.begin() + 1)) parallel_for(environment, count(), piece);
    }

  private:
    const Csr& matrix_;
    std::vector<std::uint32_t> begins_;
};

}  // namespace

Csr transpose(const Csr& matrix, Environment& environment) {
    Csr result;
    result.column_count = matrix.rows();
    const std::size_t columns = matrix.column_count;
    result.offsets = Array<std::uint64_t>(columns + 1, 0);
    if (matrix.entries() == 0) return result;

    // Each stripe has cursors of its own; they must not cost more memory than the entries.
    const auto threads = static_cast<std::size_t>(std::max(environment.threads, 1));
    const Stripes stripes(matrix, std::clamp<std::size_t>(matrix.entries() / columns / 4, 1, threads));
    Array<std::uint64_t> cursors(stripes.count() * columns, 0);
    stripes.walk(environment, [&](std::size_t stripe, std::uint32_t begin, std::uint32_t end) {
        std::uint64_t* counts = cursors.data() + stripe * columns;
        for (std::uint64_t i = matrix.offsets[begin]; i < matrix.offsets[end]; ++i) ++counts[matrix.columns[i]];
    });
    std::uint64_t position = 0;
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t stripe = 0; stripe < stripes.count(); ++stripe)
            position += std::exchange(cursors[stripe * columns + column], position);
        result.offsets[column + 1] = position;
    }

    result.columns = Array<std::uint32_t>(matrix.entries());
    result.values = Array<float>(matrix.entries());
    stripes.walk(environment, [&](std::size_t stripe, std::uint32_t begin, std::uint32_t end) {
        std::uint64_t* own = cursors.data() + stripe * columns;
        for (std::uint32_t row = begin; row < end; ++row) {
            for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[row + 1]; ++i) {
                const std::uint64_t to = own[matrix.columns[i]]++;
                result.columns[to] = row;
                result.values[to] = matrix.values[i];
            }
        }
    });
    return result;
}

Csr transpose(const Csr& matrix) {
    Environment environment;
    return transpose(matrix, environment);
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

/// All rows as cells, by block; block b has positions begins[b] to begins[b + 1]. Empties the chunks.
template <class Cell>
Array<Cell> InteractionsBuilder::scatter(const CellBlocks& blocks, const std::vector<std::uint32_t>& user_rank,
                                         const std::vector<std::uint32_t>& item_rank,
                                         std::vector<std::uint64_t>& begins, Environment& environment) {
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

    Array<Cell> cells(rows_);
    parallel_for(environment, chunks_.size(), [&](std::size_t c, int) {
        const Chunk& chunk = *chunks_[c];
        std::uint64_t* own = cursors.data() + c * blocks.count();
        for (std::size_t i = 0; i < chunk.size; ++i) {
            const std::uint32_t user = user_rank[chunk.users[i]];
            Cell& cell = cells[own[blocks.block_of(user)]++];
            cell.packed = blocks.pack(user, item_rank[chunk.items[i]], chunk.values[i]);
            if constexpr (std::is_same_v<Cell, TimedCell>) cell.time = chunk.times[i];
        }
        chunks_[c].reset();
    });
    chunks_.clear();
    chunk_bytes_ = 0;
    return cells;
}

template <class Cell>
Csr InteractionsBuilder::finish_as(Duplicates rule, Environment& environment) {
    const CellBlocks blocks(users_.size(), items_.size(), rows_);
    std::vector<std::uint64_t> begins;
    // The ranks are released with the full expression, before cells are sorted.
    Array<Cell> cells =
        scatter<Cell>(blocks, users_.sort(environment), items_.sort(environment), begins, environment);

    Csr matrix;
    matrix.column_count = items_.size();
    matrix.offsets = Array<std::uint64_t>(std::size_t{users_.size()} + 1, 0);
    std::vector<std::size_t> left(blocks.count());
    std::vector<std::vector<Cell>> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    FirstFailure failure;
    parallel_for(environment, blocks.count(), [&](std::size_t block, int worker) {
        const std::uint64_t first_user = blocks.first_user(block);
        if (failure.is_before(first_user)) return;
        const std::span<Cell> own(cells.data() + begins[block], begins[block + 1] - begins[block]);
        sort_cells(own, scratch[static_cast<std::size_t>(worker)], blocks.cell_bits());
        left[block] = merge_cells(own, blocks, first_user, rule, matrix.offsets.data() + 1 + first_user, failure);
    });
    scratch.clear();
    failure.raise_if_any(users_, items_);

    for (std::size_t user = 0; user < users_.size(); ++user) {
        if (matrix.offsets[user + 1] == 0) throw std::logic_error("user interned without a row");
        matrix.offsets[user + 1] += matrix.offsets[user];
    }
    matrix.columns = Array<std::uint32_t>(matrix.offsets[users_.size()]);
    matrix.values = Array<float>(matrix.columns.size());
    parallel_for(environment, blocks.count(), [&](std::size_t block, int) {
        const Cell* from = cells.data() + begins[block];
        std::uint32_t* columns = matrix.columns.data() + matrix.offsets[blocks.first_user(block)];
        float* values = matrix.values.data() + matrix.offsets[blocks.first_user(block)];
        for (std::size_t i = 0; i < left[block]; ++i) {
            columns[i] = blocks.item(from[i].packed);
            values[i] = CellBlocks::value(from[i].packed);
        }
    });
    return matrix;
}

Dataset InteractionsBuilder::finish(Duplicates rule, Environment& environment) && {
    if (rows_ == 0) throw InvalidData("no interactions to train on");
    Csr by_user = with_times_ ? finish_as<TimedCell>(rule, environment) : finish_as<Cell>(rule, environment);
    return {std::move(users_), std::move(items_), std::move(by_user), rows_};
}

}  // namespace mf
