// One side's half-step of alternating least squares (als.hpp): a pure function of a block of rows and of the factors
// and biases of the other side. The local trainer calls it for its blocks; so can whoever keeps the rows elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/biased_conjugate_gradient.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/half_step.hpp"
#include "core/training/model.hpp"

namespace mf {

/// Factors and biases of one side: a bias for each row of factors.
struct BiasedFactors {
    FactorView factors;
    std::span<const float> bias;

    /// Row r as a center; without rows none.
    BiasedCenter center(std::size_t r) const {
        if (factors.rows() == 0) return {};
        return {factors.row(r), bias[r]};
    }
    /// Rows [begin, end); without rows none.
    BiasedFactors slice(std::size_t begin, std::size_t end) const {
        if (factors.rows() == 0) return {};
        return {factors.slice(begin, end), bias.subspan(begin, end - begin)};
    }
};

/// What a half-step needs beside the factors.
struct AlsParameters {
    double regularization = 0;  ///< ridge of a user with n ratings: regularization · n^exponent
    double exponent = 0;
    double bias_regularization = 0;  ///< ridge of the bias: bias_regularization · n^exponent

    template <class F>
    void each_field(F&& field) {
        field("regularization", regularization, kWeight);
        field("regularization_exponent", exponent, kWeight);
        field("bias_regularization", bias_regularization, kWeight);
    }
};

/// What all rows of one side have in common.
struct AlsHalfStep {
    AlsParameters parameters;
    double mean;           ///< of the ratings
    double unit;           ///< of the features and of the targets: 1 for users, σ for items
    const char* row_name;  ///< "user" or "item", for messages
    /// A copy of the features in this unit: where it is there, rows are improved by a few steps of conjugate gradient
    /// from the factors that they have; otherwise all rows are solved exactly.
    const StepFeatures* steps = nullptr;
};

/// Scratch of one thread.
struct AlsWorkspace {
    explicit AlsWorkspace(int factors) : equations(factors) {}
    NormalEquations equations;
    std::optional<BiasedConjugateGradient> steps;  ///< made at first use
    std::vector<float> targets;                    ///< of a row
};

/// The half-steps of the two sides, exact. deviation: σ of the ratings.
AlsHalfStep als_users_step(const AlsParameters& parameters, double mean);
AlsHalfStep als_items_step(const AlsParameters& parameters, double mean, double deviation);

/// Solves a block of rows: row r of `out` and out_bias[r] from row r of `rows`, whose columns are rows of the features.
/// The matrices have the same number k of factors; nothing but `workspace`, whose content does not matter, is shared
/// between calls. The ridges draw row r to row r of `centers`, or to zero if that has no rows. A row without entries
/// gets zeros. With step.steps, rows for which single precision does not suffice are solved exactly all the same.
/// Throws NumericalFailure if a system is singular to working precision. With an environment, which no worker may give,
/// a long row has checkpoints. Whatever the blocks, a row gets the same bits. O(entries·k² + rows·k³), or O(entries·k)
/// by conjugate gradient.
ObjectiveParts solve_block(const AlsHalfStep& step, CsrView rows, const BiasedFactors& features,
                           AlsWorkspace& workspace, const BiasedFactors& centers, MutableFactorView out,
                           std::span<float> out_bias, Environment* environment = nullptr);

/// Solves these rows of a side exactly, each by all threads together, with the same bits.
ObjectiveParts solve_long_rows(const AlsHalfStep& step, CsrView rows, std::span<const std::uint32_t> long_rows,
                               const BiasedFactors& features, const BiasedFactors& centers, Environment& environment,
                               MutableFactorView out, std::span<float> out_bias);

/// All rows of a side, by its plan, the long ones exactly: what both of the above do, on all threads, with the same
/// bits for any number of them.
ObjectiveParts solve_rows(const AlsHalfStep& step, CsrView rows, const RowPlan& plan, const BiasedFactors& features,
                          const BiasedFactors& centers, std::span<AlsWorkspace> workspaces, Environment& environment,
                          MutableFactorView out, std::span<float> out_bias);

/// Solves one row exactly. columns may be longer than values; the surplus is prefetched. factors has
/// FactorMatrix::padded(k) floats. The bias b is eliminated: with the system A z₁ = Σ t_j y_j + λ m, A z₂ = s = Σ y_j
/// it is b = (Σ t_j + λ_b b_m − s·z₁) / (n + λ_b − s·z₂), and then p = z₁ − b z₂, for the ridges λ and λ_b of the row
/// and the center (m, b_m). Otherwise as solve_block(). O(n·k² + k³).
ObjectiveParts solve_als_row(const AlsHalfStep& step, const BiasedFactors& features,
                             std::span<const std::uint32_t> columns, std::span<const float> values,
                             NormalEquations& workspace, const BiasedCenter& center, float* factors, float* bias,
                             Environment* environment = nullptr);

}  // namespace mf
