#include "core/training/row_blocks.hpp"

#include <algorithm>

#include "core/linalg/normal_equations.hpp"

namespace mf {

std::vector<RowBlock> row_blocks(const Csr& matrix, int factors) {
    constexpr std::uint32_t kRows = 64;
    constexpr double kCost = 1e9;  // multiply-adds: some tens of milliseconds
    const double k = factors;
    const std::size_t longest = piece_entries(factors);
    std::vector<std::pair<double, RowBlock>> blocks;
    std::uint32_t begin = 0;
    double cost = 0;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        if (matrix.row_size(row) <= longest) cost += k * k * (static_cast<double>(matrix.row_size(row)) + k / 3) / 2;
        if (cost < kCost && row + 1 - begin < kRows && row + 1 < matrix.rows()) continue;
        blocks.push_back({cost, {begin, row + 1}});
        begin = row + 1;
        cost = 0;
    }
    std::stable_sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<RowBlock> result;
    result.reserve(blocks.size());
    for (const auto& [unused, block] : blocks) result.push_back(block);
    return result;
}

}  // namespace mf
