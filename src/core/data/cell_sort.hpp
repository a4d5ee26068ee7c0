// The radix sort of rows (user, item, value[, time]) that InteractionsBuilder applies to each block.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace mf {

/// Numbers cells in 32 bits, in the order of (user, item): by the user's number in its block and the item. A block has
/// at most as many users as the items leave bits for and, if users have similar numbers of rows, no more rows than fit
/// into the second-level cache.
class CellBlocks {
  public:
    CellBlocks(std::uint32_t users, std::uint32_t items, std::uint64_t rows) : users_(users) {
        constexpr double kRowsPerBlock = 1 << 15;
        constexpr int kMaximumBlocksLog2 = 14;  // the write positions of more blocks would not stay in cache
        item_bits_ = std::bit_width(items - 1);
        const double users_per_block = kRowsPerBlock * users / static_cast<double>(rows);
        const int wanted = std::bit_width(static_cast<std::uint64_t>(users_per_block));
        const int needed = std::bit_width(users - 1) - kMaximumBlocksLog2;
        user_bits_ = std::clamp(std::max(wanted, needed), 0, 32 - item_bits_);
    }

    std::size_t count() const { return (std::size_t{users_} + first_user(1) - 1) >> user_bits_; }
    std::size_t block_of(std::uint32_t user) const { return user >> user_bits_; }
    std::uint64_t first_user(std::size_t block) const { return std::uint64_t{block} << user_bits_; }
    int cell_bits() const { return user_bits_ + item_bits_; }

    std::uint32_t cell_of(std::uint32_t user, std::uint32_t item) const {
        const std::uint64_t user_in_block = user & (first_user(1) - 1);
        return static_cast<std::uint32_t>(user_in_block << item_bits_ | item);
    }
    std::uint32_t user_in_block(std::uint32_t cell) const {
        return static_cast<std::uint32_t>(std::uint64_t{cell} >> item_bits_);
    }
    std::uint32_t item(std::uint32_t cell) const {
        return static_cast<std::uint32_t>(cell & ((std::uint64_t{1} << item_bits_) - 1));
    }

  private:
    std::uint32_t users_;
    int item_bits_;
    int user_bits_;
};

/// Float as a number of the same order (-0 just below 0). Not for NaN.
inline std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

inline float from_ordered_bits(std::uint32_t bits) {
    return std::bit_cast<float>(bits & 0x80000000u ? bits & 0x7fffffffu : ~bits);
}

/// A row to be sorted, without a time or with one. Those of one cell are in merge_order().
struct PlainRow {
    std::uint64_t packed;  // cell, then ordered bits of the value
    std::uint32_t cell() const { return static_cast<std::uint32_t>(packed >> 32); }
    float value() const { return from_ordered_bits(static_cast<std::uint32_t>(packed)); }
    bool operator<(const PlainRow& other) const { return packed < other.packed; }
};
struct TimedRow : PlainRow {
    double time;
    bool operator<(const TimedRow& other) const {
        return time != other.time ? time < other.time : packed < other.packed;
    }
};

/// Sorts rows by cell, digit by digit from the last to the first. The result is in rows or in scratch, which has the
/// same size; returns which.
template <class Row>
std::span<Row> radix_sort(std::span<Row> rows, std::span<Row> scratch, int cell_bits) {
    constexpr int kMaximumDigitBits = 9;
    constexpr int kMaximumPasses = (32 + kMaximumDigitBits - 1) / kMaximumDigitBits;
    const int passes = (cell_bits + kMaximumDigitBits - 1) / kMaximumDigitBits;
    if (passes == 0) return rows;
    const int digit_bits = (cell_bits + passes - 1) / passes;
    const auto digit = [&](const Row& row, int pass) {
        return row.packed >> (32 + pass * digit_bits) & ((std::uint64_t{1} << digit_bits) - 1);
    };

    std::size_t cursors[kMaximumPasses][1 << kMaximumDigitBits] = {};
    for (const Row& row : rows) {
        for (int pass = 0; pass < passes; ++pass) ++cursors[pass][digit(row, pass)];
    }
    for (int pass = 0; pass < passes; ++pass) {
        std::size_t position = 0;
        for (std::size_t& cursor : cursors[pass]) position += std::exchange(cursor, position);
        for (const Row& row : rows) scratch[cursors[pass][digit(row, pass)]++] = row;
        std::swap(rows, scratch);
    }
    return rows;
}

/// Reserves room for exactly n elements without copying the old ones: the largest block may contain most of the data.
template <class T>
std::span<T> room_for(std::vector<T>& scratch, std::size_t n) {
    if (scratch.size() < n) {
        scratch = {};
        scratch.resize(n);
    }
    return std::span(scratch).first(n);
}

/// Memory for sorting one block, kept from block to block by one worker.
template <class Row>
struct SortScratch {
    std::vector<Row> rows;
    std::vector<Row> other;
};

/// The rows of one block, in the order of (user, item); rows of one cell are adjacent, in any order.
template <class Row>
std::span<Row> sorted_rows(std::span<const std::uint32_t> cells, const float* values, const double* times,
                           int cell_bits, SortScratch<Row>& scratch) {
    constexpr std::size_t kFewRows = 256;  // fewer than a radix sort has counters
    const std::span<Row> rows = room_for(scratch.rows, cells.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].packed = std::uint64_t{cells[i]} << 32 | ordered_bits(values[i]);
        if constexpr (std::is_same_v<Row, TimedRow>) rows[i].time = times[i];
    }
    if (rows.size() >= kFewRows) return radix_sort(rows, room_for(scratch.other, rows.size()), cell_bits);
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.cell() < b.cell(); });
    return rows;
}

}  // namespace mf
