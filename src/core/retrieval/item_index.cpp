#include "core/retrieval/item_index.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/descending_order.hpp"
#include "core/base/sums.hpp"
#include "core/retrieval/balanced.hpp"

namespace mf {
namespace {

constexpr std::size_t kLine = 64;

std::size_t rounded_up(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

/// The beginning of the memory.
struct Header {
    std::uint64_t items;
    std::int64_t factors;
};

/// The positions of the parts, in bytes from the start.
struct Layout {
    std::size_t rows, codes, corrections, groups, item_at, position_of, end;

    Layout(std::size_t items, int factors) {
        const std::size_t stride = FactorMatrix::padded(factors);
        const std::size_t scanned = (items + kScanItems - 1) / kScanItems * kScanItems;
        rows = rounded_up(sizeof(Header));
        codes = rows + rounded_up(checked_multiply(items, stride * sizeof(float)));
        corrections = codes + scanned * stride;
        groups = corrections + scanned * sizeof(std::int32_t);
        item_at = groups + rounded_up(scanned / kScanItems * sizeof(ItemIndex::Group));
        position_of = item_at + rounded_up(items * sizeof(std::uint32_t));
        end = position_of + rounded_up(items * sizeof(std::uint32_t));
    }
};

float up(double value) { return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity()); }

double norm_of(const float* row, std::size_t stride) {
    const double sum = squared_norm(row, stride);
    return std::isfinite(sum) ? std::sqrt(sum) : std::numeric_limits<double>::infinity();
}

/// The integers nearest to the values, ties to even. They are below 2^51, where a sum with 1.5 · 2^52 has no place for
/// fractions: the library's function is a call for each value where the instruction is not sure to exist.
template <class Values>
auto rounded(const Values& values) {
    constexpr double kNoFractions = 0x1.8p52;
    return (values + kNoFractions) - kNoFractions;
}

/// Computes the codes of the rows of one group. Rows that are not finite get codes of zero and an infinite error.
ItemIndex::Group encode(const float* rows, std::size_t count, std::size_t stride, std::int8_t* codes,
                        std::int32_t* corrections) {
    const auto size = static_cast<Eigen::Index>(stride);
    Eigen::ArrayXXd balanced(size, static_cast<Eigen::Index>(count));
    double norms[kScanItems];
    double largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float* row = rows + i * stride;
        auto column = balanced.col(static_cast<Eigen::Index>(i));
        balance(row, stride, column);
        norms[i] = norm_of(row, stride);
        if (std::isfinite(norms[i])) largest = std::max(largest, column.abs().maxCoeff());
    }
    ItemIndex::Group group{static_cast<float>(largest / kItemRange), 0, 0, 0};
    if (group.scale == 0) group.scale = 1;  // all values are zero, or so small that only the error matters
    const double scale = static_cast<double>(group.scale);
    std::fill_n(corrections, kScanItems, 0);
    std::memset(codes, 0, kScanItems * stride);
    Eigen::ArrayXd code(size);
    for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(norms[i])) {
            group.norm = group.error = std::numeric_limits<float>::infinity();
            continue;
        }
        const auto column = balanced.col(static_cast<Eigen::Index>(i));
        code = rounded(column / scale).max(-1.0 * kItemRange).min(1.0 * kItemRange);
        for (std::size_t j = 0; j < stride; ++j)
            codes[j / 4 * 4 * kScanItems + 4 * i + j % 4] =
                static_cast<std::int8_t>(static_cast<std::int32_t>(code[static_cast<Eigen::Index>(j)]));
        corrections[i] = kQueryZero * static_cast<std::int32_t>(code.sum());
        group.norm = std::max(group.norm, up(norms[i]));
        group.code_norm = std::max(group.code_norm, up(scale * std::sqrt(code.square().sum())));
        group.error = std::max(group.error, up(std::sqrt((column - scale * code).square().sum())));
    }
    return group;
}

/// Items by descending norm, ties by index.
std::vector<std::uint32_t> order_by_norm(FactorView items, Environment& environment) {
    constexpr std::size_t kRowsATask = 4096;
    std::vector<double> norms(items.rows());
    parallel_ranges(environment, norms.size(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) norms[i] = norm_of(items.row(i), items.stride());
    });
    std::vector<std::uint32_t> order(norms.size());
    descending_order(order, environment, [&](std::uint32_t item) { return norms[item]; });
    return order;
}

}  // namespace

std::size_t ItemIndex::bytes(std::size_t items, int factors) { return Layout(items, factors).end; }

void ItemIndex::build(FactorView items, void* memory, Environment& environment) {
    const Layout layout(items.rows(), items.factors());
    auto* base = static_cast<char*>(memory);
    const Header header{items.rows(), items.factors()};
    std::memcpy(base, &header, sizeof header);
    auto* rows = reinterpret_cast<float*>(base + layout.rows);
    auto* item_at = reinterpret_cast<std::uint32_t*>(base + layout.item_at);
    auto* position_of = reinterpret_cast<std::uint32_t*>(base + layout.position_of);
    auto* groups = reinterpret_cast<Group*>(base + layout.groups);
    auto* codes = reinterpret_cast<std::int8_t*>(base + layout.codes);
    auto* corrections = reinterpret_cast<std::int32_t*>(base + layout.corrections);

    const std::vector<std::uint32_t> order = order_by_norm(items, environment);
    const std::size_t stride = items.stride();
    constexpr std::size_t kGroupsABlock = 64;
    const std::size_t group_count = (items.rows() + kScanItems - 1) / kScanItems;
    parallel_for(environment, (group_count + kGroupsABlock - 1) / kGroupsABlock, [&](std::size_t block, int) {
        for (std::size_t g = block * kGroupsABlock; g < std::min(group_count, (block + 1) * kGroupsABlock); ++g) {
            const std::size_t begin = g * kScanItems;
            const std::size_t count = std::min(kScanItems, items.rows() - begin);
            for (std::size_t p = begin; p < begin + count; ++p) {
                std::copy_n(items.row(order[p]), stride, rows + p * stride);
                item_at[p] = order[p];
                position_of[order[p]] = static_cast<std::uint32_t>(p);
            }
            groups[g] = encode(rows + begin * stride, count, stride, codes + begin * stride, corrections + begin);
        }
    });
}

ItemIndex::ItemIndex(const void* memory) {
    Header header;
    const auto* base = static_cast<const char*>(memory);
    std::memcpy(&header, base, sizeof header);
    items_ = header.items;
    factors_ = static_cast<int>(header.factors);
    stride_ = FactorMatrix::padded(factors_);
    const Layout layout(items_, factors_);
    rows_ = reinterpret_cast<const float*>(base + layout.rows);
    codes_ = reinterpret_cast<const std::int8_t*>(base + layout.codes);
    corrections_ = reinterpret_cast<const std::int32_t*>(base + layout.corrections);
    groups_ = reinterpret_cast<const Group*>(base + layout.groups);
    item_at_ = reinterpret_cast<const std::uint32_t*>(base + layout.item_at);
    position_of_ = reinterpret_cast<const std::uint32_t*>(base + layout.position_of);
}

}  // namespace mf
