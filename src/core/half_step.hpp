// What the half-steps of both trainers share: a loop over blocks of rows, and when to stop.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "core/normal_equations.hpp"
#include "core/parallel.hpp"
#include "core/row_blocks.hpp"

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

/// Σ x_i, in double precision.
inline double sum_of(std::span<const float> values) {
    // Several sums under way: an addition's latency is longer than its work.
    constexpr std::size_t kSums = 8;
    double sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums <= values.size(); i += kSums)
        for (std::size_t j = 0; j < kSums; ++j) sums[j] += static_cast<double>(values[i + j]);
    for (; i < values.size(); ++i) sums[0] += static_cast<double>(values[i]);
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Σ x_i², in double precision.
inline double squared_norm(const float* x, int size) {
    double sum = 0;
    for (int i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

/// Watches the metric on held-out rows: the best iteration so far, and whether it has become hopeless to go on.
class EarlyStop {
  public:
    /// Iterations without a better metric that are tolerated: the metric of alternating least squares is smooth, but
    /// that of a small test part is not.
    static constexpr int kPatience = 2;

    explicit EarlyStop(bool greater_is_better) : sign_(greater_is_better ? 1.0 : -1.0) {}

    /// True if this metric is the best so far; NaN never is, except that the first iteration always counts.
    bool improves(int iteration, double metric) {
        const bool better = best_iteration_ == 0 || sign_ * metric > sign_ * best_;
        if (better) {
            best_ = metric;
            best_iteration_ = iteration;
        }
        last_iteration_ = iteration;
        return better;
    }
    bool exhausted() const { return last_iteration_ - best_iteration_ >= kPatience; }
    int best_iteration() const { return best_iteration_; }

  private:
    double sign_;
    double best_ = 0;
    int best_iteration_ = 0;
    int last_iteration_ = 0;
};

}  // namespace mf
