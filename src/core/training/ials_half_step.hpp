// One side's half-step of iALS (ials.hpp): a pure function of a block of rows, of the factors of the other side and of
// their Gram matrix. The local trainer calls it for its blocks; so can whoever keeps the rows elsewhere.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/conjugate_gradient.hpp"
#include "core/linalg/dual_equations.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/linalg/bfloat16_matrix.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/half_step.hpp"
#include "core/training/ials_weights.hpp"

namespace mf {

/// What all rows of one side have in common.
struct IalsHalfStep {
    const GramMatrix& gram;  ///< of all factors of the other side
    float unobserved_weight;
    double ridge_scale;  ///< a row's ridge is ridge_scale · (ridge_offset + weight of its interactions)^exponent
    double ridge_offset;
    double ridge_exponent;
    const char* row_name;  ///< "user" or "item", for messages
    /// Of gram, for features in their eigenbasis; otherwise null, and every row takes a system of k rows.
    const SharedDiagonal* shared = nullptr;
    /// A copy of the features: where it and `shared` are there, rows are improved by a few steps of conjugate gradient
    /// from the factors that they have; otherwise all rows are solved exactly.
    const Bfloat16Matrix* rounded = nullptr;

    double ridge_of(double weight_sum) const {
        return ridge_scale * std::pow(ridge_offset + weight_sum, ridge_exponent);
    }
};

/// The half-steps of the two sides, exact. gram: of all items, and of all users, of which there are `users`.
IalsHalfStep ials_users_step(const GramMatrix& gram, const IalsParameters& parameters);
IalsHalfStep ials_items_step(const GramMatrix& gram, const IalsParameters& parameters, std::uint64_t users);

/// Scratch of one thread.
struct IalsWorkspace {
    explicit IalsWorkspace(int factors) : equations(factors) {}
    NormalEquations equations;
    std::optional<DualEquations> dual;       ///< made at first use
    std::optional<ConjugateGradient> steps;  ///< likewise
    bool dual_was_last = false;              ///< which of the two holds the system of the row that was solved last
};

/// Solves a block of rows: row r of `out` from row r of `rows`, whose columns are rows of `features` and whose values
/// are weights. `features` and step.rounded hold the rows that occur, while step.gram is that of all. The matrices have
/// the same number k of factors; nothing but `workspace`, whose content does not matter, is shared between calls. The
/// ridge draws row r to row r of `centers`, or to zero if that has no rows. A row without weight gets zeros. With
/// step.rounded, rows for which single precision does not suffice are solved exactly all the same. Throws
/// NumericalFailure if a system is singular to working precision. With an environment, which no worker may give, a long
/// row has checkpoints. Whatever the blocks, a row gets the same bits. As solve_ials_row() for each row, or
/// O(entries·k) by conjugate gradient.
ObjectiveParts solve_block(const IalsHalfStep& step, CsrView rows, FactorView features, IalsWorkspace& workspace,
                           FactorView centers, MutableFactorView out, Environment* environment = nullptr);

/// Solves these rows of a side exactly, each by all threads together, with the same bits.
ObjectiveParts solve_long_rows(const IalsHalfStep& step, CsrView rows, std::span<const std::uint32_t> long_rows,
                               FactorView features, FactorView centers, Environment& environment,
                               MutableFactorView out);

/// All rows of a side, by its plan, the long ones exactly: what both of the above do, on all threads, with the same
/// bits for any number of them.
ObjectiveParts solve_rows(const IalsHalfStep& step, CsrView rows, const RowPlan& plan, FactorView features,
                          FactorView centers, std::span<IalsWorkspace> workspaces, Environment& environment,
                          MutableFactorView out);

/// Solves one row exactly, drawn to `center`, or to zero if that is null. columns may be longer than weights; the
/// surplus is prefetched. factors has FactorMatrix::padded(k) floats. The factorized system stays in `workspace`.
/// Otherwise as solve_block(). O(n·k² + k³), or O(n²·k + n³) with step.shared and n ≤ DualEquations::longest_row().
ObjectiveParts solve_ials_row(const IalsHalfStep& step, FactorView features, std::span<const std::uint32_t> columns,
                              std::span<const float> weights, IalsWorkspace& workspace, const float* center,
                              float* factors, Environment* environment = nullptr);

/// vector = the inverse of the system of the row that was solved last, and exactly, times vector; of
/// FactorMatrix::padded(k) floats.
void solve_last_system(IalsWorkspace& workspace, float* vector);

}  // namespace mf
