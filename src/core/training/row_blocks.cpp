#include "core/training/row_blocks.hpp"

#include <algorithm>

#include "core/linalg/normal_equations.hpp"

namespace mf {

RowPlan plan_rows(CsrView matrix, int factors) {
    constexpr std::uint32_t kRows = 64;
    constexpr double kCost = 1e9;  // multiply-adds: some tens of milliseconds
    const double k = factors;
    const std::size_t longest = piece_entries(factors);
    RowPlan plan;
    std::vector<std::pair<double, RowBlock>> blocks;
    std::uint32_t begin = 0;
    double cost = 0;
    const auto cut = [&](std::uint32_t end) {
        if (begin < end) blocks.push_back({cost, {begin, end}});
        begin = end;
        cost = 0;
    };
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        if (matrix.row_size(row) > longest) {
            cut(row);
            plan.long_rows.push_back(row);
            begin = row + 1;
            continue;
        }
        cost += k * k * (static_cast<double>(matrix.row_size(row)) + k / 3) / 2;
        if (cost >= kCost || row + 1 - begin >= kRows) cut(row + 1);
    }
    cut(matrix.rows());
    std::stable_sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    plan.blocks.reserve(blocks.size());
    for (const auto& [unused, block] : blocks) plan.blocks.push_back(block);
    return plan;
}

}  // namespace mf
