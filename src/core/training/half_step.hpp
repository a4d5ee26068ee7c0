// What the half-steps of both trainers share: a loop over blocks of rows and the parts of the objective.
#pragma once

#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/row_blocks.hpp"

namespace mf {

/// Parts of the training objective that a half-step learns while it solves its rows.
struct ObjectiveParts {
    double fit = 0;      ///< Σ over rows of the smallest value of the row's own least-squares problem, ridge included
    double penalty = 0;  ///< Σ over rows of the ridge terms alone

    ObjectiveParts& operator+=(const ObjectiveParts& other) {
        fit += other.fit;
        penalty += other.penalty;
        return *this;
    }
};

/// One NormalEquations per thread.
inline std::vector<NormalEquations> make_workspaces(int factors, const Environment& environment) {
    std::vector<NormalEquations> workspaces;
    workspaces.reserve(static_cast<std::size_t>(environment.threads));
    for (int i = 0; i < environment.threads; ++i) workspaces.emplace_back(factors);
    return workspaces;
}

/// Calls solve_row(row, workspace) for every row of every block on all threads and adds up what it returns, block by
/// block in the blocks' order, so that the sums do not depend on the number of threads.
template <class Workspace, class SolveRow>
ObjectiveParts solve_rows(std::span<const RowBlock> blocks, std::span<Workspace> workspaces, Environment& environment,
                          SolveRow&& solve_row) {
    std::vector<ObjectiveParts> parts(blocks.size());
    parallel_for(environment, blocks.size(), [&](std::size_t b, int worker) {
        ObjectiveParts sum;
        for (std::uint32_t row = blocks[b].begin; row < blocks[b].end; ++row)
            sum += solve_row(row, workspaces[static_cast<std::size_t>(worker)]);
        parts[b] = sum;
    });
    ObjectiveParts total;
    for (const ObjectiveParts& part : parts) total += part;
    return total;
}

/// Columns of a row for a half-step: the row's own, followed by what comes next in memory, which is prefetched.
inline std::span<const std::uint32_t> columns_from(const Csr& matrix, std::uint32_t row) {
    const std::uint64_t begin = matrix.offsets[row];
    return {matrix.columns.data() + begin, static_cast<std::size_t>(matrix.entries() - begin)};
}

}  // namespace mf
